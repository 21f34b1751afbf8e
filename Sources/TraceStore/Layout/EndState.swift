// Defines the ways in which a process ends.

/// The end of a process, as recorded by itself or seen by its collector.
public enum EndState: UInt32, Sendable {
  /// Not recorded: the process still runs, was killed, or became another program.
  case none = 0
  /// It called `exit` or returned from `main`.
  case exit = 1
  /// It called `_exit`.
  case immediateExit = 2
  /// A signal ended it; added by the process that waited for it.
  case signal = 3
  /// It was still running when its store was collected.
  case running = 4
  /// It did not need the tracker, and its end was not looked at.
  case untraced = 5
}
