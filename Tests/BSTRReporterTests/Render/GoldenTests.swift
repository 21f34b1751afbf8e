import Foundation
import TestSupport
import Testing
import TraceOptions
import TraceStore

@testable import BSTRReporter

/// Every format, character by character, against files.
///
/// A changed format is a decision: run with `BSTRTRACE_UPDATE_GOLDEN=1` and read the difference.
@Suite struct GoldenTests {
  private func expect(
    _ text: String, equals name: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../Golden/\(name)")
    if ProcessInfo.processInfo.environment["BSTRTRACE_UPDATE_GOLDEN"] == "1" {
      try text.write(to: file, atomically: true, encoding: .utf8)
    }
    let golden = try String(contentsOf: file, encoding: .utf8)
    #expect(text == golden, sourceLocation: sourceLocation)
  }

  private func report(
    _ images: [StoreImage], redact: Bool = false, damage: [String] = []
  ) -> Report {
    var names = CachingSymbolicator(SampleReport.names)
    return Reporter(redact: redact).report(on: images, symbolicator: &names, damage: damage)
  }

  @Test func text() throws {
    let report = report([try SampleReport.image()])
    try expect(TextRenderer().render(report), equals: "leaks.txt")
    try expect(TextRenderer(colour: true).render(report), equals: "leaks-colour.txt")
  }

  @Test func json() throws {
    try expect(JSONRenderer().render(report([try SampleReport.image()])), equals: "leaks.json")
  }

  @Test func sarif() throws {
    try expect(
      SARIFRenderer(sourceRoot: "/src").render(report([try SampleReport.image()])),
      equals: "leaks.sarif")
  }

  @Test func valgrindXML() throws {
    try expect(
      ValgrindXMLRenderer().render(report([try SampleReport.image()])), equals: "leaks.xml")
  }

  /// Returns a page without what is the same on all of them: browsers test that.
  private static func withoutStyle(_ page: String) -> String {
    page.replacing(HTMLStyle.text, with: "(style)\n")
      .replacing(HTMLScript.text, with: "(script)\n")
  }

  @Test func html() throws {
    var names = CachingSymbolicator(SampleReport.names)
    let report = Reporter(hasProfile: true)
      .report(on: [try SampleReport.image()], symbolicator: &names)
    try expect(Self.withoutStyle(HTMLRenderer().render(report)), equals: "leaks.html")
  }

  @Test func difference() throws {
    var before = report([try SampleReport.image()])
    let after = report([try SampleReport.faults()])
    before.processes[0].findings[0].count = 9
    let diff = try #require(
      FindingDiff(from: FindingSums(of: before), to: FindingSums(of: after)))
    for format in ReportFormat.allCases {
      guard let renderer = format.renderer() as? any TextualRenderer else { continue }
      try expect(Self.withoutStyle(renderer.render(diff)), equals: "diff.\(format.ending)")
    }
    // A report in JSON is summed up as the report is.
    for report in [before, after] {
      let read = try FindingSums(json: Array(JSONRenderer().render(report).utf8))
      let diff = try #require(FindingDiff(from: FindingSums(of: report), to: read))
      #expect(diff.entries.isEmpty && diff.unchanged > 0)
      #expect(
        read.sums.mapValues { $0.mapValues(\.frame?.line) }
          == FindingSums(of: report).sums.mapValues { $0.mapValues(\.frame?.line) })
    }
  }

  @Test func everyFault() throws {
    let report = report([try SampleReport.faults()])
    try expect(TextRenderer().render(report), equals: "faults.txt")
    try expect(JSONRenderer().render(report), equals: "faults.json")
    try expect(SARIFRenderer().render(report), equals: "faults.sarif")
    try expect(ValgrindXMLRenderer().render(report), equals: "faults.xml")
  }

  @Test func holders() throws {
    let report = report([try SampleReport.held()])
    try expect(TextRenderer().render(report), equals: "held.txt")
    try expect(JSONRenderer().render(report), equals: "held.json")
    try expect(SARIFRenderer().render(report), equals: "held.sarif")
  }

  @Test func ownershipMap() throws {
    var names = CachingSymbolicator(SampleReport.names)
    let report = Reporter(hasMap: true)
      .report(on: [try SampleReport.image()], symbolicator: &names)
    try expect(TextRenderer().render(report), equals: "map.txt")
    try expect(JSONRenderer().render(report), equals: "map.json")
  }

  @Test func redacted() throws {
    let report = report([try SampleReport.image()], redact: true)
    try expect(TextRenderer().render(report), equals: "redacted.txt")
    let faults = self.report([try SampleReport.faults()], redact: true)
    for format in ReportFormat.allCases {
      for report in [report, faults] {
        let text = String(decoding: format.renderer().bytes(of: report), as: UTF8.self)
        #expect(!text.contains("Status Text"), "\(format)")
        #expect(!text.contains("\"Status"), "\(format)")
        // What was written over a block may be characters, and so may a length.
        #expect(!text.contains(" instead of ") && !text.contains("4000 bytes"), "\(format)")
      }
    }
    let shown = TextRenderer().render(self.report([try SampleReport.faults()]))
    #expect(shown.contains("stood 41 00") && shown.contains("it says 4000 bytes, not 22"))
  }

  /// A store that was recorded with `redact` does not claim that what it left out was found.
  @Test func recordedRedacted() throws {
    var image = try SampleReport.image { writer in
      for var event in SampleReport.corruption {
        event.redactFound(olecharBytes: 2)
        writer.add(event, to: .events)
      }
    }
    let text = TextRenderer().render(report([image]))
    #expect(!text.contains("stood") && !text.contains("it says"), "\(text)")
    for sentence in [
      "2 bytes of a BSTR freed by libplugin.so+0x1234 were overwritten after the free, starting at byte 4.",
      "3 bytes past the end of a BSTR allocated by CMyClass::get_StatusText(char16_t**) were overwritten.",
      "The string has 22 bytes; from byte 24 on it was overwritten.",
      "The length of a BSTR allocated by CMyClass::get_StatusText(char16_t**) was overwritten.",
    ] { #expect(text.contains("   \(sentence)\n"), "\(sentence)") }
    image = try SampleReport.image { writer in
      for event in SampleReport.corruption { writer.add(event, to: .events) }
    }
    #expect(TextRenderer().render(report([image])).contains("There stood 41 00"))
  }

  @Test func stillRunningAndDamaged() throws {
    var image = try SampleReport.image()
    image.noteEnd(.signal, status: 9)
    #expect(report([image]).processes.first?.end == .signal(9))
    let text = TextRenderer().render(report([image], damage: ["'x.store' is empty"]))
    try expect(text, equals: "damaged.txt")
  }

  @Test func nothingAtAll() throws {
    let nothing = Report(processes: [], damage: ["nothing was recorded: why"])
    #expect(TextRenderer().render(nothing) == "bstrtrace: nothing was recorded: why\n")
  }

  @Test func sameStoreSameReport() throws {
    let image = try SampleReport.image()
    let texts = Set((0..<20).map { _ in JSONRenderer().render(report([image])) })
    #expect(texts.count == 1)
  }
}
