// What the preloaded library does at a process's start and end. Implements CPreload.h; the rest is
// the allocator's.

import BSTRAllocator
import CPreload
import CTracker
import TraceStore

/// See `CPreload.h`.
@c @implementation
public func bstrtrace_preload_started() {
  ct_remove_swift_crash_handlers()
  if !Tracker.isElsewhere { _ = unsafe Tracker.current }
}

/// See `CPreload.h`.
@c @implementation
public func bstrtrace_preload_ending() {
  if !Tracker.isElsewhere { unsafe Tracker.current.pointee.recordEnd() }
}

/// See `CPreload.h`.
@c @implementation
public func bstrtrace_preload_exiting(_ status: Int32) {
  Tracker.noteImmediateExit(status: status)
}
