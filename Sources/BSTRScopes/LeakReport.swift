// What is left of a scope: findings, as an error and as text.

public import BSTRReporter

/// BSTRs that a scope left behind, and faults that happened in it.
public struct LeakReport: Error, Sendable, CustomStringConvertible {
  /// The scope.
  public let scope: String
  private let report: Report

  init(scope: String, report: Report) {
    self.scope = scope
    self.report = report
  }

  /// What is wrong, heaviest first.
  public var findings: [Finding] { report.findings }
  /// BSTRs that nobody freed.
  public var leakedBstrs: Int { report.leakedBstrs }
  /// Their payload in bytes.
  public var leakedBytes: Int { report.leakedBytes }

  /// "left 3 BSTRs of 48 bytes behind", "misused BSTRs", or both: the rest of a sentence.
  public var summary: String {
    let left =
      "left \(leakedBstrs == 1 ? "1 BSTR" : "\(leakedBstrs) BSTRs") of \(leakedBytes) bytes behind"
    let faults = findings.count { $0.kind != .leak }
    if leakedBstrs == 0 { return "misused BSTRs" }
    return faults == 0 ? left : "\(left) and misused some"
  }

  /// The report for people.
  public var text: String { TextRenderer().render(report) }
  /// The report for programs (Docs/ReportFormat.md).
  public var json: String { JSONRenderer().render(report) }

  /// Writes the report for people where scopes' reports go that nobody takes.
  func write() { try? InProcessReport.sink.write(report) }

  /// The report for people, as the message of a failed test.
  public var description: String { text }
}
