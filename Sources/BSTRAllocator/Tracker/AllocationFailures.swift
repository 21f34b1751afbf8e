// Which allocations are made to fail, so that the paths behind a failure can be checked. Does not
// allocate.

import Synchronization
import TraceOptions

/// Counts attempts to allocate, and says which of them fail.
struct AllocationFailures: ~Copyable {
  private let failures: AllocationFailure?
  private let attempts = Atomic<UInt64>(0)

  init(_ failures: AllocationFailure?) { self.failures = failures }

  /// Whether none is ever made to fail.
  @inline(__always)
  var isNone: Bool { failures == nil }

  /// Counts an attempt.
  ///
  /// - Returns: its number, from 1, when it is to fail.
  func next() -> UInt64? {
    guard let failures else { return nil }
    let number = attempts.add(1, ordering: .relaxed).newValue
    return failures.concerns(number) ? number : nil
  }

  /// Counts from the start again.
  func renewInForkedChild() { attempts.store(0, ordering: .relaxed) }
}
