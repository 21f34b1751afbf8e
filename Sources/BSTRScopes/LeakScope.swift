// Spans of Swift code whose BSTRs must all be freed when they end. A scope belongs to a task, not
// to a thread: a string is in the scope of the task that allocates it.

import BSTRAllocator
import BSTRReporter
import CBSTR
public import TraceStore

/// Runs `body`, and throws a `LeakReport` when it leaks BSTRs or frees some wrongly.
///
/// Strings count in the scope of the task that allocates them. A scope is passed on to child tasks,
/// task groups, the actors they call and `Task { }`; not to `Task.detached`, nor to work on
/// dispatch queues and other threads. Of nested scopes a leak counts in the innermost.
///
/// - Parameters:
///   - name: its name in reports.
///   - allowance: the findings that are allowed.
/// - Returns: what `body` returns. In a program that does not record, nothing else happens.
/// - Throws: what `body` throws, or else a `LeakReport`.
public func withLeakScope<Result>(
  _ name: String, allowing allowance: LeakAllowance = .nothing, _ body: () throws -> Result
) throws -> Result {
  let scope = LeakScope(name)
  let result: Result
  do {
    result = try scope.enter(body)
  } catch {
    scope.endAndPrint(allowance)
    throw error
  }
  if let report = scope.end(allowing: allowance) { throw report }
  return result
}

/// Runs `body`, and throws a `LeakReport` when it leaks BSTRs or frees some wrongly.
///
/// Like the function for synchronous code. Tasks that `body` starts and does not wait for may still
/// have strings when it ends.
public func withLeakScope<Result>(
  _ name: String, allowing allowance: LeakAllowance = .nothing,
  isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Result
) async throws -> Result {
  let scope = LeakScope(name)
  let result: Result
  do {
    result = try await scope.enter(isolation: isolation, body)
  } catch {
    scope.endAndPrint(allowance)
    throw error
  }
  if let report = scope.end(allowing: allowance) { throw report }
  return result
}

/// Runs `body`; strings that it allocates are no leaks.
public func withLeaksIgnored<Result>(_ body: () throws -> Result) rethrows -> Result {
  try TaskScope.with(.ignored, body)
}

/// Runs `body`; strings that it, and the child tasks that it starts, allocate are no leaks.
public func withLeaksIgnored<Result>(
  isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Result
) async rethrows -> Result {
  try await TaskScope.with(.ignored, isolation: isolation, body)
}

/// A scope by itself, for authors of test kits; other code uses `withLeakScope`.
public struct LeakScope: Sendable {
  /// Its id in the store; `.none` when nothing is recorded.
  public let id: ScopeID
  /// Its name in reports.
  public let name: String

  /// Begins a scope, which no code runs in yet.
  public init(_ name: String) {
    self.name = name
    id = TaskScopes.begin(name)
  }

  /// Runs `body` in the scope.
  public func enter<Result>(_ body: () throws -> Result) rethrows -> Result {
    try TaskScope.with(id, body)
  }

  /// Runs `body` in the scope.
  public func enter<Result>(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Result
  ) async rethrows -> Result {
    try await TaskScope.with(id, isolation: isolation, body)
  }

  /// Ends the scope; a second time a message says so.
  ///
  /// - Returns: the findings beyond what is allowed, or `nil`.
  public func end(allowing allowance: LeakAllowance = .nothing) -> LeakReport? {
    guard id != .none else { return nil }
    let left = TaskScopes.end(id)
    guard left.bstrs + left.faults > 0, var report = InProcessReport.make(scope: id) else {
      return nil
    }
    for index in report.processes.indices {
      report.processes[index].findings.removeAll { allowance.covers($0) }
    }
    return report.findings.isEmpty ? nil : LeakReport(scope: name, report: report)
  }

  /// Ends the scope of a body that has thrown another error, which matters more.
  fileprivate func endAndPrint(_ allowance: LeakAllowance) {
    end(allowing: allowance)?.write()
  }
}

/// The scope that a task carries.
private enum TaskScope {
  @TaskLocal static var scopeID: UInt32 = 0

  /// Gives the tracker the function that finds the current scope; once.
  private static let isAsked: Void = TaskScopes.ask { scopeID }

  static func with<Result>(_ scope: ScopeID, _ body: () throws -> Result) rethrows -> Result {
    guard scope != .none else { return try body() }
    _ = isAsked
    return try $scopeID.withValue(scope.rawValue, operation: body)
  }

  static func with<Result>(
    _ scope: ScopeID, isolation: isolated (any Actor)?, _ body: () async throws -> Result
  ) async rethrows -> Result {
    guard scope != .none else { return try await body() }
    _ = isAsked
    return try await $scopeID.withValue(scope.rawValue, operation: body, isolation: isolation)
  }
}
