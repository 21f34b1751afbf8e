import TestSupport
import Testing
import TraceStore

@testable import BSTRReporter

/// What was found to hold strings, and the words for it.
@Suite struct HolderNamesTests {
  private static let module = "/home/me/status-text"

  private static func location(_ offset: UInt64, isThreadLocal: Bool = false) -> CodeLocation {
    var location = CodeLocation(module: module, buildID: "010203", offset: offset)
    location.isThreadLocal = isThreadLocal
    return location
  }

  private static func word(_ offset: UInt64) -> FrameWord {
    FrameWord(module: ModuleID(rawValue: 1), address: 0x40_0000 + offset)
  }

  private static let data: [CodeLocation: DataSymbol] = [
    location(0x4018): DataSymbol(name: "g_cache", offset: 24, isReadOnly: false, section: ".bss"),
    location(0x4100): DataSymbol(name: nil, offset: 0, isReadOnly: false, section: ".data"),
    location(8, isThreadLocal: true): DataSymbol(name: "t_last", offset: 0, isReadOnly: false),
    location(0x3010): DataSymbol(name: "vtable for StatusCache", offset: 16, isReadOnly: true),
    location(0x3008): DataSymbol(name: "vtable for StatusCache", offset: 8, isReadOnly: true),
    location(0x3100): DataSymbol(
      name: "nominal type descriptor for Swift._ContiguousArrayStorage", offset: 0,
      isReadOnly: true),
  ]

  private static func record(
    _ serial: UInt64, _ kind: HolderPlace, _ place: FrameWord = FrameWord(rawValue: 0),
    chain: Int = 0, match: HolderMatch = .text, thread: UInt32 = 0
  ) -> HolderRecord {
    var record = HolderRecord(serial: serial, kind: kind, match: match, chain: chain)
    record.place = place
    record.thread = thread
    return record
  }

  private static func block(
    _ serial: UInt64, type: UInt64? = nil, offset: UInt32 = 16, facts: HolderFacts = [],
    chain: Int = 0
  ) -> HolderRecord {
    var block = record(serial, .heap, chain: chain)
    block.blockBytes = 48
    block.offset = offset
    block.type = type.map { word($0) } ?? FrameWord(rawValue: 0)
    block.facts = facts.rawValue
    return block
  }

  /// The rows on one string, which is the first of the sample's.
  private func rows(_ records: [HolderRecord]) throws -> [String]? {
    let image = try SampleReport.image { writer in
      for record in records { writer.add(record, to: .holders) }
    }
    var names = FakeSymbolicator(
      [Self.location(0x2020): [Symbol(name: "worker()")]], data: Self.data)
    let chains = HolderNames.chains(in: image, with: &names)
    guard let found = chains[1] else { return nil }
    var holders = Holders()
    holders.add(found)
    return HolderWording.rows(on: holders, ofStrings: 1)
  }

