// What the table knows of one address, in 19 bits.

import CTracker
import Glibc

/// What a shard knows of an address: a number of 19 bits.
struct BlockEntry: Equatable {
  let rawValue: UInt32

  @inline(__always)
  init(rawValue: UInt32) { self.rawValue = rawValue }

  /// A live block, whose record has this number in its shard.
  ///
  /// - Parameter record: less than `maxRecords`.
  @inline(__always)
  init(record: UInt32) { rawValue = record }

  /// A block that was released, and is remembered in this place of its shard's ring.
  @inline(__always)
  init(freed place: Int) { rawValue = Self.maxRecords &+ UInt32(truncatingIfNeeded: place) }

  /// A live block that there was no room to record.
  static var unrecorded: BlockEntry { BlockEntry(rawValue: 0x7_FFFF) }

  /// A live block that was inherited, and whose record's number is needed for others.
  static var inherited: BlockEntry { BlockEntry(rawValue: 0x7_FFFE) }

  /// Records that a shard can number.
  static let maxRecords: UInt32 = 0x7_FFFE - UInt32(FreedBlocks.capacity)

  /// Whether the block is live.
  @inline(__always)
  var isLive: Bool { rawValue < Self.maxRecords || rawValue >= Self.inherited.rawValue }

  /// Where the released block is remembered; `nil` for a live one.
  @inline(__always)
  var freedPlace: Int? { isLive ? nil : Int(rawValue - Self.maxRecords) }
}
