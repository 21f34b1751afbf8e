// Spans of Swift code whose BSTRs must all be gone when they end. A scope belongs to a task, not to
// a thread: what is allocated in it is known by the task that allocates.

import BSTRAllocator
import BSTRReporter
import CBSTR
public import TraceStore

/// Runs `body`, and throws a `LeakReport` when it leaves BSTRs behind or frees some wrongly.
///
/// Strings count in the scope of the task that allocates them. A scope is passed on to child tasks,
/// task groups, the actors they call and `Task { }`; not to `Task.detached`, nor to work on
/// dispatch queues and other threads. Of nested scopes a leak counts in the innermost.
///
/// - Parameters:
///   - name: what reports call it.
///   - allowance: what may be left behind.
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

/// Runs `body`, and throws a `LeakReport` when it leaves BSTRs behind or frees some wrongly.
///
/// As the function for synchronous code. Tasks that `body` starts and does not wait for may still
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

/// Runs `body`; what it allocates is no leak.
public func withLeaksIgnored<Result>(_ body: () throws -> Result) rethrows -> Result {
  try TaskScope.with(.ignored, body)
}

/// Runs `body`; what it allocates, and the child tasks it starts, is no leak.
public func withLeaksIgnored<Result>(
  isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Result
) async rethrows -> Result {
  try await TaskScope.with(.ignored, isolation: isolation, body)
}

/// A scope by itself, for those who build test kits; others use `withLeakScope`.
public struct LeakScope: Sendable {
  /// Its number in the store; `.none` when nothing is recorded.
  public let id: ScopeID
  /// What reports call it.
  public let name: String

  /// Begins a scope, which nobody is in yet.
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
  /// - Returns: what is left of it beyond what is allowed, or `nil`.
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

  /// Ends the scope of a body that has thrown something else, which matters more.
  fileprivate func endAndPrint(_ allowance: LeakAllowance) {
    end(allowing: allowance)?.write()
  }
}

/// The scope that a task carries.
private enum TaskScope {
  @TaskLocal static var number: UInt32 = 0

  /// Says to the tracker how to ask; once.
  private static let isAsked: Void = TaskScopes.ask { number }

  static func with<Result>(_ scope: ScopeID, _ body: () throws -> Result) rethrows -> Result {
    guard scope != .none else { return try body() }
    _ = isAsked
    return try $number.withValue(scope.rawValue, operation: body)
  }

  static func with<Result>(
    _ scope: ScopeID, isolation: isolated (any Actor)?, _ body: () async throws -> Result
  ) async rethrows -> Result {
    guard scope != .none else { return try await body() }
    _ = isAsked
    return try await $number.withValue(scope.rawValue, operation: body, isolation: isolation)
  }
}
