import Foundation
import Testing
import TraceStore

@testable import BSTRReporter

/// The table of kinds of findings.
@Suite struct FindingKindTests {
  @Test func eachFaultOfTheStoreHasAKind() {
    for number in UInt16(0)..<64 {
      var event = EventRecord()
      event.kind = number
      #expect((FindingKind(event) != nil) == event.isFault, "event kind \(number)")
      #expect(FindingKind(event).map { $0.event?.rawValue == number } ?? true)
    }
  }

  @Test func noTwoKindsHaveTheSameWords() {
    for words in [
      FindingKind.all.map(\.id), FindingKind.all.map(\.title), FindingKind.all.map(\.plural),
      FindingKind.all.map { RuleWording($0, nil).summary },
      FindingKind.all.map { RuleWording($0, nil).description },
      FindingKind.all.map {
        Finding(kind: $0, count: 1, bytes: 0, message: "", suppression: "").stableSentence
      },
    ] { #expect(Set(words).count == words.count) }
  }

  @Test func aKindIsFoundByItsWord() {
    for kind in FindingKind.all { #expect(FindingKind(id: kind.id) == kind) }
    #expect(FindingKind(id: "leek") == nil)
  }

  @Test func theSchemaHasEachKind() throws {
    let schema = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../../Docs/report.schema.json")
    var value: Any? = try JSONSerialization.jsonObject(with: Data(contentsOf: schema))
    for key in ["$defs", "finding", "properties", "kind", "enum"] {
      value = (value as? [String: Any])?[key]
    }
    #expect(try #require(value as? [String]) == FindingKind.all.map(\.id))
  }

  /// Where a lent or handed over string was freed, the other stack is that of the declaration.
  @Test func stacksOfBrokenDeclarationsAreNamedByTheirDetail() {
    for (detail, labels) in [
      ("freed-on-loan", ["freed by     ", "lent by      "]),
      ("freed-after-hand-over", ["freed by     ", "handed over by"]),
      ("not-replaced", ["declared by  ", "freed by     "]),
    ] {
      var finding = Finding(
        kind: .ownership, detail: detail, count: 1, bytes: 2, message: "m", suppression: "s")
      let trace = StackTrace(frames: [Frame(function: "f", module: "/app", offset: 1)])
      (finding.detected, finding.freed) = (trace, trace)
      let report = Report(processes: [
        ProcessReport(
          pid: 1, parentPid: 0, executable: "/bin/app", arguments: ["app"], end: .exit(0),
          totals: ProcessReport.Totals(
            allocations: 9, frees: 0, foreignFrees: 0, live: 9, liveBytes: 9, peakLive: 9,
            immortals: 0, ignored: 0, unrecorded: 0),
          findings: [finding], injectedFailures: [], notes: [])
      ])
      let rows = TextRenderer().render(report).split(separator: "\n").filter { $0.contains("  f") }
      #expect(rows.count == 2)
      for (row, label) in zip(rows, labels) { #expect(row.hasPrefix("     \(label)"), "\(row)") }
    }
  }
}
