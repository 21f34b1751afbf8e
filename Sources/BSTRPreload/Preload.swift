// Starts and ends the preloaded tracker. Implements CPreload.h; the rest is the allocator's.

import BSTRAllocator
import CPreload
import CTracker
import TraceStore

/// Starts the tracker; see `CPreload.h`.
@c @implementation
public func bstrtrace_preload_started() {
  ct_remove_swift_crash_handlers()
  if !Tracker.isElsewhere { unsafe Tracker.current.pointee.replaceFunctionsInside() }
}

/// Records the end of the process; see `CPreload.h`.
@c @implementation
public func bstrtrace_preload_ending() {
  if !Tracker.isElsewhere { unsafe Tracker.current.pointee.recordEnd() }
}

/// Records an immediate exit; see `CPreload.h`.
@c @implementation
public func bstrtrace_preload_exiting(_ status: Int32) {
  Tracker.noteImmediateExit(status: status)
}
