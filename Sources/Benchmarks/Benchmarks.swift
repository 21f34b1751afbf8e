// The command line of the benchmark. Workload.swift defines what is measured, Tool.swift with which
// tools.

import ArgumentParser
import Glibc

/// Measures the cost of BSTRs with this project and with its peers.
@main
struct Benchmarks: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare the cost of BSTRs under bstrtrace and its peers, in one run.",
    discussion: """
      Every workload is run with every tool in turn, round after round; medians are shown, \
      and how many times the plain program's they are. Peers that are not installed are named \
      with their Debian package. Docs/PerformanceRuns.md explains how to read the tables.

      Build everything first: swift build -c release
      """)

  @Flag(help: "One round of a few short workloads, within a minute: for CI, not for figures.")
  var short = false

  @Option(
    parsing: .upToNextOption,
    help: "Make these tables only.")
  var only: [Topic] = []

  @Option(help: "Rounds per workload (default: 5, or 1 with --short).")
  var rounds: Int?

  @Flag(help: "End with the project's performance targets, and whether they are met.")
  var bars = false

  @Option(help: "Measure nothing: unwind this many unwind-cache hits again in full, and compare.")
  var soak: Int?

  func validate() throws {
    if let rounds, rounds < 1 { throw ValidationError("--rounds must be 1 or more.") }
  }

  func run() throws {
    do {
      let runner = try BenchmarkRunner(rounds: rounds ?? (short ? 1 : 5), isShort: short)
      defer { runner.removeFiles() }
      if let soak {
        guard try runner.soak(hits: soak) else { throw ExitCode.failure }
        return
      }
      let topics = Topic.allCases.filter { only.isEmpty ? !short || $0.isShort : only.contains($0) }
      print(runner.description)
      for topic in topics {
        runner.measure(topic)
        for table in runner.tables(for: topic) { print(table) }
        // Where the output goes to a file, it can be read while the benchmark runs.
        fflush(nil)
      }
      if bars {
        runner.measureForTargets(topics)
        print(runner.targets())
      }
      if !runner.complaints.isEmpty { print("\nFailed:\n") }
      for complaint in runner.complaints { print("- \(complaint)") }
    } catch let failure as Failure {
      print("Benchmarks: \(failure.description)")
      throw ExitCode.failure
    }
  }
}

/// The reason why nothing could be measured.
struct Failure: Error, CustomStringConvertible {
  let description: String
}
