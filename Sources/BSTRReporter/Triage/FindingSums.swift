// The findings of a run, summed up by key: what two runs are compared by. Of a report, of its JSON
// form, or of a baseline.

import FoundationEssentials

/// How many of each finding a run had.
public struct FindingSums: Sendable {
  /// The findings of one key.
  struct Sum: Sendable {
    /// The count of calls; of leaks, of BSTRs.
    var count = 0
    /// The line of one of them, where it is known.
    var frame: Frame?
  }

  /// The sums by each version of keys that the run has; a baseline has one.
  private(set) var sums: [FindingKey.Version: [FindingKey: Sum]] = [:]
  /// What is wrong with the stores that a report was made of, in sentences.
  public private(set) var damage: [String] = []

  /// The reason why a file cannot be compared.
  public struct Failure: Error, CustomStringConvertible {
    /// The second half of a sentence that starts with the file's name.
    public var description: String
  }

  /// Sums up the findings of a report.
  public init(of report: Report) {
    damage = report.damage
    for version in FindingKey.Version.allCases { sums[version] = [:] }
    for finding in report.findings { add(finding, finding.primaryFrame) }
  }

  /// Reads the JSON form of a report, or a baseline.
  public init(json bytes: [UInt8]) throws(Failure) {
    let data = Data(bytes)
    guard let schema = try? JSONDecoder().decode(Schema.self, from: data) else {
      throw Failure(description: "is no store, JSON report or baseline")
    }
    switch schema.schema {
    case "bstrtrace-baseline":
      do throws(Baseline.Failure) {
        let baseline = try Baseline(bytes)
        sums[baseline.version] = [:]
        for (key, count) in baseline.counts { add(key, baseline.version, count, nil) }
      } catch {
        throw Failure(description: error.description)
      }
    case "bstrtrace-report" where schema.version == 1:
      guard let file = try? JSONDecoder().decode(JSONReport.self, from: data) else {
        throw Failure(description: "is a damaged JSON report")
      }
      damage = file.damage
      let entries = file.processes.flatMap(\.findings)
      // Reports of versions before this one have no keys.
      let hasKeys = entries.allSatisfy { $0.key != nil }
      for version in FindingKey.Version.allCases where hasKeys || version == .wholeStack {
        sums[version] = [:]
      }
      for entry in entries { try add(entry) }
    default:
      throw Failure(
        description: "is of the schema '\(schema.schema)', version \(schema.version), which "
          + "this bstrtrace does not compare")
    }
  }

  private mutating func add(_ finding: Finding, _ frame: Frame?) {
    for version in sums.keys { add(FindingKey(finding, version), version, finding.count, frame) }
  }

  private mutating func add(
    _ key: FindingKey, _ version: FindingKey.Version, _ count: Int, _ frame: Frame?
  ) {
    var sum = sums[version]?[key] ?? Sum()
    // A file may say anything; a sum that overflows is larger than any run's.
    let (count, overflow) = sum.count.addingReportingOverflow(max(0, count))
    sum.count = overflow ? .max : count
    sum.frame = sum.frame ?? (frame?.line == nil ? nil : frame)
    sums[version]?[key] = sum
  }

  // MARK: JSON

  private struct Schema: Decodable {
    var schema: String
    var version: Int
  }

  /// What is needed of a JSON report.
  private struct JSONReport: Decodable {
    var damage: [String]
    var processes: [Process]

    struct Process: Decodable { var findings: [Entry] }

    struct Entry: Decodable {
      var kind: String
      var detail: String?
      var count: Int
      var rule: String?
      var owner, producer, consumer: Location?
      var stacks: Stacks
      var key: [String]?
    }

    struct Stacks: Decodable { var allocated, freed, detected: [Location] }

    struct Location: Decodable {
      var function, file: String?
      var line, column: Int?
      var module: String
      var offset: UInt64

      var frame: Frame {
        Frame(
          function: function, file: file, line: line, column: column, module: module,
          offset: offset)
      }
    }
  }

  private mutating func add(_ entry: JSONReport.Entry) throws(Failure) {
    guard let kind = FindingKind(id: entry.kind) else {
      throw Failure(description: "has findings of the unknown kind '\(entry.kind)'")
    }
    func trace(_ stack: [JSONReport.Location]) -> StackTrace? {
      stack.isEmpty ? nil : StackTrace(frames: stack.map(\.frame))
    }
    var finding = Finding(
      kind: kind, detail: entry.detail, count: entry.count, bytes: 0, message: "",
      allocated: trace(entry.stacks.allocated), suppression: "")
    finding.freed = trace(entry.stacks.freed)
    finding.detected = trace(entry.stacks.detected)
    finding.fault = entry.key.map { Finding.Fault(functions: $0) }
    let parties = Ownership.Parties(
      owner: entry.owner?.frame, producer: entry.producer?.frame, consumer: entry.consumer?.frame)
    add(finding, finding.primaryFrame(by: entry.rule.flatMap(Ownership.Rule.init), parties))
  }
}
