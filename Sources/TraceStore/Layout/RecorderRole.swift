// How the recorder came into a process.

/// How the recorder came into the process.
public enum RecorderRole: UInt32, Sendable {
  /// It was preloaded by `bstrtrace run`.
  case preloaded = 1
  /// The program was linked with it.
  case linked = 2
}
