import Foundation
import Testing

@testable import TraceStore

/// The tables of Docs/StoreFormat.md say what the structures are.
@Suite struct StoreFormatPageTests {
  private static let page = try? String(
    contentsOf: URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../../Docs/StoreFormat.md"), encoding: .utf8)

  /// A row of a table: where a field is and how large.
  private struct Row: Equatable {
    var offset: Int
    var bytes: Int
    var fields: String
  }

  private static func rows(below heading: String) throws -> [Row] {
    let page = try #require(page)
    let start = try #require(page.range(of: "\n## \(heading)")).upperBound
    let end = page.range(of: "\n## ", range: start..<page.endIndex)?.lowerBound ?? page.endIndex
    return page[start..<end].split(separator: "\n").compactMap { line in
      let cells = line.split(separator: "|", omittingEmptySubsequences: false)
        .map { $0.trimmingCharacters(in: .whitespaces) }
      guard cells.count > 4, let offset = Int(cells[1]), let bytes = Int(cells[2]) else {
        return nil
      }
      return Row(offset: offset, bytes: bytes, fields: cells[3])
    }
  }

  /// The row of neighbouring fields of a structure, which the page puts together.
  private static func row<Root, Value>(
    _ name: String, _ fields: KeyPath<Root, Value>...
  ) throws -> Row {
    let offsets = try fields.map { try #require(MemoryLayout<Root>.offset(of: $0)) }
    let size = MemoryLayout<Value>.size
    for (index, offset) in offsets.enumerated() { #expect(offset == offsets[0] + index * size) }
    return Row(offset: offsets[0], bytes: size * fields.count, fields: name)
  }

  /// Without holes from the first field to the last.
  private static func expectWhole(_ rows: [Row], bytes: Int) {
    for (one, next) in zip(rows, rows.dropFirst()) {
      #expect(one.offset + one.bytes == next.offset, "\(one.fields), \(next.fields)")
    }
    #expect(rows.last.map { $0.offset + $0.bytes } == bytes)
  }

  @Test func theHeaderIsAsStated() throws {
    let rows = try Self.rows(below: "Header: 4096 bytes")
    typealias Header = StoreHeader
    let fields = [
      try Self.row("magic", \Header.magic), try Self.row("version", \Header.version),
      try Self.row("headerBytes", \Header.headerBytes),
      try Self.row("storeBytes", \Header.storeBytes), try Self.row("role", \Header.role),
      try Self.row("pid", \Header.pid), try Self.row("parentPid", \Header.parentPid),
      try Self.row("firstScope", \Header.firstScope), try Self.row("startTime", \Header.startTime),
      try Self.row("olecharBytes", \Header.olecharBytes),
      try Self.row("payloadOffset", \Header.payloadOffset),
      try Self.row("endState", \Header.endState), try Self.row("exitStatus", \Header.exitStatus),
      try Self.row("depth", \Header.depth), try Self.row("adoptedOffset", \Header.adoptedOffset),
      try Self.row("executable", \Header.executable),
      try Self.row("arguments", \Header.arguments),
      try Self.row("isFreeUnwatched", \Header.isFreeUnwatched),
      try Self.row("suspended", \Header.suspended),
      try Self.row("areModulesNamed", \Header.areModulesNamed),
      try Self.row("pidNamespace", \Header.pidNamespace),
      try Self.row("areOpenedUnseen", \Header.areOpenedUnseen),
      try Self.row("holderScan", \Header.holderScan),
      try Self.row("holdersLimit", \Header.holdersLimit),
    ]
    #expect(Array(rows.prefix(fields.count)) == fields)
    Self.expectWhole(fields, bytes: MemoryLayout<StoreHeader>.size)
    #expect(
      Array(rows.dropFirst(fields.count)) == [
        Row(
          offset: StoreLayout.sectionTableOffset,
          bytes: SectionKind.allCases.count * MemoryLayout<SectionEntry>.stride,
          fields: "sections"),
        Row(
          offset: StoreLayout.countersOffset,
          bytes: StoreCounter.allCases.count * StoreLayout.counterStride, fields: "counters"),
        Row(
          offset: StoreLayout.shardCountsOffset, bytes: StoreLayout.shards * 16, fields: "shards"),
        Row(
          offset: StoreLayout.extentsOffset,
          bytes: StoreLayout.maxExtents * MemoryLayout<StoreExtent>.stride, fields: "extents"),
      ])
    #expect(StoreLayout.headerBytes == 4096)
  }

  @Test func theBlockRecordIsAsStated() throws {
    let fields = [
      try Self.row("addressAndLayout", \BlockRecord.addressAndLayout),
      try Self.row("identity", \BlockRecord.identity),
      try Self.row("byteLength", \BlockRecord.byteLength),
      try Self.row("stack", \BlockRecord.stack),
      try Self.row("thread", \BlockRecord.thread),
      try Self.row("milliseconds", \BlockRecord.milliseconds),
    ]
    #expect(try Self.rows(below: "Block record") == fields)
    Self.expectWhole(fields, bytes: MemoryLayout<BlockRecord>.stride)
  }

  @Test func theHolderRecordIsAsStated() throws {
    typealias Record = HolderRecord
    let fields = [
      try Self.row("serial", \Record.serial), try Self.row("place", \Record.place),
      try Self.row("type", \Record.type), try Self.row("blockBytes", \Record.blockBytes),
      try Self.row("offset", \Record.offset), try Self.row("thread", \Record.thread),
      try Self.row("kind", \Record.kind), try Self.row("match", \Record.match),
      try Self.row("chain", \Record.chain), try Self.row("facts", \Record.facts),
      try Self.row("reserved", \Record.reserved),
    ]
    #expect(try Self.rows(below: "Holder record") == fields)
    Self.expectWhole(fields, bytes: MemoryLayout<HolderRecord>.stride)
  }

  @Test func theEventRecordIsAsStated() throws {
    typealias Event = EventRecord
    let rows = try Self.rows(below: "Event record")
    let fields = [
      try Self.row("changed", \Event.changed), try Self.row("pointer", \Event.pointer),
      try Self.row("data", \Event.data), try Self.row("serial", \Event.serial),
      try Self.row("found", \Event.found), try Self.row("byteLength", \Event.byteLength),
      try Self.row("offset", \Event.offset),
      try Self.row("allocated, freed, detected", \Event.allocated, \Event.freed, \Event.detected),
      try Self.row(
        "allocatedThread, freedThread, detectedThread", \Event.allocatedThread,
        \Event.freedThread, \Event.detectedThread),
      try Self.row(
        "allocatedTime, freedTime, detectedTime", \Event.allocatedTime, \Event.freedTime,
        \Event.detectedTime),
      try Self.row("value", \Event.value), try Self.row("scope", \Event.scope),
    ]
    // In front of them: the kind, and in one field the detail and the layout.
    #expect(
      Array(rows.prefix(3)) == [
        Row(offset: 0, bytes: 2, fields: "kind"), Row(offset: 2, bytes: 1, fields: "detail"),
        Row(offset: 3, bytes: 1, fields: "layout"),
      ])
    #expect(try Self.row("kind", \Event.kind) == rows[0])
    #expect(MemoryLayout<Event>.offset(of: \.detailAndLayout) == 2)
    #expect(Array(rows.dropFirst(3)) == fields)
    Self.expectWhole(rows, bytes: MemoryLayout<EventRecord>.stride)
  }

  /// The structures that the page describes in a sentence each.
  @Test func sectionsHoldStructuresOfTheStatedSizes() throws {
    let page = try #require(Self.page)
    for (section, bytes) in [
      ("1 modules", MemoryLayout<ModuleRecord>.stride),
      ("3 blocks", MemoryLayout<BlockRecord>.stride),
      ("4 values", MemoryLayout<ValueHead>.stride), ("5 events", MemoryLayout<EventRecord>.stride),
      ("6 pairs", MemoryLayout<PairRecord>.stride),
      ("7 histories", MemoryLayout<HistoryRecord>.stride),
      ("8 scopes", MemoryLayout<ScopeRecord>.stride),
      ("9 holders", MemoryLayout<HolderRecord>.stride),
    ] {
      #expect(page.contains("| \(section) | \(bytes) bytes"), "\(section)")
    }
    #expect(page.contains("entries of \(MemoryLayout<HistoryEntry>.stride) bytes"))
    let names = StoreCounter.allCases.map { "\($0)" }.joined(separator: ", ")
    #expect(page.replacing("\n", with: " ").contains("The counters, in order: \(names)."))
    #expect(page.hasPrefix("# Store format, version \(StoreLayout.version)\n"))
    for (index, kind) in SectionKind.allCases.enumerated() {
      #expect(page.contains("\n| \(index) \(kind) | "), "\(kind)")
    }
  }

  @Test func theirFieldsFollowOneAnother() throws {
    Self.expectWhole(
      [
        try Self.row("stacks", \PairRecord.allocated, \PairRecord.freed),
        try Self.row("flags", \PairRecord.crossedThreads, \PairRecord.reserved),
        try Self.row("sums", \PairRecord.count, \PairRecord.bytes),
      ], bytes: 32)
    Self.expectWhole(
      [
        try Self.row(
          "addresses", \ModuleRecord.start, \ModuleRecord.end, \ModuleRecord.biasAndReplacement),
        try Self.row("texts", \ModuleRecord.path, \ModuleRecord.buildID),
      ], bytes: 40)
    Self.expectWhole(
      [
        try Self.row("serial", \ValueHead.serial),
        try Self.row("byteLength", \ValueHead.byteLength),
        try Self.row("kept", \ValueHead.kept), try Self.row("layout", \ValueHead.layout),
        try Self.row("reserved", \ValueHead.reserved),
      ], bytes: 16)
    Self.expectWhole(
      [
        try Self.row("name", \ScopeRecord.name), try Self.row("parent", \ScopeRecord.parent),
        try Self.row("hasEnded", \ScopeRecord.hasEnded), try Self.row("stack", \ScopeRecord.stack),
        try Self.row(
          "times", \ScopeRecord.thread, \ScopeRecord.milliseconds, \ScopeRecord.reserved),
      ], bytes: 32)
    Self.expectWhole(
      [
        try Self.row("serial", \HistoryRecord.serial),
        try Self.row("counts", \HistoryRecord.total, \HistoryRecord.loans),
        try Self.row("entries", \HistoryRecord.entries),
      ], bytes: 208)
    Self.expectWhole(
      [
        try Self.row("action", \HistoryEntry.action), try Self.row("stack", \HistoryEntry.stack),
        try Self.row("thread", \HistoryEntry.thread, \HistoryEntry.milliseconds),
        try Self.row("note", \HistoryEntry.note),
      ], bytes: 24)
    Self.expectWhole(
      [try Self.row("section", \SectionEntry.offset, \SectionEntry.capacity, \SectionEntry.used)],
      bytes: 24)
  }
}
