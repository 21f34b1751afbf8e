import Testing

@testable import TraceStore

/// The layout that Docs/StoreFormat.md states and other programs may rely on.
@Suite struct StoreLayoutTests {
  @Test func recordsHaveTheirDocumentedSizes() {
    #expect(MemoryLayout<BlockRecord>.stride == 32)
    #expect(MemoryLayout<ModuleRecord>.stride == 40)
    #expect(MemoryLayout<SectionEntry>.stride == 24)
    #expect(MemoryLayout<ValueHead>.stride == 16)
    #expect(MemoryLayout<TextReference>.stride == 8)
    #expect(MemoryLayout<EventRecord>.stride == 96)
    #expect(MemoryLayout<PairRecord>.stride == 32)
    #expect(MemoryLayout<ScopeRecord>.stride == 32)
  }

  @Test func headerFieldsStandWhereTheyAreDocumented() {
    #expect(MemoryLayout<StoreHeader>.offset(of: \.magic) == 0)
    #expect(MemoryLayout<StoreHeader>.offset(of: \.version) == 8)
    #expect(MemoryLayout<StoreHeader>.offset(of: \.headerBytes) == 12)
    #expect(MemoryLayout<StoreHeader>.offset(of: \.storeBytes) == 16)
    #expect(MemoryLayout<StoreHeader>.offset(of: \.role) == 24)
    #expect(MemoryLayout<StoreHeader>.offset(of: \.pid) == 28)
    #expect(MemoryLayout<StoreHeader>.offset(of: \.parentPid) == 32)
    #expect(MemoryLayout<StoreHeader>.offset(of: \.startTime) == 40)
    #expect(MemoryLayout<StoreHeader>.offset(of: \.olecharBytes) == 48)
    #expect(MemoryLayout<StoreHeader>.offset(of: \.payloadOffset) == 52)
    #expect(MemoryLayout<StoreHeader>.offset(of: \.endState) == 56)
    #expect(MemoryLayout<StoreHeader>.offset(of: \.exitStatus) == 60)
    #expect(MemoryLayout<StoreHeader>.offset(of: \.depth) == 64)
    #expect(MemoryLayout<StoreHeader>.offset(of: \.adoptedOffset) == 68)
    #expect(MemoryLayout<StoreHeader>.offset(of: \.executable) == 72)
    #expect(MemoryLayout<StoreHeader>.offset(of: \.arguments) == 80)
    #expect(MemoryLayout<StoreHeader>.size <= StoreLayout.sectionTableOffset)
  }

  @Test func headerPartsDoNotOverlap() {
    let tableEnd =
      StoreLayout.sectionTableOffset
      + SectionKind.allCases.count * MemoryLayout<SectionEntry>.stride
    #expect(tableEnd <= StoreLayout.countersOffset)
    #expect(
      StoreLayout.countersOffset + StoreCounter.allCases.count * StoreLayout.counterStride
        <= StoreLayout.shardCountsOffset)
    #expect(StoreLayout.shardCountsOffset == 2048)
    #expect(StoreLayout.shardCountsOffset + StoreLayout.shards * 16 <= StoreLayout.headerBytes)
  }

  @Test func blockFieldsStandWhereTheyAreDocumented() {
    #expect(MemoryLayout<BlockRecord>.offset(of: \.addressAndLayout) == 0)
    #expect(MemoryLayout<BlockRecord>.offset(of: \.identity) == 8)
    #expect(MemoryLayout<BlockRecord>.offset(of: \.byteLength) == 16)
    #expect(MemoryLayout<BlockRecord>.offset(of: \.stack) == 20)
    #expect(MemoryLayout<BlockRecord>.offset(of: \.thread) == 24)
    #expect(MemoryLayout<BlockRecord>.offset(of: \.milliseconds) == 28)
  }

  @Test func aBlocksNumberAndItsScopeShareAWord() {
    var record = BlockRecord(
      address: 8, serial: 0xFF_1234_5678, scope: ScopeID(rawValue: 0xAB_CDEF), byteLength: 0,
      stack: .none, thread: 0, milliseconds: 0)
    #expect(record.identity == 0xABCD_EFFF_1234_5678)
    #expect(record.scope == ScopeID(rawValue: 0xAB_CDEF))
    record.scope = .ignored
    #expect(record.serial == 0xFF_1234_5678)
    #expect(record.scope == .ignored)
  }

  @Test func eventFieldsStandWhereTheyAreDocumented() {
    #expect(MemoryLayout<EventRecord>.offset(of: \.kind) == 0)
    #expect(MemoryLayout<EventRecord>.offset(of: \.detailAndLayout) == 2)
    #expect(MemoryLayout<EventRecord>.offset(of: \.changed) == 4)
    #expect(MemoryLayout<EventRecord>.offset(of: \.pointer) == 8)
    #expect(MemoryLayout<EventRecord>.offset(of: \.data) == 16)
    #expect(MemoryLayout<EventRecord>.offset(of: \.serial) == 24)
    #expect(MemoryLayout<EventRecord>.offset(of: \.found) == 32)
    #expect(MemoryLayout<EventRecord>.offset(of: \.byteLength) == 40)
    #expect(MemoryLayout<EventRecord>.offset(of: \.offset) == 44)
    #expect(MemoryLayout<EventRecord>.offset(of: \.allocated) == 48)
    #expect(MemoryLayout<EventRecord>.offset(of: \.freed) == 52)
    #expect(MemoryLayout<EventRecord>.offset(of: \.detected) == 56)
    #expect(MemoryLayout<EventRecord>.offset(of: \.allocatedThread) == 60)
    #expect(MemoryLayout<EventRecord>.offset(of: \.freedThread) == 64)
    #expect(MemoryLayout<EventRecord>.offset(of: \.detectedThread) == 68)
    #expect(MemoryLayout<EventRecord>.offset(of: \.allocatedTime) == 72)
    #expect(MemoryLayout<EventRecord>.offset(of: \.freedTime) == 76)
    #expect(MemoryLayout<EventRecord>.offset(of: \.detectedTime) == 80)
    #expect(MemoryLayout<EventRecord>.offset(of: \.value) == 84)
    #expect(MemoryLayout<EventRecord>.offset(of: \.scope) == 92)
  }

  @Test func wordsTakeApartWhatWasPutTogether() {
    let word = FrameWord(module: ModuleID(rawValue: 0xABCD), address: 0x7FFF_1234_5678)
    #expect(word.module == ModuleID(rawValue: 0xABCD))
    #expect(word.address == 0x7FFF_1234_5678)
    let head = StackHead(hash: 0xDEAD_BEEF, count: 256, truncated: true)
    #expect(head.hash == 0xDEAD_BEEF)
    #expect(head.count == 256)
    #expect(head.truncated)
  }
}
