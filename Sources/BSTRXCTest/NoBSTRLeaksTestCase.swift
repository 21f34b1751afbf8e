// XCTest: test cases and blocks that must not leak BSTRs.

@_exported public import BSTRScopes
public import XCTest

/// A test case each of whose tests fails when it leaks BSTRs or frees some wrongly; its set-up and
/// tear-down are part of it.
open class NoBSTRLeaksTestCase: XCTestCase {
  /// The findings that tests may have; none, unless this is overridden.
  open var allowedBSTRLeaks: LeakAllowance { .nothing }

  /// Runs set-up, test and tear-down in a scope.
  open override func invokeTest() {
    let scope = LeakScope(name)
    scope.enter { super.invokeTest() }
    if let report = scope.end(allowing: allowedBSTRLeaks) {
      XCTFail("\(name) \(report.summary).\n\(report.text)")
    }
  }
}

/// Fails when `body` leaks BSTRs or frees some wrongly.
///
/// - Parameters:
///   - message: precedes the report.
///   - allowance: the findings that are allowed.
/// - Returns: what `body` returns.
/// - Throws: what `body` throws.
@discardableResult
public func XCTAssertNoBSTRLeaks<Result>(
  _ message: @autoclosure () -> String = "", allowing allowance: LeakAllowance = .nothing,
  file: StaticString = #filePath, line: UInt = #line, _ body: () throws -> Result
) rethrows -> Result {
  let path = "\(file)"
  let scope = LeakScope("\(path.split(separator: "/").last ?? "?"):\(line)")
  defer {
    if let report = scope.end(allowing: allowance) {
      let message = message()
      XCTFail(
        "\(message)\(message.isEmpty ? "" : ": ")the block \(report.summary).\n\(report.text)",
        file: file, line: line)
    }
  }
  return try scope.enter(body)
}
