// The performance targets that this project has set itself, and whether the figures meet them.

extension BenchmarkRunner {
  /// Measures what the targets need and the chosen topics did not.
  func measureForTargets(_ topics: [Topic]) {
    let needed: [Topic] = [
      .stacks, .sites, .depth, .threads, .live, .alive, .leaks, .startup, .heap,
    ]
    for topic in needed where !topics.contains(topic) && !isShort { measure(topic) }
  }

  /// Returns all targets with the figures.
  func targets() -> Table {
    var table = Table(
      title: "Performance targets",
      head: [
        "workload", "preloaded +fp", "preloaded −fp", "linked +fp", "linked −fp", "target", "met",
      ])
    let lsan = Tool.leakSanitizerName
    let rows =
      [
        against(.oneSite, .leaks, lsan, 0.6),
        against(.oneSite, .leaks, Tool.heaptrackName, 0.12),
        against(.oneSite, .leaks, Tool.memcheckName, 0.05),
        against(.oneSite, .full, Tool.addressSanitizerName, 0.3),
        against(.oneSite, .full, lsan, 1),
        against(.functions, .leaks, lsan, 1),
        against(.paths, .leaks, lsan, 1),
        against(.deep, .leaks, lsan, 0.6),
      ]
      + Level.allCases.filter(\.isKnown).flatMap {
        [
          speedup($0), memory($0), threadMemory($0), startUp($0),
        ]
      }
      + [heap(), switchedOff()] + reports()
    table.rows = rows.map(\.cells)
    table.notes = [
      "Medians of the rounds' ratios and differences. A ratio is against the peer on the same code. "
        + "Where the peer's stacks are cut there (see the frames shown), it is against the peer on "
        + "code with frame pointers, where they are not, and the ratio on the same code follows in "
        + "brackets. Met means: in each column.",
      "–: not measured.",
    ]
    return table
  }

  /// A line of the table of targets.
  private struct Target {
    let name: String
    /// Preloaded with and without frame pointers, then linked.
    let figures: [Double?]
    var remarks: [String] = ["", "", "", ""]
    let limit: Double
    var limitText: String
    var isMinimum = false
    /// The count of the four columns that are needed.
    var expected = 4

    var cells: [String] {
      let known = figures.compactMap { $0 }
      let isMet = known.allSatisfy { isMinimum ? $0 >= limit : $0 <= limit }
      let verdict = !isMet ? "not met" : known.count < expected ? "not measured" : "met"
      let shown = figures.indices.map { (figures[$0]?.short ?? "–") + remarks[$0] }
      return [name] + shown + [limitText, verdict]
    }
  }

  private var columns: [(isLinked: Bool, frames: Frames)] {
    [(false, .kept), (false, .omitted), (true, .kept), (true, .omitted)]
  }

  private func tracked(_ isLinked: Bool, _ level: Level) -> Tool {
    isLinked ? .linked(level) : .preloaded(level)
  }

  private func against(
    _ workload: Workload, _ level: Level, _ peerName: String, _ limit: Double
  ) -> Target {
    let peer = tool(named: peerName)
    var remarks: [String] = []
    let figures = columns.map { isLinked, frames -> Double? in
      remarks.append("")
      guard let peer else { return nil }
      let own = Key(workload: workload, tool: tracked(isLinked, level), frames: frames)
      let same = median(own, Key(workload: workload, tool: peer, frames: frames), /)
      guard frames == .omitted && isCut(peer, .omitted) && !isCut(peer, .kept) else { return same }
      remarks[remarks.count - 1] = same.map { " [\($0.short)]" } ?? ""
      return median(own, Key(workload: workload, tool: peer, frames: .kept), /)
    }
    return Target(
      name: "\(workload.name), \(level.rawValue), against \(peerName)", figures: figures,
      remarks: remarks, limit: limit, limitText: "≤ \(limit.short) ×")
  }

