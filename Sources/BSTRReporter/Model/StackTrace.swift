// A stack with the circumstances in which it was taken.

/// The stack, time and thread of an event.
public struct StackTrace: Sendable {
  /// The frames, innermost first; none when the stack was not recorded.
  public var frames: [Frame]
  /// Whether the program's stack was deeper than the frames that were kept.
  public var truncated: Bool
  /// The time and thread, for one event; `nil` for a group of leaks.
  public var context: Context?

  /// The time and thread of an event.
  public struct Context: Equatable, Sendable {
    /// The kernel's id of the thread.
    public var thread: Int
    /// Whether that is the thread that the process started with.
    public var isMainThread: Bool
    /// Milliseconds since recording began; `nil` where that was not recorded.
    public var milliseconds: Int?
  }

  /// Creates a stack.
  public init(frames: [Frame], truncated: Bool = false, context: Context? = nil) {
    self.frames = frames
    self.truncated = truncated
    self.context = context
  }

  /// The frames without those that every program starts with, below `main`.
  var framesFromMain: [Frame] {
    // At least one is left.
    let end = frames.indices.reversed().first { $0 == 0 || !frames[$0].isStartup }
    return end.map { Array(frames[...$0]) } ?? []
  }

  /// The innermost frame that has a line, or else that has a module; `nil` without one.
  var located: Frame? {
    frames.first { $0.line != nil } ?? frames.first { !$0.module.isEmpty }
  }
}
