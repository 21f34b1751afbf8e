// The report on a million leaks from 10,000 stacks: its time and memory.

import FoundationEssentials

/// The time and memory of a tool's report on a million leaks.
struct ReportTiming {
  let name: String
  /// `nil` when it took too long.
  let seconds: Double?
  let peakKilobytes: Int
  /// Whether it is this project's report from a kept store, without the run.
  let isReportAlone: Bool
}

extension BenchmarkRunner {
  /// The maximum time that a tool has for run and report, in seconds.
  static let timeout = 60.0

  /// Times this project's report from a store, and each tool's run and report together.
  ///
  /// The code has frame pointers: a tool that is quick because it saw no stacks has little to
  /// report.
  func reportLeaks() -> [ReportTiming] {
    note("leaks: \(leakCount) strings")
    var reports: [ReportTiming] = []
    for level in Level.allCases where level.isKnown {
      let command = "\(Machine.products)/bstrtrace"
      let store = "\(temporary)/leaks-\(level.rawValue).store"
      guard let program = try? programs.path(of: "workload", for: .plain, .kept) else {
        continue
      }
      let run = [command, "run", "--error-exitcode", "0", "--output", "/dev/null"]
      _ = try? Child(
        run + level.flags + ["--keep-store", store, "--", program] + leaks, in: temporary,
        timeout: Self.timeout)
      let text = "\(temporary)/report.txt"
      let children = (0..<rounds).compactMap { _ in
        try? Child(
          [command, "report", "--error-exitcode", "0", "--output", text, store], in: temporary,
          timeout: Self.timeout)
      }
      let report = (try? String(contentsOfFile: text, encoding: .utf8)) ?? ""
      // Nothing is quicker than a report that failed.
      guard report.contains("(\(leakCount) BSTRs"), children.allSatisfy({ $0.status == 0 }) else {
        complain("bstrtrace report did not report \(leakCount) leaks")
        continue
      }
      append("bstrtrace report\(level.suffix)", children, isReportAlone: true, to: &reports)
    }
    for tool in tools where tool != .linkedOff {
      guard let program = try? programs.path(of: "workload", for: tool.linkage, .kept)
      else { continue }
      let child = try? Child(
        tool.prefix + [program] + leaks, environment: tool.environment, in: temporary,
        timeout: Self.timeout)
      append(
        "\(tool.name), run and report", child.map { [$0] } ?? [], isReportAlone: false,
        to: &reports)
    }
    return reports
  }

  private var leakCount: Int { isShort ? 100_000 : 1_000_000 }
  private var leaks: [String] { ["leaks", "count=\(leakCount)"] }

  /// Keeps the median of the runs.
  private func append(
    _ name: String, _ children: [Child], isReportAlone: Bool, to reports: inout [ReportTiming]
  ) {
    let sorted = children.sorted { $0.seconds < $1.seconds }
    guard !sorted.isEmpty else { return }
    let child = sorted[sorted.count / 2]
    reports.append(
      ReportTiming(
        name: name, seconds: child.hasTimedOut ? nil : child.seconds,
        peakKilobytes: child.peakKilobytes, isReportAlone: isReportAlone))
  }
}
