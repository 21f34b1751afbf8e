// Findings that are known already: an old code base's, so that only new ones count.
// Docs/Suppressions.md describes the file.

import FoundationEssentials

/// The findings of an earlier run.
public struct Baseline: Sendable {
  private struct File: Codable {
    var schema = "bstrtrace-baseline"
    var version = FindingKey.Version.fault.rawValue
    var findings: [Entry]

    struct Entry: Codable {
      var kind: String
      var detail: String?
      var count: Int
      var stack: [String]
    }
  }

  /// How many there were of each key.
  private(set) var counts: [FindingKey: Int] = [:]
  /// The functions that its keys have.
  let version: FindingKey.Version

  /// The reason why a file is no baseline.
  public struct Failure: Error, CustomStringConvertible {
    /// The second half of a sentence that starts with the file's name.
    public var description: String
  }

  /// Creates the baseline of a report's findings.
  public init(of report: Report) {
    version = .fault
    for finding in report.findings { counts[FindingKey(finding), default: 0] += finding.count }
  }

  /// Reads a baseline's file.
  public init(_ bytes: [UInt8]) throws(Failure) {
    let file: File
    do {
      file = try JSONDecoder().decode(File.self, from: Data(bytes))
    } catch {
      throw Failure(description: "is no baseline: it is damaged, or another kind of file")
    }
    guard file.schema == "bstrtrace-baseline" else {
      throw Failure(description: "is no baseline: its schema is '\(file.schema)'")
    }
    guard let version = FindingKey.Version(rawValue: file.version) else {
      throw Failure(
        description:
          "is a baseline of version \(file.version); this bstrtrace reads versions 1 and 2")
    }
    self.version = version
    for entry in file.findings {
      let key = FindingKey(entry.kind, entry.detail, entry.stack)
      // A file may say anything; a sum that overflows is larger than any run's.
      let (sum, overflow) = counts[key, default: 0].addingReportingOverflow(max(0, entry.count))
      counts[key] = overflow ? Int.max : sum
    }
  }

  /// The content of the baseline's file: sorted, so that versions can be compared.
  public var text: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let entries = counts.sorted { $0.key < $1.key }.map { key, count in
      File.Entry(kind: key.kind, detail: key.detail, count: count, stack: key.stack)
    }
    let json =
      (try? encoder.encode(File(version: version.rawValue, findings: entries))) ?? Data()
    return String(decoding: json, as: UTF8.self) + "\n"
  }

  /// Removes known findings from a report; one whose count has grown stays, and says so.
  public func apply(to report: inout Report) {
    // Several findings may have one key, where they differ in lines only.
    var now: [FindingKey: Int] = [:]
    for finding in report.findings {
      now[FindingKey(finding, version), default: 0] += finding.count
    }
    for process in report.processes.indices {
      report.processes[process].findings.removeAll { finding in
        let key = FindingKey(finding, version)
        guard let known = counts[key], let count = now[key], count <= known else { return false }
        report.inBaseline += 1
        var finding = finding
        finding.baselineState = .unchanged
        report.leftOut.append(Report.LeftOut(finding: finding, rule: nil))
        return true
      }
      for index in report.processes[process].findings.indices {
        let key = FindingKey(report.processes[process].findings[index], version)
        guard let known = counts[key], let count = now[key] else {
          report.processes[process].findings[index].baselineState = .new
          continue
        }
        report.processes[process].findings[index].baselineState = .updated
        report.processes[process].findings[index].remarks.append(
          "It has grown: \(known) in the baseline, \(count) now.")
      }
    }
  }
}
