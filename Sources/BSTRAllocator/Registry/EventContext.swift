// The stack, thread and time of one event.

import TraceStore

/// The stack, thread and time of one event.
struct EventContext {
  /// The stack that it was done from.
  var stack: StackID = .none
  /// The kernel's id of the thread.
  var thread: UInt32 = 0
  /// The time in milliseconds since recording began.
  var milliseconds: UInt32 = 0
}
