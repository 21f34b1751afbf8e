// A million leaks from 10,000 stacks: how long the report takes, and how much memory.

import FoundationEssentials

/// What the report of a contender on a million leaks took.
struct LeakReport {
  let name: String
  /// `nil` when it took too long.
  let seconds: Double?
  let peakKilobytes: Int
  /// Whether it is this project's report from a kept store, without the run.
  let isReportAlone: Bool
}

extension Laboratory {
  /// Longest time that a contender has for run and report, in seconds.
  static let patience = 60.0

  /// Lets this project report from a store, and everyone from beginning to end.
  ///
  /// The code has frame pointers: who is quick because it saw no stacks has little to report.
  func reportLeaks() -> [LeakReport] {
    note("leaks: \(leakCount) strings")
    var reports: [LeakReport] = []
    for level in Level.allCases where level.isKnown {
      let command = "\(Machine.products)/bstrtrace"
      let store = "\(temporary)/leaks-\(level.rawValue).store"
      guard let program = try? programs.path(of: "workload", for: .plain, .kept) else {
        continue
      }
      let run = [command, "run", "--error-exitcode", "0", "--output", "/dev/null"]
      _ = try? Child(
        run + level.flags + ["--keep-store", store, "--", program] + leaks, in: temporary,
        timeout: Self.patience)
      let text = "\(temporary)/report.txt"
      let children = (0..<rounds).compactMap { _ in
        try? Child(
          [command, "report", "--error-exitcode", "0", "--output", text, store], in: temporary,
          timeout: Self.patience)
      }
      let report = (try? String(contentsOfFile: text, encoding: .utf8)) ?? ""
      // Nothing is quicker than a report that failed.
      guard report.contains("(\(leakCount) BSTRs"), children.allSatisfy({ $0.status == 0 }) else {
        complain("bstrtrace report did not report \(leakCount) leaks")
        continue
      }
      append("bstrtrace report\(level.suffix)", children, isReportAlone: true, to: &reports)
    }
    for contender in contenders where contender != .linkedOff {
      guard let program = try? programs.path(of: "workload", for: contender.linkage, .kept)
      else { continue }
      let child = try? Child(
        contender.prefix + [program] + leaks, environment: contender.environment, in: temporary,
        timeout: Self.patience)
      append(
        "\(contender.name), run and report", child.map { [$0] } ?? [], isReportAlone: false,
        to: &reports)
    }
    return reports
  }

  private var leakCount: Int { isShort ? 100_000 : 1_000_000 }
  private var leaks: [String] { ["leaks", "count=\(leakCount)"] }

  /// Keeps the median of the runs.
  private func append(
    _ name: String, _ children: [Child], isReportAlone: Bool, to reports: inout [LeakReport]
  ) {
    let sorted = children.sorted { $0.seconds < $1.seconds }
    guard !sorted.isEmpty else { return }
    let child = sorted[sorted.count / 2]
    reports.append(
      LeakReport(
        name: name, seconds: child.hasTimedOut ? nil : child.seconds,
        peakKilobytes: child.peakKilobytes, isReportAlone: isReportAlone))
  }
}
