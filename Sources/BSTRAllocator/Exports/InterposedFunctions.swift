// The tracker's part in `free`, `realloc` and `exit`: CInterpose.h, implemented.

import CInterpose
import CTracker
import TraceStore

/// See `CInterpose.h`.
@c @implementation
public func bstrtrace_block(_ pointer: UnsafeRawPointer) -> UnsafeRawPointer? {
  guard let thread = unsafe ct_enter() else { return nil }
  defer { unsafe ct_leave(thread) }
  let block = unsafe Tracker.current.pointee.block(meantBy: UInt(bitPattern: pointer))
  return unsafe block.flatMap { unsafe UnsafeRawPointer(bitPattern: $0) }
}

/// See `CInterpose.h`.
@c @implementation
public func bstrtrace_release(
  _ pointer: UnsafeMutableRawPointer, _ isRealloc: Bool, _ caller: UInt, _ frame: UInt
) -> Bool {
  guard let thread = unsafe ct_enter() else { return false }
  defer { unsafe ct_leave(thread) }
  return unsafe Tracker.current.pointee.freeFromOutside(
    UInt(bitPattern: pointer), isRealloc ? .realloc : .free,
    caller: CallSite(caller, frame))
}

/// See `CInterpose.h`.
@c @implementation
public func bstrtrace_ending(_ stack: UInt, _ isDestructor: Bool) {
  guard let thread = unsafe ct_enter() else { return }
  defer { unsafe ct_leave(thread) }
  unsafe Tracker.current.pointee.recordHolders(ownStack: stack, isDestructor: isDestructor)
}
