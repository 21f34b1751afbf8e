// Defines the layout of a store, byte for byte, as Docs/StoreFormat.md describes it. Defines no
// access.

/// The constants of the layout.
public enum StoreLayout {
  /// "BSTRTRC" and a zero, as a little-endian number.
  public static let magic: UInt64 = 0x0043_5254_5254_5342
  /// The version that this code reads and writes.
  public static let version: UInt32 = 5
  /// Bytes of the header, in front of the first section.
  public static let headerBytes = 4096
  /// The limit of the bytes of a store.
  public static let maxBytes = 1 << 36
  /// The offset of the section table in the header, in bytes.
  public static let sectionTableOffset = 512
  /// The offset of the counters in the header, in bytes.
  public static let countersOffset = 1024
  /// Bytes from one counter to the next: a cache line each, so that threads share none.
  public static let counterStride = 64
  /// The offset of the counts of allocations and frees, two for each shard of the registry, in
  /// bytes.
  public static let shardCountsOffset = 2048
  /// The offset of the extents, in bytes.
  public static let extentsOffset = 3072
  /// The count of extents that the header has room for.
  public static let maxExtents = 128
  /// The count of shards of the registry.
  public static let shards = 64
  /// Returns the offset of a counter, in bytes from the store's start.
  public static func offset(of counter: StoreCounter) -> Int {
    countersOffset + counter.rawValue * counterStride
  }
  /// The limit of the bytes of one string that are kept.
  public static let valueBytes = 64
  /// The byte that the guard behind a live block's terminator is filled with.
  public static let guardByte: UInt8 = 0xFB
  /// Bytes of the guard.
  public static let guardBytes = 8
  /// The byte that overwrites the characters of a freed string.
  public static let poisonByte: UInt8 = 0xFD
}
