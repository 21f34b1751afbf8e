// Unwinds every unwind-cache hit again in full, until a count of them is reached: measures
// correctness, not time.

extension BenchmarkRunner {
  /// The workloads that are repeated: stacks that differ in every way that the workloads offer.
  private static let soaked: [Workload] = [
    .own("two threads", "threads", "threads=2", "depth=5"),
    .own("freed by the other", "crossfree", "depth=8"),
    .own("1,000 functions", "sites", "depth=6"),
    .own("1,000 paths", "paths", "depth=10"),
    .own("depth 100", "pair", "depth=100"),
  ]

  /// Runs the linked program with `verify-stacks`, one workload after the other, and prints the
  /// result.
  ///
  /// - Parameters:
  ///   - hits: the count of unwind-cache hits that are to be unwound again.
  ///   - seconds: the time of each run.
  /// - Returns: whether all were the same.
  func soak(hits: Int, seconds: Int = 20) throws -> Bool {
    var (verified, wrong) = (0, 0)
    while verified < hits {
      for workload in Self.soaked where verified < hits {
        for frames in Frames.allCases {
          let (compared, different) = try verify(workload, frames, seconds)
          verified += compared
          wrong += different
          note("\(workload.name) \(frames.sign): \(compared) compared, \(verified) in all")
        }
      }
    }
    print("\(verified) unwind-cache hits were unwound again in full; \(wrong) were not the same.")
    return wrong == 0
  }

  private func verify(
    _ workload: Workload, _ frames: Frames, _ seconds: Int
  ) throws -> (compared: Int, different: Int) {
    guard case .own(let name, let arguments) = workload.program else { return (0, 0) }
    let program = try programs.path(of: name, for: .linked, frames)
    let child = try Child(
      [program] + arguments + ["seconds=\(seconds)"],
      environment: ["BSTRTRACE_OPTIONS": "track=on:verify-stacks=on"], in: temporary,
      timeout: 10 * Double(seconds))
    let line = child.errors.split(separator: "\n")
      .first { $0.contains("unwound again in full") }
    guard let line, let compared = Self.number(before: " unwind-cache hit", in: line) else {
      throw Failure(
        description:
          "'\(name) \(arguments.joined(separator: " "))' verified nothing:\n\(child.errors)")
    }
    return (compared, Self.number(before: " were not the same", in: line) ?? 0)
  }

  private static func number(before text: String, in line: Substring) -> Int? {
    guard let range = line.firstRange(of: text) else { return nil }
    let digits = line[..<range.lowerBound].reversed().prefix { $0.isNumber }
    return Int(String(digits.reversed()))
  }
}
