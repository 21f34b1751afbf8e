import CTracker
import Synchronization
import Testing
import TraceStore

@testable import BSTRAllocator

/// What is remembered of released blocks, and what is held of them.
@Suite struct FreedBlocksTests {
  /// Two blocks, and 100 bytes, in each of 64 shards.
  private static let limits = QuarantineLimits(
    processBytes: 2 * 64 * 100, processBlocks: 64 * 2, shards: 64)

  /// Adds a block; nothing is written to it.
  private func add(
    _ block: UInt, bytes: Int, to blocks: inout FreedBlocks, _ table: inout BlockTable,
    _ pool: borrowing Atomic<Int>
  ) {
    var record = BlockRecord(
      address: 0, serial: 1, byteLength: 0, stack: .none, thread: 1, milliseconds: 0)
    _ = blocks.add(
      block, &record, by: EventContext(), bytes: bytes, Self.limits, pool, ct_hash(block),
      at: nil, in: &table)
  }

  @Test func overInNumberOnlyIsWhatIsOverAndNotInBytes() {
    var blocks = FreedBlocks()
    var table = BlockTable()
    let pool = Atomic<Int>(0)
    // Within both limits, over the number, over both, and over the bytes alone.
    for (block, bytes, isOver, exceedsCountOnly) in [
      (16, 40, false, false), (32, 40, false, false), (48, 10, true, true), (64, 20, true, false),
    ] {
      add(UInt(block), bytes: bytes, to: &blocks, &table, pool)
      let (over, inNumberOnly) = (
        blocks.exceeds(Self.limits), blocks.exceedsCountOnly(Self.limits)
      )
      #expect(over == isOver)
      #expect(inNumberOnly == exceedsCountOnly)
    }
  }
}
