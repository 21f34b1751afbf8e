// Where, by which thread and when something was done.

import TraceStore

/// Who did something, where and when.
struct EventContext {
  /// Where.
  var stack: StackID = .none
  /// The thread.
  var thread: UInt32 = 0
  /// When, in milliseconds since recording began.
  var milliseconds: UInt32 = 0
}
