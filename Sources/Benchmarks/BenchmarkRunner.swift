// Runs workloads with tools, round after round, and keeps the figures. Does not print tables:
// those are in BenchmarkRunner+Tables.swift.

import FoundationEssentials
import Glibc

/// The figures of one run of the benchmark.
final class BenchmarkRunner {
  /// A workload with a tool, in one build.
  struct Key: Hashable {
    let workload: Workload
    let tool: Tool
    let frames: Frames
  }

  /// The count of runs of each workload with each tool.
  let rounds: Int
  /// Whether the run only checks that everything works, without useful figures.
  let isShort: Bool
  /// The tools that take part, in the order of the tables.
  let tools: [Tool]
  /// The tools that cannot take part.
  let absent: [MissingTool]
  /// The folder of all files that are written, which is removed at the end.
  let temporary: String
  /// The measured programs.
  let programs: Programs
  /// One figure for each round; `nil` for a run that failed.
  private(set) var figures: [Key: [Double?]] = [:]
  /// The count of frames that each tool showed of one leak.
  private(set) var stackChecks: [StackCheck] = []
  /// The time and memory that each tool took for a million leaks.
  private(set) var leakReports: [ReportTiming] = []
  /// Runs that failed, and the reasons; they have no figure.
  private(set) var complaints: [String] = []
  private var runs = 0

