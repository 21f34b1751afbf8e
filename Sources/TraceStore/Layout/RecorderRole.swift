// Defines the ways in which the recorder is loaded into a process.

/// The way in which the recorder was loaded into the process.
public enum RecorderRole: UInt32, Sendable {
  /// It was preloaded by `bstrtrace run`.
  case preloaded = 1
  /// The program was linked with it.
  case linked = 2
}
