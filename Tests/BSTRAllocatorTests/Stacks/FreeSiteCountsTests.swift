import Testing
import TraceStore

@testable import BSTRAllocator

/// What a thread counts, and where.
@Suite struct FreeSiteCountsTests {
  private let here = StackID(rawValue: 8)
  private let there = StackID(rawValue: 16)

  /// Counts a string of four bytes.
  private func count(
    _ counts: inout FreeSiteCounts, _ allocated: StackID, _ freed: StackID, generation: UInt32,
    in store: borrowing StoreWriter, makeRoom: () -> Int?
  ) {
    let pair = FreeSiteCounts.Pair(allocated: allocated, freed: freed, crossedThreads: false)
    counts.count(pair, byteLength: 4, generation: generation, in: store, makeRoom: makeRoom)
  }

  @Test func aPairHasOneRecordAndNeighboursInItsPortion() throws {
    let writer = StoreWriter(in: try Region.anonymous())
    var counts = FreeSiteCounts()
    var portions = 0
    for freed in [here, there, here, here] {
      count(&counts, here, freed, generation: 0, in: writer) {
        defer { portions += FreeSiteCounts.portion }
        return portions
      }
    }
    #expect(portions == FreeSiteCounts.portion)
    let records = writer.start(of: .pairs).assumingMemoryBound(to: PairRecord.self)
    #expect(records[0].freed == here && records[0].count == 3 && records[0].bytes == 12)
    #expect(records[1].freed == there && records[1].count == 1)
  }

  @Test func nothingIsWrittenWhereAnotherStoreHadItsPlaces() throws {
    let parents = StoreWriter(in: try Region.anonymous())
    var counts = FreeSiteCounts()
    count(&counts, here, there, generation: 0, in: parents) { 0 }
    // The child's disk is full: twice, for the pair that was counted last is remembered.
    let childs = StoreWriter(in: try Region.anonymous())
    for _ in 0..<2 {
      count(&counts, here, there, generation: 1, in: childs) { nil }
    }
    let records = childs.start(of: .pairs).assumingMemoryBound(to: PairRecord.self)
    #expect(records[0].count == 0)
    count(&counts, here, there, generation: 1, in: childs) { 8 }
    #expect(records[8].count == 1)
  }
}
