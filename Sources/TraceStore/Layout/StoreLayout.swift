// The layout of a store, byte for byte, as Docs/StoreFormat.md describes it. Defines no access.

/// Constants of the layout.
public enum StoreLayout {
  /// "BSTRTRC" and a zero, as a little-endian number.
  public static let magic: UInt64 = 0x0043_5254_5254_5342
  /// The version this code reads and writes.
  public static let version: UInt32 = 4
  /// Bytes in front of the first section.
  public static let headerBytes = 4096
  /// The most bytes that a store can have.
  public static let maxBytes = 1 << 36
  /// Where the section table stands in the header.
  public static let sectionTableOffset = 512
  /// Where the counters stand in the header.
  public static let countersOffset = 1024
  /// Bytes from one counter to the next: a cache line each, so that threads do not fight for one.
  public static let counterStride = 64
  /// Where allocations and releases are counted, two numbers for each part of the registry.
  public static let partCountsOffset = 2048
  /// The parts of the registry.
  public static let parts = 64
  /// Where a counter stands, in bytes from the store's start.
  public static func offset(of counter: StoreCounter) -> Int {
    countersOffset + counter.rawValue * counterStride
  }
  /// The most bytes of one string that are kept.
  public static let valueBytes = 64
  /// What stands behind a live block's terminator.
  public static let guardByte: UInt8 = 0xFB
  /// How many bytes of it.
  public static let guardBytes = 8
  /// What stands in place of a released string's characters.
  public static let poisonByte: UInt8 = 0xFD
}
