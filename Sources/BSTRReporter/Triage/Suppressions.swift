// Files of suppression rules: removes findings from a report, and counts them.

/// The rules of one or several files.
public struct Suppressions: Sendable {
  /// A rule with its file and line.
  public struct Entry: Sendable {
    /// The rule.
    public var rule: SuppressionRule
    /// The file's name.
    public var file: String
    /// The line, from 1.
    public var line: Int
  }

  /// The rules, in the order in which they are tried.
  public private(set) var entries: [Entry] = []
  /// Lines that are no rules, in sentences; the others hold.
  public private(set) var problems: [String] = []

  /// No rules.
  public init() {}

  /// Adds the rules of a file.
  ///
  /// - Parameters:
  ///   - text: its content.
  ///   - file: its name, for messages.
  public mutating func add(_ text: String, file: String) {
    for (index, line) in text.split(
      omittingEmptySubsequences: false, whereSeparator: \.isNewline
    ).enumerated() {
      let line = line.trimmed
      if line.isEmpty || line.hasPrefix("#") { continue }
      do throws(SuppressionRule.Problem) {
        let rule = try SuppressionRule(line)
        entries.append(Entry(rule: rule, file: file, line: index + 1))
      } catch {
        problems.append("\(file):\(index + 1): ignored '\(line)': \(error)")
      }
    }
  }

  /// The effect of a rule on a report.
  public struct Use: Sendable {
    /// The rule with its file and line.
    public var entry: Entry
    /// Findings that it silenced.
    public var findings = 0
    /// The count of BSTRs, or faults, in those findings, or of those that exceeded the rule.
    public var count = 0
    /// The reason why the rule needs attention; `nil` when it is in order.
    public var problem: Problem?

    /// The reason why a rule needs attention.
    public enum Problem: String, Sendable {
      /// It matched nothing.
      case unused
      /// Its last day is over: it does not match any more.
      case expired
      /// It matched more than it accepts, and silenced nothing.
      case exceeded
    }
  }

  /// Removes suppressed findings from a report.
  ///
  /// - Parameter today: as `2026-11-25`.
  public func apply(to report: inout Report, today: String) {
    var uses = entries.map { Use(entry: $0) }
    let findings = report.findings
    for index in uses.indices {
      let rule = uses[index].entry.rule
      if let until = rule.until, until < today {
        uses[index].problem = .expired
        continue
      }
      if let max = rule.max {
        let count = findings.filter(rule.covers).reduce(0) { $0 + $1.count }
        if count > max {
          uses[index].problem = .exceeded
          uses[index].count = count
        }
      }
    }
    for process in report.processes.indices {
      report.processes[process].findings.removeAll { finding in
        let first = uses.firstIndex { $0.problem == nil && $0.entry.rule.covers(finding) }
        guard let first else { return false }
        uses[first].findings += 1
        uses[first].count += finding.count
        report.leftOut.append(Report.LeftOut(finding: finding, rule: uses[first].entry.rule))
        return true
      }
    }
    for index in uses.indices where uses[index].problem == nil && uses[index].findings == 0 {
      uses[index].problem = .unused
    }
    report.suppressions = uses
  }
}
