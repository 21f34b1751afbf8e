import Foundation
import Testing

/// Programs that have the functions inside them, hidden, are traced with `--inside` as those are that
/// have them in a library.
///
/// `BSTRTRACE_HIDDEN=all` builds them in all ways.
@Suite struct HiddenTests {
  /// A way of building.
  struct Build: CustomTestStringConvertible, Sendable {
    var isClang: Bool
    var flags: [String]

    var testDescription: String { ([isClang ? "clang" : "gcc"] + flags).joined(separator: " ") }

    var compilers: Scenario.Compilers {
      let (c, cpp) = isClang ? Scenario.clang : Scenario.gcc
      return (c + flags, cpp + flags)
    }
    /// Whether lines, frames and destructors are as the scenarios state them.
    var isPlain: Bool { !isClang && flags.contains("-O0") }

    static let all: [Build] = [false, true].flatMap { isClang in
      [["-O0"], ["-O1"], ["-O2"], ["-O2", "-flto"]].flatMap { level in
        ["-fcf-protection=full", "-fcf-protection=none"].map { protection in
          Build(isClang: isClang, flags: level + [protection])
        }
      }
    }
  }

  private static let isFull = ProcessInfo.processInfo.environment["BSTRTRACE_HIDDEN"] == "all"

  /// A program whose functions have a heap of their own, and are not replaced, and one whose library
  /// has other functions.
  private static let others: Set = ["own_heap.c", "provider_opened.c"]

  /// Those that have functions of their own in any mode.
  static let scenarios = ScenarioTests.chosen.filter { scenario in
    scenario.mode == .preloaded && scenario.unseen ?? [] == []
      && !others.contains(scenario.file.lastPathComponent)
      && scenario.file.pathExtension != "swift"
  }

  /// All as the source has them, by gcc.
  @Test(.enabled(if: !isFull), arguments: scenarios) func findsTheSame(
    _ scenario: Scenario
  ) throws {
    try expectTheSame(scenario, Build.all[0])
  }

  /// Some, optimised, by clang.
  @Test(
    .enabled(if: !isFull),
    arguments: scenarios.enumerated().filter { $0.offset % 16 == 0 }.map(\.element))
  func findsTheSameByClang(_ scenario: Scenario) throws {
    try expectTheSame(
      scenario, Build(isClang: true, flags: ["-O2", "-fcf-protection=full"]))
  }

  /// All of them, in all ways.
  @Test(.enabled(if: isFull, "BSTRTRACE_HIDDEN is not all"), arguments: scenarios, Build.all)
  func findsTheSameInAllWays(_ scenario: Scenario, _ build: Build) throws {
    try expectTheSame(scenario, build)
  }

  private func expectTheSame(_ scenario: Scenario, _ build: Build) throws {
    var hidden = scenario
    hidden.mode = .hidden
    // The folder is in search paths, of which colons and spaces are no part.
    let row = build.testDescription.replacing(" ", with: "")
    let name = "\(hidden.testDescription)-\(row)"
    let (command, report) = try hidden.run(in: name, compilers: build.compilers)
    // Those that the program frees in a way of its own.
    let unseen = report.processes.flatMap(\.coverage).filter { $0.reason != "foreign-frees" }
    #expect(unseen.isEmpty, "\(unseen)")
    if build.isPlain {
      guard hidden.pending == nil else { return }
      return hidden.expect(report, command)
    }
    if hidden.isTwin { #expect(report.findings.isEmpty, "\(report.findings)") }
    let preloaded = try scenario.run(
      in: "\(scenario.testDescription)-\(row)", compilers: build.compilers)
    #expect(command.status == preloaded.command.status)
    #expect(
      report.findings.map(Facts.init) == preloaded.report.findings.map(Facts.init), "\(command)")
  }

  /// What two reports of one program have in common.
  struct Facts: Equatable {
    var kind: String
    var detail: String?
    var counts: [Int]
    var rule: String?
    var message: String
    var parties: [String?]

    init(_ finding: Traced.Report.Finding) {
      kind = finding.kind
      detail = finding.detail
      counts = [finding.count, finding.bytes]
      rule = finding.rule
      // Without offsets in the program, and ids of threads.
      message = finding.message.replacing(/\+0x[0-9a-f]+|thread [0-9]+/, with: "")
      parties = [finding.owner, finding.producer, finding.consumer].map { frame in
        frame.map { "\($0.function ?? "?"):\($0.line ?? 0)" }
      }
    }
  }
}
