// The report for code scanning and editors: SARIF 2.1.0 (OASIS), one line for each rule and each
// result. Docs/ReportFormat.md says what is in it. The file goes to servers: no values of strings.

import TraceOptions

/// Renders SARIF.
public struct SARIFRenderer: TextualRenderer {
  /// The folder that source files below it are named relative to; `nil` for none.
  public var sourceRoot: String?

  /// The maximum of results: GitHub takes no more.
  var maxResults = 25_000

  /// Creates a renderer.
  public init(sourceRoot: String? = nil) {
    self.sourceRoot = sourceRoot
  }

  /// Renders the whole report, ending with a newline.
  ///
  /// Of more findings than readers take, the heaviest, which a notification says.
  public func render(_ report: Report) -> String {
    let all = Self.results(of: report)
    let results = heaviest(all)
    let rules = Self.rules(of: results)
    let ruleIndices = Dictionary(
      uniqueKeysWithValues: rules.enumerated().map { ($0.element, $0.offset) })
    var locations = SARIFLocations(sourceRoot: sourceRoot)
    return text(
      rules: rules.map(\.json),
      invocation: invocation(of: report, leftOut: all.count - results.count), locations.baseIDs,
      // One at a time: a file may be larger than all else in memory.
      results: results.lazy.map { result in
        result.json(ruleIndex: ruleIndices[SARIFRule(result.finding)] ?? 0, &locations)
      })
  }

  /// Returns a file with one run.
  func text(
    rules: [JSONValue], invocation: JSONValue, _ baseIDs: JSONValue?,
    results: some Sequence<JSONValue>
  ) -> String {
    var bytes = Array(
      #"{"$schema":"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json","version":"2.1.0","runs":[{"#
        .utf8)
    let driver: JSONValue = [
      "name": "bstrtrace", "version": .string(ToolVersion.current),
      "semanticVersion": .string(ToolVersion.current), "rules": Self.lines(rules),
    ]
    Self.append("tool", ["driver": driver], to: &bytes)
    Self.append("invocations", [invocation], to: &bytes)
    Self.append("originalUriBaseIds", baseIDs, to: &bytes)
    Self.append("columnKind", "unicodeCodePoints", to: &bytes)
    bytes += #""results":["#.utf8
    var separator = "\n"
    for result in results {
      bytes += separator.utf8
      result.append(to: &bytes)
      separator = ",\n"
    }
    bytes += "\n]}]}\n".utf8
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func append(_ key: String, _ value: JSONValue?, to bytes: inout [UInt8]) {
    guard let value else { return }
    bytes += "\"\(key)\":".utf8
    value.append(to: &bytes)
    bytes += ",\n".utf8
  }

  /// Returns an array with each of its values in a line.
  private static func lines(_ values: [JSONValue]) -> JSONValue {
    .text(
      Array("[".utf8) + values.map { Array("\n".utf8) + $0.bytes }.joined(separator: ",".utf8)
        + Array("\n]".utf8))
  }

  // MARK: results

  /// Returns every finding, with those that are known already behind the others.
  private static func results(of report: Report) -> [SARIFResult] {
    let programs = report.processes.flatMap { process in
      process.findings.map { _ in process.executable }
    }
    var results = zip(report.findings, programs).map { SARIFResult(finding: $0, program: $1) }
    results += report.leftOut.map {
      SARIFResult(
        finding: $0.finding, program: report.processes.first?.executable ?? "", isKnown: true,
        rule: $0.rule)
    }
    // Findings that differ in lines only have one key: they are numbered in the order of their
    // lines, which stays when lines are added above them.
    for indices in Dictionary(grouping: results.indices, by: { results[$0].key }).values
    where indices.count > 1 {
      let ordered = indices.map { (lines: results[$0].lines, index: $0) }.sorted {
        $0.lines == $1.lines
          ? $0.index < $1.index : $0.lines.lexicographicallyPrecedes($1.lines)
      }
      for (offset, entry) in ordered.enumerated() { results[entry.index].ordinal = offset + 1 }
    }
    return results
  }

  /// Returns as many of the results as readers take: the gravest, and of these the heaviest, in
  /// their order.
  private func heaviest(_ results: [SARIFResult]) -> [SARIFResult] {
    if results.count <= maxResults { return results }
    return results.indices.sorted { results[$0].outweighs(results[$1]) }
      .prefix(maxResults).sorted().map { results[$0] }
  }

  /// Returns the rules of results, in the order of kinds.
  private static func rules(of results: [SARIFResult]) -> [SARIFRule] {
    let used = Set(results.map { SARIFRule($0.finding) })
    let broken = [nil] + Ownership.Rule.allCases.map(Optional.some)
    return FindingKind.all.flatMap { kind in broken.map { SARIFRule(kind, $0) } }
      .filter(used.contains)
  }

  // MARK: invocation

  /// Returns how the report was made: what is damaged or incomplete, and what a reader must know.
  private func invocation(of report: Report, leftOut: Int) -> JSONValue {
    func notification(_ level: String, _ text: String) -> JSONValue {
      ["level": .string(level), "message": ["text": .string(SARIFText.withoutLinks(text))]]
    }
    var notifications = report.damage.map { notification("error", $0) }
    if leftOut > 0 {
      notifications.append(
        notification("warning", ResultLimitWording.sentence(leftOut, maxResults)))
    }
    if let explanation = report.explanation {
      notifications.append(notification("warning", explanation))
    }
    for process in report.processes {
      notifications += process.coverage.map {
        notification("warning", $0.sentence(foreignFrees: process.totals.foreignFrees))
      }
      notifications += process.notes.map { notification("note", $0) }
    }
    return [
      "executionSuccessful": .bool(report.damage.isEmpty),
      "toolExecutionNotifications": .array(notifications),
    ]
  }
}
