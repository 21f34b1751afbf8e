// The figures as tables.

import FoundationEssentials
import Glibc

extension BenchmarkRunner {
  /// The machine and date of the figures, and the tools that are missing.
  var description: String {
    var seconds = time(nil)
    var date = tm()
    gmtime_r(&seconds, &date)
    let month = date.tm_mon + 1
    let day =
      "\(date.tm_year + 1900)-\(month < 10 ? "0" : "")\(month)-"
      + "\(date.tm_mday < 10 ? "0" : "")\(date.tm_mday)"
    var lines = [
      "\(day), \(Machine.processor). Median of \(rounds) interleaved "
        + "\(rounds == 1 ? "round" : "rounds"); in parentheses, how many times the plain program's.",
      "+fp: the measured code keeps frame pointers; −fp: it does not.",
    ]
    if isShort { lines.append("Short runs without warming up: the figures mean nothing.") }
    if !absent.isEmpty { lines.append("\nNot measured:\n") }
    lines += absent.map { "- \($0.name): \($0.reason)" }
    return lines.joined(separator: "\n")
  }

  /// Returns the tables of a topic that was measured.
  func tables(for topic: Topic) -> [Table] {
    switch topic {
    case .stacks: [stackTable(topic)]
    case .leaks: [leakTable(topic)]
    case .sites, .depth, .sizes, .threads, .live, .alive, .startup, .heap, .sevenzip,
      .options:
      [table(topic)]
    }
  }

  private func table(_ topic: Topic) -> Table {
    let builds = builds(for: topic)
    let columns = builds.flatMap { frames in workloads(of: topic).map { ($0, frames) } }
    var table = Table(
      title: topic.title,
      head: ["tool"]
        + columns.map { builds.count > 1 ? "\($0.name) \($1.sign)" : $0.name })
    for tool in tools(for: topic) {
      table.rows.append(
        [tool.name] + columns.map { cell($0, tool, $1, topic) })
    }
    if table.rows.joined().contains(where: { $0.hasSuffix("*") }) {
      table.notes.append("\\* Its stacks are cut or wrong in this build: see the frames shown.")
    }
    return table
  }

  private func cell(
    _ workload: Workload, _ tool: Tool, _ frames: Frames, _ topic: Topic
  ) -> String {
    guard let figure = median(workload, tool, frames) else { return "–" }
    guard let plain = median(workload, .plain, frames) else { return figure.short }
    let ratio = tool == .plain ? "" : " (\((figure / plain).short))"
    return "\(figure.short)\(ratio)\(topic.hasStacks && isCut(tool, frames) ? " *" : "")"
  }

  /// Returns whether a tool was seen to show fewer frames than there are.
  func isCut(_ tool: Tool, _ frames: Frames) -> Bool {
    framesShown(tool, frames).map { $0 < 18 } ?? false
  }

  private func stackTable(_ topic: Topic) -> Table {
    var table = Table(title: topic.title, head: ["tool", "+fp", "−fp"])
    for tool in tools where tool != .plain && tool != .linkedOff {
      let shown = Frames.allCases.map { framesShown(tool, $0).map(String.init) ?? "–" }
      table.rows.append([tool.name] + shown)
    }
    table.notes.append(
      "Each with its own default of how many frames it keeps. Deeper stacks are cut there: LSan and "
        + "ASan at 30, memcheck at 12, gperftools at 32, heaptrack and this project at 64.")
    return table
  }

  private func leakTable(_ topic: Topic) -> Table {
    var table = Table(title: topic.title, head: ["what", "seconds", "peak MiB"])
    for report in leakReports {
      table.rows.append([
        report.name, report.seconds?.short ?? "> \(Self.timeout.short)",
        "\(report.peakKilobytes / 1024)",
      ])
    }
    return table
  }
}