  @Test func aWayIsNamedFromItsEnd() throws {
    #expect(
      try rows([Self.block(1, type: 0x3010), Self.record(1, .data, Self.word(0x4018))]) == [
        "g_cache +24 (status-text .bss) → StatusCache, 48 bytes, +16 → the string"
      ])
    #expect(
      try rows([Self.record(1, .data, Self.word(0x4100))]) == [
        "status-text+0x4100 (.data) → the string"
      ])
    let offset = FrameWord(module: ModuleID(rawValue: 1), address: 8)
    #expect(
      try rows([Self.record(1, .threadLocal, offset, thread: 12)]) == [
        "t_last (status-text, of thread 12) → the string"
      ])
    #expect(
      try rows([Self.record(1, .threadLocal, offset, thread: 4711)]) == [
        "t_last (status-text, of the main thread) → the string"
      ])
  }

  @Test func nobodyAndNotLookedAreNotTheSame() throws {
    #expect(try rows([Self.record(1, .nobody)]) == ["nobody"])
    #expect(try rows([Self.record(2, .nobody)]) == nil)
    // It is no leak any more.
    #expect(try rows([Self.record(3, .nobody)]) == nil)
  }

  @Test func aStackIsNamedWhereNothingElseIs() throws {
    let stack = Self.record(1, .stack, Self.word(0x2020), thread: 12)
    #expect(try rows([stack]) == ["the stack of thread 12, in worker() (weak)"])
    var second = stack
    second.chain = 1
    #expect(
      try rows([Self.record(1, .data, Self.word(0x4018)), second]) == [
        "g_cache +24 (status-text .bss) → the string"
      ])
  }

  private static let blocks: [(HolderFacts, UInt64?, String, Bool)] = [
    ([], nil, "block", true), (.isElement, nil, "block", false),
    (.hasSiblings, nil, "block", false), ([.hasSiblings, .maybeFreed], nil, "block", true),
    ([], 0x3010, "StatusCache", false), (.isSpare, 0x3010, "StatusCache", true),
    // Not where functions are.
    ([], 0x3008, "block", true),
    (.isDescriptor, 0x3100, "Swift._ContiguousArrayStorage", true),
    ([.isDescriptor, .isElement], 0x3100, "Swift._ContiguousArrayStorage", false),
  ]

  @Test(arguments: blocks)
  func aBlockIsWeakUnlessSomethingSpeaksForIt(
    facts: HolderFacts, type: UInt64?, name: String, isWeak: Bool
  ) throws {
    #expect(
      try rows([Self.block(1, type: type, facts: facts)]) == [
        "\(name), 48 bytes, +16 → the string\(isWeak ? " (weak)" : "")"
      ])
  }

  @Test func namesAreWithoutTypesNumbersAndFiles() {
    #expect(HolderNames.variable("main.cache : Swift.Optional<main.Cache>") == "main.cache")
    #expect(HolderNames.variable("main.(cache in _0123ABC)") == "main.cache")
    #expect(HolderNames.variable("cache.0") == "cache")
    #expect(HolderNames.variable("load()::cache") == "load()::cache")
    #expect(HolderNames.variable(".5") == ".5")
  }

  @Test func blocksThatLookAlikeHoldAStringOnce() {
    var holders = Holders()
    let (one, other) = (Holder(place: .heap, offset: 16), Holder(place: .heap, offset: 32))
    holders.add([one, other].map { HolderChain(steps: [$0], isWeak: true) })
    #expect(
      HolderWording.rows(on: holders, ofStrings: 1) == ["block, 0 bytes, +16 → the string (weak)"])
  }

  @Test func elementsOfOneBlockAreOneHolder() {
    var holders = Holders()
    for offset in [0, 8, 16] {
      var block = Holder(place: .heap)
      block.offset = offset
      holders.add([HolderChain(steps: [block], isWeak: false)])
    }
    holders.add([])
    #expect(holders.entries.map(\.strings) == [3])
    #expect(holders.looked == 4 && holders.unheld == 1)
    #expect(
      HolderWording.rows(on: holders, ofStrings: 4) == [
        "block, 0 bytes, +0 → the string, 3 of 4 strings", "nobody, 1 of 4 strings",
      ])
  }

  private static func way(
    _ offset: Int, through blocks: Int = 1, isWeak: Bool = false
  ) -> HolderChain {
    var map = Holder(place: .data, module: "/bin/app", symbol: "g_map", section: ".bss")
    map.offset = offset
    let node = Holder(place: .heap, offset: 40, bytes: 56)
    return HolderChain(steps: [map] + Array(repeating: node, count: blocks), isWeak: isWeak)
  }

  /// The nodes of a map hang on its root by chains of several lengths: it holds them all.
  @Test func whatOneVariableHoldsIsOneRow() {
    var holders = Holders()
    // A string counts once, by however many ways it is held.
    holders.add([Self.way(16), Self.way(24, through: 2)])
    holders.add([Self.way(16, through: 2)])
    holders.add([Self.way(32)])
    #expect(holders.keepers.map(\.strings) == [3])
    #expect(holders.keepers.map(\.chains.count) == [4])
    #expect(
      HolderWording.rows(on: holders, ofStrings: 3) == [
        "g_map +16 (app .bss) → block, 56 bytes, +40 → the string, and 3 other ways"
      ])
    // What is known of a few is not said of all.
    #expect(
      HolderWording.rows(on: holders, ofStrings: 4000) == [
        "g_map +16 (app .bss) → block, 56 bytes, +40 → the string, and 3 other ways, "
          + "3 of 3 strings looked for, of 4000"
      ])
    holders.add([Self.way(16, isWeak: true)])
    holders.add([])
    #expect(holders.keepers.map(\.strings) == [3, 1])
    let rows = HolderWording.rows(on: holders, ofStrings: 5)
    #expect(rows.count == 3 && rows.first?.hasSuffix("ways, 3 of 5 strings") == true)
    #expect(rows.last == "nobody, 1 of 5 strings")
  }

  @Test func aThreadLocalVariableIsOneKeeperOfAllThreads() {
    var holders = Holders()
    for thread in [12, 13] {
      let variable = Holder(
        place: .threadLocal, module: "/bin/app", symbol: "t_last", thread: thread)
      holders.add([HolderChain(steps: [variable], isWeak: false)])
    }
    #expect(holders.keepers.map(\.strings) == [2])
    // Variables without names are apart.
    for address in [0x4100, 0x4108] {
      let variable = Holder(place: .data, module: "/bin/app", offset: address)
      holders.add([HolderChain(steps: [variable], isWeak: false)])
    }
    #expect(holders.keepers.map(\.strings) == [2, 1, 1])
    // The list is short, and says so.
    for number in 1...3 {
      holders.add([
        HolderChain(steps: [Holder(place: .data, symbol: "g_\(number)")], isWeak: false)
      ])
    }
    let rows = HolderWording.rows(on: holders, ofStrings: 7)
    #expect(rows.count == 5 && rows.last == "… and 2 more holders")
    #expect(holders.entries.count == 4)
  }
}
