// The findings of a scope, as an error and as text.

public import BSTRReporter

/// BSTRs that a scope leaked, and faults that happened in it.
public struct LeakReport: Error, Sendable, CustomStringConvertible {
  /// The scope.
  public let scope: String
  private let report: Report

  init(scope: String, report: Report) {
    self.scope = scope
    self.report = report
  }

  /// The findings, heaviest first.
  public var findings: [Finding] { report.findings }
  /// The count of BSTRs that were not freed.
  public var leakedBstrs: Int { report.leakedBstrs }
  /// Their payload in bytes.
  public var leakedBytes: Int { report.leakedBytes }

  /// "leaked 3 BSTRs (48 bytes)", "misused BSTRs", or both: the second half of a sentence.
  public var summary: String {
    let leaked =
      "leaked \(leakedBstrs) \(leakedBstrs == 1 ? "BSTR" : "BSTRs") "
      + "(\(leakedBytes) \(leakedBytes == 1 ? "byte" : "bytes"))"
    let faults = findings.count { $0.kind != .leak }
    if leakedBstrs == 0 { return "misused BSTRs" }
    return faults == 0 ? leaked : "\(leaked) and misused some"
  }

  /// The report for people.
  public var text: String { TextRenderer().render(report) }
  /// The report for programs (Docs/ReportFormat.md).
  public var json: String { JSONRenderer().render(report) }

  /// Writes the report for people to the output of reports that no caller takes.
  func write() { try? InProcessReport.sink.write(report) }

  /// The report for people, as the message of a failed test.
  public var description: String { text }
}
