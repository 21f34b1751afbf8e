// How a process ended.

/// How a process ended, as far as it could say so itself or its collector saw.
public enum EndState: UInt32, Sendable {
  /// It has not said anything: it still runs, was killed, or became another program.
  case none = 0
  /// It called `exit` or returned from `main`.
  case exit = 1
  /// It called `_exit`.
  case immediateExit = 2
  /// A signal ended it, which whoever waited for it has added.
  case signal = 3
  /// It was still running when its store was collected.
  case running = 4
}
