// The entry of a section in the section table of a store.

/// The location of a section.
///
/// 24 bytes.
public struct SectionEntry: BitwiseCopyable, Sendable {
  /// Bytes from the store's start to the section's.
  public var offset: UInt64
  /// Bytes set aside for the section.
  public var capacity: UInt64
  /// Bytes that hold data; raised only after they were written.
  public var used: UInt64

  /// Creates the entry of the section at `offset` with `capacity` bytes, of which `used` are
  /// filled.
  public init(offset: UInt64, capacity: UInt64, used: UInt64) {
    self.offset = offset
    self.capacity = capacity
    self.used = used
  }
}
