// One of the registry's shards.

import Synchronization
import TraceStore

/// A part of the registry, guarded by a lock of its own, on cache lines of its own.
@safe
struct Shard: ~Copyable {
  /// The count of a shard's records that are side by side in the store.
  static let portion = 8

  /// The live and freed blocks by their addresses.
  var blocks = BlockTable()
  /// The latest freed blocks, and the quarantine.
  var freed = FreedBlocks()
  /// The count of records that were inherited: entries below it are the parent's, and the indices
  /// of this process's records are counted from it.
  var inherited: UInt32 = 0
  /// The count of records that were ever taken in this process's store.
  var recordCount: UInt32 = 0
  /// 1 more than the index of the first free record, which has the next one in the same form; 0 for
  /// none.
  var free: UInt32 = 0
  /// Whether a string was ever shortened, so that its block has more memory than its length says:
  /// from then on the sizes of blocks are asked of the heap.
  var hasShortened = false
  /// The shard's own index, so that its lock is found without a division.
  private let ownIndex: UInt8
  /// The first of the shard's records in this process's store; `nil` before it has any.
  var records: UnsafeMutablePointer<BlockRecord>?
  // More than a cache line, so that no line has bytes of two shards.
  private let padding = InlineArray<13, UInt64>(repeating: 0)

  init(index: Int) {
    ownIndex = UInt8(index)
    unsafe records = nil
  }

  /// The shard's index in the registry.
  @inline(__always)
  var index: Int { Int(ownIndex) }

  /// Remembers a freed block, and quarantines its memory if there is room; see `FreedBlocks.add`.
  ///
  /// - Parameter slot: its slot in the table; `nil` when it has none.
  @inline(__always)
  mutating func remember(
    _ block: UInt, _ record: UnsafePointer<BlockRecord>, by context: EventContext,
    bytes: Int, _ limits: QuarantineLimits, _ pool: borrowing Atomic<Int>, _ hash: UInt64,
    at slot: Int?
  ) -> Bool {
    unsafe freed.add(
      block, record, by: context, bytes: bytes, limits, pool, hash, at: slot,
      in: &blocks)
  }
}
