import Foundation
import TestSupport
import Testing
import TraceStore

@testable import BSTRReporter

/// Nothing that a program names acts on the terminal that its report is read on.
@Suite struct PrintableTests {
  /// A colour, the end of a line, the direction of text, and a terminal's command in one character.
  private static let strange = "\u{1B}[31m\n\r\u{7F}\u{9B}2J\u{202E}\u{2066}\u{2028}"

  /// Characters other than the ends of lines that are not harmless.
  private func harmful(_ text: String) -> [Unicode.Scalar] {
    text.unicodeScalars.filter { scalar in
      scalar != "\n"
        && [.control, .format, .lineSeparator, .paragraphSeparator]
          .contains(scalar.properties.generalCategory)
    }
  }

  private func report(_ name: String) throws -> Report {
    let frame = Frame(
      function: "f\(name)(int)", file: "/src/\(name).c", line: 3, module: "/lib/m\(name).so",
      offset: 0x10)
    let plain = Frame(module: "/lib/m\(name).so", offset: 0x20)
    let trace = StackTrace(frames: [frame, plain])
    var finding = Finding(
      kind: .leak, detail: "pinned", count: 1, bytes: 2, message: "\(frame.name) did it.",
      allocated: trace, suppression: "leak:\(frame.suppressionPattern)")
    finding.remarks = ["See \(name)."]
    finding.ownership.decision = .uncertain(.neverFreed(receiver: frame))
    finding.ownership.siblings = Ownership.Siblings(
      freed: 1, total: 2, freedBy: frame, isOneLine: true)
    finding.freed = trace
    finding.pinned = [trace]
    finding.scope = name
    finding.history = [
      HistoryEvent(action: .noted, trace: trace, note: name, isAfterGap: false)
    ]
    var process = ProcessReport(
      pid: 1, parentPid: 0, executable: "/bin/\(name)", arguments: ["./\(name)"], end: .exit(0),
      totals: ProcessReport.Totals(
        allocations: 9, frees: 0, foreignFrees: 0, live: 9, liveBytes: 9, peakLive: 9,
        immortals: 0, ignored: 0, unrecorded: 0),
      findings: [finding], injectedFailures: [], notes: ["The scope '\(name)' was never ended."])
    let party = OwnershipMap.Party(function: frame.function, module: frame.moduleName)
    let flow = OwnershipMap.Flow(producer: party, owner: party, freedBy: nil, count: 1, bytes: 2)
    process.map = OwnershipMap(modules: [flow], functions: [flow])
    var report = Report(processes: [process], damage: ["the store of \(name) is damaged"])
    var suppressions = Suppressions()
    suppressions.add("leak:no such function", file: "/etc/\(name)")
    suppressions.apply(to: &report, today: "2026-01-01")
    return report
  }

  @Test func textHasNoControlCharactersOfTheProgram() throws {
    let report = try report(Self.strange)
    let text = TextRenderer().render(report)
    #expect(harmful(text) == [])
    #expect(text.contains("\\u{1b}[31m\\n\\r\\u{7f}\\u{9b}2J\\u{202e}\\u{2066}\\u{2028}"))
    // No name begins a line.
    let usual = TextRenderer().render(try self.report("usual"))
    #expect(text.split(separator: "\n").count == usual.split(separator: "\n").count)
  }

  @Test func colourIsOnlyTheRenderers() throws {
    let text = TextRenderer(colour: true).render(try report(Self.strange))
    let plain = TextRenderer().render(try report(Self.strange))
    #expect(text != plain)
    #expect(
      text.replacing("\u{1B}[1;31m", with: "").replacing("\u{1B}[0m", with: "") == plain)
  }

  @Test func nothingFoundIsHarmlessToo() throws {
    var report = try report(Self.strange)
    report.processes[0].findings = []
    report.processes[0].totals.allocations = 0
    report.explanation = "'\(Self.strange)' imports nothing."
    report.processes[0].map = nil
    #expect(harmful(TextRenderer().render(report)) == [])
  }

  @Test func jsonIsTheSameAndHarmless() throws {
    let name = Self.strange + "\u{E0001}größe"
    let text = JSONRenderer().render(try report(name))
    #expect(harmful(text) == [])
    #expect(text.contains("\\u009b2J\\u202e\\u2066\\u2028\\udb40\\udc01größe"))
    let json = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    let process = (json?["processes"] as? [[String: Any]])?.first
    #expect(process?["executable"] as? String == "/bin/\(name)")
  }

  @Test func historyIsHarmless() throws {
    let image = try SampleReport.image { writer in
      writer.header.pointee.executable = writer.add("/bin/\(Self.strange)")
    }
    var names = CachingSymbolicator(
      FakeSymbolicator([
        CodeLocation(module: "/home/me/status-text", buildID: "010203", offset: 0x1010): [
          Symbol(name: "f\(Self.strange)", file: "/src/\(Self.strange)", line: 1)
        ]
      ]))
    let text = Reporter().history(ofSerial: 1, in: [StoreReference(image)], symbolicator: &names)
    #expect(text.contains("f\\u{1b}[31m"))
    #expect(harmful(text) == [])
    #expect(text.hasPrefix("BSTR 1 of /bin/\\u{1b}[31m\\n"))
  }

  @Test func rulesOfStrangeNamesMatchThem() throws {
    let report = try report(Self.strange)
    let finding = try #require(report.findings.first)
    #expect(finding.suppression == "leak:f*[31m*2J*")
    let line = TextRenderer().suppressionRules(for: report)
    #expect(line == "leak:f*[31m*2J* reason=?\n")
    #expect(try SuppressionRule(finding.suppression).covers(finding))
  }

  @Test func harmlessTextStaysAsItIs() {
    for text in ["/home/me/a b.c", "operator<<(QString&)", "größe", "名前", "\u{1F600}", "a\\nb", ""]
    {
      #expect(Printable.escaped(text) == text)
      #expect(Printable.replacing(text, with: "*") == text)
    }
  }
}
