// The trait that fails the test which leaks. Works for parallel tests: each runs in a scope of its
// own.

@_exported public import BSTRScopes
public import Testing

/// Fails a test, or each test of a suite, that leaves BSTRs behind or frees some wrongly.
///
/// ```swift
/// @Test(.noBSTRLeaks) func title() { … }
/// @Suite(.noBSTRLeaks(allowing: .functions("Cache::load"))) struct WindowTests { … }
/// ```
///
/// Each case of a parameterised test is looked at by itself. The report is the issue's message and
/// is attached to the test as `bstr-leaks.txt`.
public struct NoBSTRLeaks: TestTrait, SuiteTrait, TestScoping {
  /// What may be left behind.
  public var allowance: LeakAllowance
  /// Whether what is left behind is a failure or a warning.
  public var severity: Issue.Severity
  /// How often each test is run, at least once; with more than one, what only the first run leaves
  /// behind is taken for a cache and is none.
  public var runs: Int

  /// A suite's tests each have a scope.
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
  /// No BSTR may be left behind.
  public static var noBSTRLeaks: NoBSTRLeaks { noBSTRLeaks() }

  /// No BSTR may be left behind, but what is allowed.
  ///
  /// - Parameters:
  ///   - allowance: what may be left behind.
  ///   - severity: `.warning` tells of leaks and lets the test pass.
  ///   - runs: how often each test is run, to tell a leak that grows from a cache that is filled
  ///     once.
  public static func noBSTRLeaks(
    allowing allowance: LeakAllowance = .nothing, severity: Issue.Severity = .error, runs: Int = 1
  ) -> NoBSTRLeaks {
    NoBSTRLeaks(allowance: allowance, severity: severity, runs: runs)
  }
}
