// The trait that fails the test that leaks. Works for parallel tests: each runs in a scope of its
// own.

@_exported public import BSTRScopes
public import Testing

/// Fails a test, or each test of a suite, that leaks BSTRs or frees some wrongly.
///
/// ```swift
/// @Test(.noBSTRLeaks) func title() { … }
/// @Suite(.noBSTRLeaks(allowing: .functions("Cache::load"))) struct WindowTests { … }
/// ```
///
/// Each case of a parameterised test is checked by itself. The report is the issue's message and is
/// attached to the test as `bstr-leaks.txt`.
public struct NoBSTRLeaks: TestTrait, SuiteTrait, TestScoping {
  /// The findings that are allowed.
  public var allowance: LeakAllowance
  /// Whether a finding is a failure or a warning.
  public var severity: Issue.Severity
  /// The count of runs of each test, at least 1; with more than one, strings that only the first
  /// run leaks are taken for a cache and are allowed.
  public var runs: Int

  /// Whether a suite's tests each have a scope: they do.
  public var isRecursive: Bool { true }

  /// Runs a test in a scope.
  public func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    if runs > 1 {
      let first = LeakScope(test.name)
      defer { _ = first.end() }
      try await first.enter(function)
    }
    let scope = LeakScope(test.name)
    defer {
      if let report = scope.end(allowing: allowance) { record(report, of: test) }
    }
    for _ in 0..<max(1, runs - 1) { try await scope.enter(function) }
  }

  private func record(_ report: LeakReport, of test: Test) {
    Attachment.record(
      report.text, named: "bstr-leaks.txt", sourceLocation: test.sourceLocation)
    let after = runs > 1 ? " in \(runs - 1) more runs after the first" : ""
    Issue.record(
      "\(test.name) \(report.summary)\(after).\n\(report.text)",
      severity: severity, sourceLocation: test.sourceLocation)
  }
}

extension Trait where Self == NoBSTRLeaks {
  /// Allows no leaked BSTR.
  public static var noBSTRLeaks: NoBSTRLeaks { noBSTRLeaks() }

  /// Allows no leaked BSTR but those of an allowance.
  ///
  /// - Parameters:
  ///   - allowance: the findings that are allowed.
  ///   - severity: `.warning` reports leaks and lets the test pass.
  ///   - runs: the count of runs of each test, to distinguish a leak that grows from a cache that
  ///     is filled once.
  public static func noBSTRLeaks(
    allowing allowance: LeakAllowance = .nothing, severity: Issue.Severity = .error, runs: Int = 1
  ) -> NoBSTRLeaks {
    NoBSTRLeaks(allowance: allowance, severity: severity, runs: runs)
  }
}
