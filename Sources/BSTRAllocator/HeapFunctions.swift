// Blocks that the program gives to the heap's own functions: CInterpose.h, implemented.

import CInterpose
import CTracker
import TraceStore

/// See `CInterpose.h`.
@c @implementation
public func bstrtrace_holds(_ pointer: UnsafeRawPointer) -> Bool {
  guard let place = unsafe ct_enter() else { return false }
  defer { unsafe ct_leave(place) }
  return unsafe Tracker.current.pointee.holdsOutside(UInt(bitPattern: pointer))
}

/// See `CInterpose.h`.
@c @implementation
public func bstrtrace_release(
  _ pointer: UnsafeMutableRawPointer, _ isRealloc: Bool, _ caller: UInt, _ frame: UInt
) -> Bool {
  guard let place = unsafe ct_enter() else { return false }
  defer { unsafe ct_leave(place) }
  return unsafe Tracker.current.pointee.releaseFromOutside(
    UInt(bitPattern: pointer), isRealloc ? .realloc : .free,
    caller: CallSite(caller, frame))
}