  /// Finds the project's products and the peers.
  init(rounds: Int, isShort: Bool) throws {
    let libraries = ["preload", "tracker", "linked"].map { "libbstrtrace-\($0).so" }
    for product in ["bstrtrace"] + libraries {
      guard access("\(Machine.products)/\(product)", R_OK) == 0 else {
        throw Failure(
          description: "'\(product)' is not in '\(Machine.products)': swift build -c release")
      }
    }
    var template = Array("/tmp/bstrtrace-benchmarks-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw Failure(description: "cannot make a folder in /tmp")
    }
    temporary = String(
      decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    for name in ["stores", "programs"] {
      try FileManager.default.createDirectory(
        atPath: "\(temporary)/\(name)", withIntermediateDirectories: true)
    }
    // Peers leave files where they run.
    _ = chdir(temporary)
    programs = Programs(folder: "\(temporary)/programs")
    (tools, absent) = Tool.all(temporary: temporary)
    self.rounds = rounds
    self.isShort = isShort
  }

  /// Removes all files that were written.
  func removeFiles() { try? FileManager.default.removeItem(atPath: temporary) }

  /// Returns the tools that take part in a topic.
  func tools(for topic: Topic) -> [Tool] {
    switch topic {
    case .startup:
      let alone = Level.allCases.filter(\.isKnown)
        .map { Tool.preloadAlone($0, stores: "\(temporary)/stores") }
      return [.plain] + alone + tools.dropFirst()
    case .sevenzip:
      // Debian's program cannot be linked with a tool.
      return tools.filter { $0.linkage == .plain }
    case .options:
      return [.plain] + Tool.withOptions
    case .alive:
      // It has room for 500 threads.
      return tools.filter { $0.name != Tool.memcheckName }
    case .stacks, .sites, .depth, .sizes, .threads, .live, .leaks, .heap:
      return tools
    }
  }

  /// Returns the workloads of a topic.
  func workloads(of topic: Topic) -> [Workload] {
    isShort ? Array(topic.workloads.prefix(1)) : topic.workloads
  }

  /// Returns the builds in which a topic is measured.
  func builds(for topic: Topic) -> [Frames] {
    switch topic {
    case .startup, .sevenzip, .heap, .live, .alive: [.omitted]
    case .leaks, .options: [.kept]
    case .stacks, .sites, .depth, .sizes, .threads: Frames.allCases
    }
  }

  /// Measures what a topic needs and has not been measured yet.
  func measure(_ topic: Topic) {
    if (topic == .stacks || topic.hasStacks) && stackChecks.isEmpty { stackChecks = checkStacks() }
    if topic == .leaks { leakReports = reportLeaks() }
    if topic == .sevenzip && !prepareSevenZip() { return }
    let keys = workloads(of: topic).flatMap { workload in
      builds(for: topic).flatMap { frames in
        tools(for: topic).map { Key(workload: workload, tool: $0, frames: frames) }
      }
    }
    .filter { figures[$0] == nil }
    let rounds = rounds(of: topic)
    for round in 0..<rounds {
      note("\(topic.rawValue): round \(round + 1) of \(rounds)")
      for key in keys { figures[key, default: []].append(measure(key)) }
    }
  }

  /// Returns the median of a key's rounds.
  func median(_ workload: Workload, _ tool: Tool, _ frames: Frames) -> Double? {
    let key = Key(workload: workload, tool: tool, frames: frames)
    return Self.median(figures[key]?.compactMap { $0 } ?? [])
  }

  /// Returns the median over the rounds of what `combine` makes of two keys' figures of one round.
  ///
  /// A machine that is slow for a while is slow for both.
  func median(_ one: Key, _ other: Key, _ combine: (Double, Double) -> Double) -> Double? {
    guard let ones = figures[one], let others = figures[other] else { return nil }
    return Self.median(
      zip(ones, others).compactMap { one, other in
        guard let one, let other else { return nil }
        return combine(one, other)
      })
  }

  private static func median(_ values: [Double]) -> Double? {
    if values.isEmpty { return nil }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }

  /// Returns a tool that takes part.
  func tool(named name: String) -> Tool? { tools.first { $0.name == name } }

  /// Writes progress to standard error.
  func note(_ text: String) {
    let line = "\(text)\n"
    write(STDERR_FILENO, line, line.utf8.count)
  }

  /// Records a failure, once.
  func complain(_ text: String) {
    guard !complaints.contains(text) else { return }
    complaints.append(text)
    note(text)
  }

  private func rounds(of topic: Topic) -> Int {
    switch topic {
    // A process is so short that the scheduler influences its time.
    case .startup where !isShort: rounds * 4
    // Memory is the same each time.
    case .live, .alive: 1
    default: rounds
    }
  }

  private func measure(_ key: Key) -> Double? {
    do {
      let child = try run(key)
      if child.hasTimedOut { throw Failure(description: "took more than 60 s") }
      switch key.workload.figure {
      case .milliseconds where child.status == 0: return child.seconds * 1000
      case .printed(let name):
        if let figure = child.printed(name) { return figure }
        fallthrough
      case .milliseconds:
        throw Failure(description: "ended badly: \(child.errors.suffix(200))")
      }
    } catch {
      complain("\(key.workload.name), \(key.tool.name), \(key.frames.sign): \(error)")
      return nil
    }
  }

  private func run(_ key: Key) throws -> Child {
    runs += 1
    let command: [String]
    switch key.workload.program {
    case .own(let name, let arguments):
      let path = try programs.path(of: name, for: key.tool.linkage, key.frames)
      let seconds = isShort ? "0.03" : "0.1"
      let warmUp = key.tool.isSlowAtFirst && !isShort ? "0.5" : "0.025"
      let more = [
        "workload": ["seconds=\(seconds)", "warm-up=\(warmUp)"], "heap": [seconds, warmUp],
      ]
      command = [path] + arguments + (more[name] ?? [])
    case .sevenZip(let arguments):
      guard let path = Machine.sevenZip else { throw Failure(description: "7z is not installed") }
      command =
        [path]
        + arguments.map { $0.replacing("FRESH", with: "\(temporary)/fresh-\(runs)") }
    }
    return try Child(
      key.tool.prefix + command, environment: key.tool.environment, in: temporary)
  }

  /// Makes the files that 7z packs; returns whether there is a 7z.
  private func prepareSevenZip() -> Bool {
    guard let path = Machine.sevenZip else {
      complain("7z is not installed: apt-get install p7zip-full")
      return false
    }
    let folder = "\(temporary)/input"
    guard access(folder, F_OK) != 0 else { return true }
    try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    var random: UInt32 = 2_463_534_242
    for number in 0..<200 {
      var text = ""
      while text.utf8.count < 40_000 {
        random = random &* 1_664_525 &+ 1_013_904_223
        text += "\(random >> 20) "
      }
      try? Data(text.utf8).write(to: URL(filePath: "\(folder)/\(number).txt"))
    }
    let made = try? Child([path, "a", "-bd", "-mx=1", "archive.7z", "input"], in: temporary)
    return made?.status == 0
  }
}
