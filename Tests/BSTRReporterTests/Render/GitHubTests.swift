import Foundation
import Testing

@testable import BSTRReporter

/// What a job on GitHub Actions reads of a report.
@Suite struct GitHubTests {
  // MARK: the runner

  /// A workflow command.
  private struct WorkflowCommand {
    var name: String
    var properties: [String: String]
    var data: String
  }

  /// Reads a log as the runner does (ActionCommand.cs): commands begin a line, and between
  /// `stop-commands` and its token there are none.
  private func commands(in log: String) -> [WorkflowCommand] {
    func decoded(_ text: Substring, _ codes: [String: String]) -> String {
      // The sign itself last: what it made is no code.
      (codes.filter { $0.key != "%25" } + [("%25", "%")])
        .reduce(String(text)) { $0.replacing($1.0, with: $1.1) }
    }
    let inData = ["%0D": "\r", "%0A": "\n", "%25": "%"]
    let inProperties = inData.merging(["%3A": ":", "%2C": ","]) { $1 }
    var commands: [WorkflowCommand] = []
    var token: Substring?
    for line in log.split(whereSeparator: \.isNewline) {
      let line = line.drop { $0 == " " || $0 == "\t" }
      if let stop = token {
        if line == "::\(stop)::" { token = nil }
        continue
      }
      // The older form, which may stand anywhere in a line.
      let isCommand = line.hasPrefix("::")
      #expect(isCommand || !line.contains("##["), "\(line)")
      guard isCommand, let end = line.dropFirst(2).firstRange(of: "::") else { continue }
      let words = line[line.index(line.startIndex, offsetBy: 2)..<end.lowerBound]
        .split(separator: " ", maxSplits: 1)
      let data = line[end.upperBound...]
      if words[0] == "stop-commands" { token = data }
      let pairs = (words.count > 1 ? words[1] : "").split(separator: ",").map { pair in
        let parts = pair.split(separator: "=", maxSplits: 1)
        return (String(parts[0]), decoded(parts.count > 1 ? parts[1] : "", inProperties))
      }
      commands.append(
        WorkflowCommand(
          name: String(words[0]), properties: Dictionary(pairs) { $1 },
          data: decoded(data, inData)))
    }
    #expect(token == nil, "commands are stopped to the end")
    return commands
  }

  // MARK: reports

  private static let attacks = [
    "\n::error::pwned", "%0A::error::pwned", "\r\n::stop-commands::x", "\u{2028}::endgroup::",
    "##[error]pwned", "::error file=a,line=1::pwned", "|<b>`[x](y)`*_", "a,title=pwned::x",
  ]

  private func finding(_ index: Int) -> Finding {
    let attack = Self.attacks[index % Self.attacks.count]
    let frame = Frame(
      function: "f\(index)\(attack)", file: "/src/a\(attack).cpp", line: index + 1,
      module: "/bin/app\(attack)", offset: 1)
    var finding = Finding(
      kind: .leak, count: 1, bytes: index, message: "Nobody freed the BSTR \(index)\(attack).",
      allocated: StackTrace(frames: [frame]),
      values: [
        StringValue(escaped: "::error::\(attack)", characterCount: 9, isCut: false)
      ], suppression: "leak:f")
    finding.scope = attack
    return finding
  }

  private func report(_ count: Int) -> Report {
    let totals = ProcessReport.Totals(
      allocations: 9, frees: 0, foreignFrees: 0, live: 9, liveBytes: 9, peakLive: 9, immortals: 0,
      ignored: 0, unrecorded: 0)
    return Report(processes: [
      ProcessReport(
        pid: 1, parentPid: 0, executable: "/bin/app", arguments: ["::error::app\n::error::b"],
        end: .exit(0), olecharBytes: 2, payloadOffset: 8, totals: totals,
        findings: (0..<count).map(finding), injectedFailures: [], map: nil,
        notes: Self.attacks)
    ])
  }

  private func log(_ report: Report, hasSummary: Bool = true) -> String {
    GitHubLog(sourceRoot: "/src", hasSuppressionRules: true, hasSummary: hasSummary).render(report)
  }

  // MARK: tests

  @Test func aThousandHostileFindingsHaveTheAnnotationsMeant() throws {
    let found = commands(in: log(report(1000)))
    let tenWarnings = [String](repeating: "warning", count: 10)
    #expect(
      found.map(\.name) == ["group", "stop-commands", "endgroup"] + tenWarnings + ["notice"])
    for (offset, command) in found.dropFirst(3).prefix(10).enumerated() {
      let index = 999 - offset
      let attack = Printable.escaped(Self.attacks[index % Self.attacks.count])
      #expect(Set(command.properties.keys) == ["file", "line", "title"])
      #expect(command.properties["file"] == "a\(attack).cpp")
      #expect(command.properties["line"] == "\(index + 1)")
      #expect(command.properties["title"] == "leak: A BSTR was not freed.")
      #expect(command.data == "Nobody freed the BSTR \(index)\(attack).")
    }
    #expect(found.last?.data == "990 more findings are in the summary of the job.")
  }

  @Test func whatFitsHasNoNotice() {
    #expect(commands(in: log(report(10))).map(\.name).last == "warning")
    #expect(
      commands(in: log(report(11), hasSummary: false)).last?.data
        == "1 more finding is in the log of this step.")
    #expect(commands(in: log(report(0))).map(\.name) == ["group", "stop-commands", "endgroup"])
  }

  @Test func theTokenIsAnotherOneEachTime() {
    let tokens = (0..<100).map { _ in
      GitHubLog(sourceRoot: nil, hasSuppressionRules: false, hasSummary: false).token
    }
    #expect(Set(tokens).count == 100)
    #expect(tokens.allSatisfy { $0.count == 32 && $0.allSatisfy(\.isHexDigit) })
  }

  @Test func theTextIsInTheGroup() throws {
    let report = report(3)
    let log = log(report)
    let text = TextRenderer().render(report) + TextRenderer().suppressionRules(for: report)
    #expect(log.contains(text))
    #expect(log.hasPrefix("\n::group::bstrtrace: 3 findings\n::stop-commands::"))
  }

  @Test func theSummaryIsATableWithinItsLimit() throws {
    let text = GitHubSummary(sourceRoot: "/src").render(report(1000), room: GitHubSummary.maxBytes)
    let rows = text.split(separator: "\n").filter { $0.hasPrefix("| leak ") }
    #expect(rows.count == 1000)
    #expect(rows.allSatisfy { $0.count { $0 == "|" } == 5 })
    #expect(rows[0].contains("999 bytes"))
    #expect(!text.contains("<") && !text.contains("`") && !text.contains("::"))
    // No room for all.
    for room in [0, 100, 20_000] {
      let cut = GitHubSummary().render(report(1000), room: room)
      #expect(cut.utf8.count <= room)
      let listed = cut.split(separator: "\n").count { $0.hasPrefix("| leak ") }
      let end = "\(1000 - listed) more findings are in the log: the summary has no room for more."
      #expect(cut.isEmpty ? room < 300 : cut.contains(end), "\(cut.suffix(200))")
    }
    #expect(GitHubSummary().render(report(0), room: 9999) == "")
  }

  @Test func noValueIsInTheSummaryOrTheAnnotations() throws {
    var report = report(1)
    report.processes[0].findings[0].values = [
      StringValue(escaped: "a secret", characterCount: 8, isCut: false)
    ]
    #expect(!GitHubSummary().render(report, room: 9999).contains("secret"))
    #expect(!commands(in: log(report)).contains { $0.data.contains("secret") })
  }
}
