// The word in front of a stack's frames.

/// The word in front of a stack's frames.
public struct StackHead: BitwiseCopyable, Sendable {
  /// Hash, flag and count as they are in the store.
  public var rawValue: UInt64

  /// Creates a head from its word in a store.
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// Creates the head of a stack of `count` frames.
  public init(hash: UInt32, count: Int, truncated: Bool) {
    rawValue = UInt64(hash) << 32 | (truncated ? 1 << 16 : 0) | UInt64(count)
  }

  /// The hash of the frames' words.
  public var hash: UInt32 { UInt32(rawValue >> 32) }
  /// The count of frames that follow.
  public var count: Int { Int(rawValue & 0xFFFF) }
  /// Whether the stack had more frames than are kept.
  public var truncated: Bool { rawValue & 1 << 16 != 0 }
}
