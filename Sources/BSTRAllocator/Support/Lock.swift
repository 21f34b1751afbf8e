// Defines the allocator's lock. Not Synchronization.Mutex: on Linux it remembers the thread that
// holds it, and traps in a forked child that finds it held.

import CTracker

/// A mutex that a forked child can reset.
@safe
struct Lock: ~Copyable {
  private let lock: UnsafeMutablePointer<ct_lock>

  /// The count of locks that fill a cache line, so that neighbouring locks share none.
  private static let locksPerLine = 64 / MemoryLayout<ct_lock>.stride

  init() {
    unsafe lock = .allocate(capacity: Self.locksPerLine)
    unsafe lock.initialize(repeating: ct_lock(), count: Self.locksPerLine)
  }

  /// Takes the lock.
  ///
  /// Caller holds the recursion guard, so that no fork finds the lock held.
  ///
  /// - Returns: whether another thread held it.
  @inline(__always) @discardableResult
  func acquire() -> Bool {
    unsafe ct_lock_acquire(lock)
  }

  /// Releases the lock, which the caller holds.
  @inline(__always)
  func release() {
    unsafe ct_lock_release(lock)
  }

  /// Resets the lock to free.
  ///
  /// Only in a forked child, whose other threads are gone.
  func renewInForkedChild() {
    unsafe lock.pointee = ct_lock()
  }
}
