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
    return HolderWording.rows(on: holders)
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
    #expect(HolderWording.rows(on: holders) == ["block, 0 bytes, +16 → the string (weak)"])
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
      HolderWording.rows(on: holders) == [
        "block, 0 bytes, +0 → the string, 3 of 4 strings", "nobody, 1 of 4 strings",
      ])
  }
}
