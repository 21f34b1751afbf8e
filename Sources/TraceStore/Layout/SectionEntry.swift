// Where a section of a store lies.

/// Where a section lies.
///
/// 24 bytes.
public struct SectionEntry: BitwiseCopyable, Sendable {
  /// Bytes from the store's start to the section's.
  public var offset: UInt64
  /// Bytes set aside for the section.
  public var capacity: UInt64
  /// Bytes that hold data; raised only after they were written.
  public var used: UInt64

  /// The section at `offset` with `capacity` bytes of which `used` are filled.
  public init(offset: UInt64, capacity: UInt64, used: UInt64) {
    self.offset = offset
    self.capacity = capacity
    self.used = used
  }
}
