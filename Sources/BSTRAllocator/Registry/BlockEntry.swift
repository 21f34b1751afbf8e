// The entry of one address in a shard's table, in 19 bits.

/// An entry of a shard's table: the state of one address, in 19 bits.
struct BlockEntry: Equatable {
  let rawValue: UInt32

  @inline(__always)
  init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Makes the entry of a live block.
  ///
  /// - Parameter record: the index of its record in the shard, less than `maxRecords`.
  @inline(__always)
  init(record: UInt32) { rawValue = record }

  /// Makes the entry of a freed block.
  ///
  /// - Parameter index: its index in the ring of the shard's freed blocks.
  @inline(__always)
  init(freed index: Int) { rawValue = Self.maxRecords &+ UInt32(truncatingIfNeeded: index) }

  /// The entry of a live block for whose record there was no room.
  static var unrecorded: BlockEntry { BlockEntry(rawValue: 0x7_FFFF) }

  /// The entry of a live block that was inherited, and whose record's index is used again.
  static var inherited: BlockEntry { BlockEntry(rawValue: 0x7_FFFE) }

  /// The count of records that a shard can address.
  static let maxRecords: UInt32 = 0x7_FFFE - UInt32(FreedBlocks.capacity)

  /// Whether the block is live.
  @inline(__always)
  var isLive: Bool { rawValue < Self.maxRecords || rawValue >= Self.inherited.rawValue }

  /// The index of a freed block in the ring of its shard; `nil` for a live one.
  @inline(__always)
  var freedIndex: Int? { isLive ? nil : Int(rawValue - Self.maxRecords) }
}
