import TestSupport
import Testing
import TraceStore

@testable import BSTRAllocator

/// The registry against a dictionary, and its store against the registry.
@Suite struct RegistryTests {
  @Test func storeShowsExactlyTheLiveBlocks() throws {
    let registry = Registry()
    let writer = StoreWriter(in: try Region.anonymous())
    writer.publish()
    var generator = SeededGenerator(seed: 7)
    var model: [UInt: UInt64] = [:]
    for serial in 1...UInt64(60_000) {
      let block = UInt.random(in: 1...5000, using: &generator) * 16
      if model[block] != nil {
        let removal = registry.remove(block, in: writer)
        #expect(removal == .own)
        model[block] = nil
      } else {
        let record = BlockRecord(
          address: UInt64(block + 8), serial: serial, byteLength: 2, stack: .none, thread: 1,
          milliseconds: 0)
        let isRecorded = registry.insert(block, record, in: writer)
        #expect(isRecorded)
        model[block] = serial
      }
    }
    let unknown = registry.remove(80_016, in: writer)
    #expect(unknown == .unknown)
    var live: [UInt: UInt64] = [:]
    try StoreImage(bytes: writer.bytes).forEachLiveBlock { block in
      live[UInt(block.address - 8)] = block.serial
    }
    #expect(live == model)
    // A small live set needs few records, however long it goes on.
    #expect(writer.used(of: .blocks) <= (5000 + 64 * 64) * MemoryLayout<BlockRecord>.stride)
    for block in model.keys {
      let result = registry.contains(block)
      #expect(result)
    }
  }

  @Test func aForkedChildKnowsItsInheritanceAndStartsAnew() throws {
    let registry = Registry()
    let parents = StoreWriter(in: try Region.anonymous())
    let record = BlockRecord(
      address: 24, serial: 1, byteLength: 2, stack: .none, thread: 1, milliseconds: 0)
    let inserted = [16, 32].map { registry.insert($0, record, in: parents) }
    #expect(inserted == [true, true])
    registry.lockAll()
    registry.renewInForkedChild(
      recordsOfParent: parents.used(of: .blocks) / MemoryLayout<BlockRecord>.stride)
    let childs = StoreWriter(in: try Region.anonymous())
    childs.publish()
    let inherited = registry.remove(16, in: childs)
    #expect(inherited == .inherited)
    // The same address, given out again by the child's heap.
    let isRecorded = registry.insert(16, record, in: childs)
    #expect(isRecorded)
    let own = registry.remove(16, in: childs)
    #expect(own == .own)
    let isStillKnown = registry.contains(32)
    #expect(isStillKnown)
    var live = 0
    try StoreImage(bytes: childs.bytes).forEachLiveBlock { _ in live += 1 }
    #expect(live == 0)
  }
}
