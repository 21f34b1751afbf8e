// What the preloaded library does at a process's start and end, and for blocks that the program
// releases itself. Implements CInterpose.h; the rest is the allocator's.

import BSTRAllocator
import CInterpose
import CTracker
import TraceStore

/// See `CInterpose.h`.
@c @implementation
public func bstrtrace_preload_started() {
  ct_remove_swift_crash_handlers()
  _ = unsafe Tracker.current
}

/// See `CInterpose.h`.
@c @implementation
public func bstrtrace_preload_ending() {
  unsafe Tracker.current.pointee.keepValues()
}

/// See `CInterpose.h`.
@c @implementation
public func bstrtrace_preload_exiting(_ status: Int32) {
  unsafe Tracker.current.pointee.noteEnd(.immediateExit, status: status)
  unsafe Tracker.current.pointee.keepValues()
}

/// See `CInterpose.h`.
@c @implementation
public func bstrtrace_owns_block(_ block: UnsafeRawPointer) -> Bool {
  unsafe Tracker.current.pointee.isLive(block: UInt(bitPattern: block))
}

/// See `CInterpose.h`.
@c @implementation
public func bstrtrace_block_released(_ block: UnsafeRawPointer) {
  unsafe Tracker.current.pointee.recordRelease(block: UInt(bitPattern: block))
}
