// The choice of allocations that are made to fail, so that the program's error paths can be
// checked. Does not allocate.

import Synchronization
import TraceOptions

/// A count of attempts to allocate, which decides which of them fail.
struct AllocationFailures: ~Copyable {
  private let failures: AllocationFailure?
  private let attempts = Atomic<UInt64>(0)

  init(_ failures: AllocationFailure?) { self.failures = failures }

  /// Whether none is ever made to fail.
  @inline(__always)
  var isNone: Bool { failures == nil }

  /// Counts an attempt.
  ///
  /// - Returns: its count, from 1, when it is to fail.
  func next() -> UInt64? {
    guard let failures else { return nil }
    let count = attempts.add(1, ordering: .relaxed).newValue
    return failures.concerns(count) ? count : nil
  }

  /// Counts from the start again.
  func renewInForkedChild() { attempts.store(0, ordering: .relaxed) }
}
