// A part of the registry, guarded by a lock of its own.

import CTracker
import Glibc
import Synchronization
import TraceStore

/// A part of the registry, guarded by a lock of its own, on cache lines of its own.
@safe
struct Shard: ~Copyable {
  /// Records that a shard has side by side in the store.
  static let portion = 8

  /// What is known of which address.
  var blocks = BlockTable()
  /// Blocks that were released.
  var freed = FreedBlocks()
  /// Records that were inherited: entries below are the parent's, and a number is counted from
  /// there.
  var inherited: UInt32 = 0
  /// Records that were ever taken in this process's store.
  var numbered: UInt32 = 0
  /// 1 more than the number of the first free record, which names the next in the same way; 0 for
  /// none.
  var free: UInt32 = 0
  /// Whether a string was ever shortened, whose block has more memory than its length says: from
  /// then on the heap is asked.
  var hasShortened = false
  /// The first of its records in this process's store; `nil` before it has any.
  var records: UnsafeMutablePointer<BlockRecord>?
  // More than a line: none has parts of two shards.
  private let padding = InlineArray<13, UInt64>(repeating: 0)

  init() {
    unsafe records = nil
  }

  /// Remembers a released block, and holds its memory back if there is room; see `FreedBlocks.add`.
  ///
  /// - Parameter slot: where it stands in the table; `nil` when it does not.
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
