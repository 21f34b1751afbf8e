// A range of a store's text section.

/// A range of bytes in the text section.
public struct TextReference: BitwiseCopyable, Equatable, Sendable {
  /// The start of the range, in bytes from the section's start.
  public var offset: UInt32
  /// The range's length in bytes.
  public var length: UInt32

  /// The range of no bytes.
  public static let empty = TextReference(offset: 0, length: 0)

  /// Creates the range of `length` bytes from `offset`.
  public init(offset: UInt32, length: UInt32) {
    self.offset = offset
    self.length = length
  }
}
