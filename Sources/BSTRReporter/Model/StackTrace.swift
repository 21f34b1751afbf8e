// A stack with the circumstances in which it was taken.

/// Where something happened, and when, and in which thread.
public struct StackTrace: Sendable {
  /// The frames, innermost first; none when the stack was not recorded.
  public var frames: [Frame]
  /// Whether the program's stack was deeper than what was kept.
  public var truncated: Bool
  /// When and in which thread, where it is one event; `nil` for a group of leaks.
  public var moment: Moment?

  /// When something happened, and in which thread.
  public struct Moment: Equatable, Sendable {
    /// The kernel's id of the thread.
    public var thread: Int
    /// Whether that is the thread that the process started with.
    public var isMainThread: Bool
    /// Milliseconds since recording began; `nil` where that was not recorded.
    public var milliseconds: Int?
  }

  /// A stack.
  public init(frames: [Frame], truncated: Bool = false, moment: Moment? = nil) {
    self.frames = frames
    self.truncated = truncated
    self.moment = moment
  }
}
