import CTracker
import TestSupport
import Testing

@testable import BSTRAllocator

/// The table against a dictionary.
@Suite struct BlockTableTests {
  @Test(arguments: [8 as UInt, 16])
  func behavesAsADictionary(alignment: UInt) {
    var random = SystemRandomNumberGenerator()
    let seed = UInt64.random(in: 0...UInt64.max, using: &random)
    var generator = SeededGenerator(seed: seed)
    var table = BlockTable()
    var model: [UInt: UInt32] = [:]
    for step in 0..<100_000 {
      // Few distinct blocks, so that removals meet chains of collisions; some at the end of what
      // there is.
      let low = UInt.random(in: 1...3000, using: &generator) * alignment
      let block = Bool.random(using: &generator) ? low : 0xFFFF_FFFF_0000 + low
      let hash = ct_hash(block)
      func check(_ condition: Bool, _ what: String) {
        expectEachTime(condition, "\(what): seed \(seed) step \(step)")
      }
      switch Int.random(in: 0...9, using: &generator) {
      case 0..<5:
        let value = UInt32.random(in: 0...0x7_FFFF, using: &generator)
        let isStored = table.set(block, hash, to: BlockEntry(rawValue: value))
        check(isStored, "not stored")
        model[block] = value
      case 5..<9:
        let slot = table.slot(of: block, hash)
        check((slot == nil) == (model[block] == nil), "there or not")
        if let slot {
          let value = table[slot].rawValue
          check(value == model.removeValue(forKey: block), "another value is removed")
          table.remove(at: slot)
        }
      default:
        let entry = table.entry(of: block, hash)
        check(entry?.rawValue == model[block], "another value")
        if let slot = table.slot(of: block, hash) {
          table[slot] = BlockEntry(rawValue: 7)
          model[block] = 7
        }
      }
      #if BSTRTRACE_CHECK_INVARIANTS
        if step % 1000 == 0 {
          let violations = table.violations()
          check(violations == [], "\(violations)")
        }
      #endif
    }
    let count = table.count
    #expect(count == model.count)
    for (block, value) in model {
      let entry = table.entry(of: block, ct_hash(block))
      #expect(entry?.rawValue == value, "seed \(seed)")
    }
  }

  @Test func addressesThatNoBlockHasAreNeverFound() {
    var table = BlockTable()
    let block: UInt = 0x7F00_0000_1230
    _ = table.set(block, ct_hash(block), to: BlockEntry(record: 1))
    for address in [block + 1, block + 7, block | 1 << 48, block | 1 << 63, 0] {
      let entry = table.entry(of: address, ct_hash(block))
      #expect(entry == nil)
      #expect(!BlockTable.isRepresentable(address))
    }
    #expect(BlockTable.isRepresentable(block))
    #expect(BlockTable.isRepresentable(0xFFFF_FFFF_FFF8))
  }

  @Test func whatStandsBehindAnAddressIsOneOfThree() {
    #expect(BlockEntry(record: 0).isLive)
    #expect(BlockEntry(record: BlockEntry.maxRecords - 1).isLive)
    #expect(BlockEntry.unrecorded.isLive)
    #expect(BlockEntry.inherited.isLive)
    for place in [0, 1, FreedBlocks.capacity - 1] {
      let entry = BlockEntry(freed: place)
      #expect(!entry.isLive)
      #expect(entry.freedIndex == place)
      #expect(entry != .unrecorded)
    }
  }

  @Test func recordsAreForgottenAndWhatIsLiveIsNot() {
    var table = BlockTable()
    let entries = [
      BlockEntry(record: 0), BlockEntry(record: BlockEntry.maxRecords - 1), .unrecorded,
      BlockEntry(freed: 3),
    ]
    for (index, entry) in entries.enumerated() {
      let block = UInt(index + 1) * 64
      _ = table.set(block, ct_hash(block), to: entry)
    }
    table.markAllInherited()
    let found = (1...4).map { table.entry(of: $0 * 64, ct_hash($0 * 64)) }
    #expect(found == [.inherited, .inherited, .unrecorded, BlockEntry(freed: 3)])
  }
}