  private func speedup(_ level: Level) -> Target {
    var remarks: [String] = []
    let figures = columns.map { isLinked, frames -> Double? in
      // On a machine that is busy, or whose processors share a core, no tool scales.
      remarks.append(throughputOfTwo(.plain, frames).map { " [\($0.short)]" } ?? "")
      return throughputOfTwo(tracked(isLinked, level), frames)
    }
    return Target(
      name: "throughput of 2 threads against 1, \(level.rawValue) [plain's]", figures: figures,
      remarks: remarks, limit: 1.7, limitText: "≥ 1.7 ×", isMinimum: true)
  }

  /// Returns the pairs of two threads divided by those of one thread in the same time.
  private func throughputOfTwo(_ tool: Tool, _ frames: Frames) -> Double? {
    median(
      Key(workload: .oneThread, tool: tool, frames: frames),
      Key(workload: .twoThreads, tool: tool, frames: frames), /)
  }

  private func memory(_ level: Level) -> Target {
    let figures = columns.map { isLinked, frames -> Double? in
      frames == .omitted ? difference(.live, tracked(isLinked, level), frames) : nil
    }
    return Target(
      name: "resident bytes per string beyond plain's, \(level.rawValue)", figures: figures,
      limit: 56, limitText: "≤ 56 bytes", expected: 2)
  }

  private func threadMemory(_ level: Level) -> Target {
    let figures = columns.map { isLinked, frames -> Double? in
      frames == .omitted ? difference(.alive, tracked(isLinked, level), frames) : nil
    }
    return Target(
      name: "resident KiB per thread beyond plain's, \(level.rawValue)", figures: figures,
      limit: 64, limitText: "≤ 64 KiB", expected: 2)
  }

  private func startUp(_ level: Level) -> Target {
    let alone = Tool.preloadAlone(level, stores: "")
    return difference(
      "start and end of an empty program, preload alone, \(level.rawValue)", .empty, alone, 6,
      "≤ plain + 6 ms", isLinked: false)
  }

  private func heap() -> Target {
    difference(
      "malloc and free without BSTRs", .heap, .preloaded(.full), 3, "≤ plain + 3 ns",
      isLinked: false)
  }

  private func switchedOff() -> Target {
    let figures = columns.map { isLinked, frames -> Double? in
      isLinked ? difference(.oneSite, .linkedOff, frames) : nil
    }
    return Target(
      name: "switched off, one site, beyond plain's ns", figures: figures, limit: 2,
      limitText: "≤ plain + 2 ns", expected: 2)
  }

  private func difference(
    _ name: String, _ workload: Workload, _ tool: Tool, _ limit: Double,
    _ limitText: String, isLinked: Bool
  ) -> Target {
    let figures = columns.map { column -> Double? in
      column.isLinked == isLinked && column.frames == .omitted
        ? difference(workload, tool, .omitted) : nil
    }
    return Target(
      name: name, figures: figures, limit: limit, limitText: limitText, expected: 1)
  }

  /// Returns the time or memory of a workload beyond the plain program.
  private func difference(
    _ workload: Workload, _ tool: Tool, _ frames: Frames
  ) -> Double? {
    median(
      Key(workload: workload, tool: tool, frames: frames),
      Key(workload: workload, tool: .plain, frames: frames), -)
  }

  private func reports() -> [Target] {
    leakReports.filter { $0.isReportAlone && !isShort }.flatMap { report in
      [
        Target(
          name: "\(report.name) on 1,000,000 leaks, s",
          figures: [report.seconds ?? .infinity, nil, nil, nil], limit: 3, limitText: "≤ 3 s",
          expected: 1),
        Target(
          name: "\(report.name) on 1,000,000 leaks, MiB",
          figures: [Double(report.peakKilobytes) / 1024, nil, nil, nil], limit: 300,
          limitText: "≤ 300 MiB", expected: 1),
      ]
    }
  }
}
