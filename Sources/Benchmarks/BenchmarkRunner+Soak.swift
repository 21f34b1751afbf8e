// Walks every stack in full that was recognised, until so many were: about being right, not about
// time.

extension BenchmarkRunner {
  /// What is repeated: stacks that differ in every way that the workloads know.
  private static let soaked: [Workload] = [
    .own("two threads", "threads", "threads=2", "depth=5"),
    .own("freed by the other", "crossfree", "depth=8"),
    .own("1,000 functions", "sites", "depth=6"),
    .own("1,000 paths", "paths", "depth=10"),
    .own("depth 100", "pair", "depth=100"),
  ]

  /// Runs the linked program with `verify-stacks`, one workload after the other, and prints what
  /// came of it.
  ///
  /// - Parameters:
  ///   - hits: recognised stacks that are to be walked.
  ///   - seconds: for each run.
  /// - Returns: whether all were the same.
  func soak(hits: Int, seconds: Int = 20) throws -> Bool {
    var (verified, wrong) = (0, 0)
    while verified < hits {
      for workload in Self.soaked where verified < hits {
        for frames in Frames.allCases {
          let (walked, different) = try verify(workload, frames, seconds)
          verified += walked
          wrong += different
          note("\(workload.name) \(frames.sign): \(walked) walked, \(verified) in all")
        }
      }
    }
    print("\(verified) recognised stacks were walked in full; \(wrong) were not the same.")
    return wrong == 0
  }

  private func verify(
    _ workload: Workload, _ frames: Frames, _ seconds: Int
  ) throws -> (walked: Int, different: Int) {
    guard case .own(let name, let arguments) = workload.program else { return (0, 0) }
    let program = try programs.path(of: name, for: .linked, frames)
    let child = try Child(
      [program] + arguments + ["seconds=\(seconds)"],
      environment: ["BSTRTRACE_OPTIONS": "track=on:verify-stacks=on"], in: temporary,
      timeout: 10 * Double(seconds))
    let line = child.errors.split(separator: "\n")
      .first { $0.contains("recognised stacks were walked in full") }
    guard let line, let walked = Self.number(before: " recognised", in: line) else {
      throw Failure(
        description:
          "'\(name) \(arguments.joined(separator: " "))' verified nothing:\n\(child.errors)")
    }
    return (walked, Self.number(before: " were not the same", in: line) ?? 0)
  }

  private static func number(before text: String, in line: Substring) -> Int? {
    guard let range = line.firstRange(of: text) else { return nil }
    let digits = line[..<range.lowerBound].reversed().prefix { $0.isNumber }
    return Int(String(digits.reversed()))
  }
}
