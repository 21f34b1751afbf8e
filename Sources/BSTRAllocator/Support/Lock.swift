// The allocator's lock. Synchronization.Mutex is no choice here: on Linux it remembers the thread
// that holds it, and a forked child that meets a held one traps.

import CTracker

/// A mutex that a forked child can make new.
@safe
struct Lock: ~Copyable {
  private let lock: UnsafeMutablePointer<ct_lock>

  /// Neighbouring locks share no cache line with this one.
  private static let places = 64 / MemoryLayout<ct_lock>.stride

  init() {
    unsafe lock = .allocate(capacity: Self.places)
    unsafe lock.initialize(repeating: ct_lock(), count: Self.places)
  }

  /// Takes the lock.
  ///
  /// The caller is inside the tracker, so that no fork finds it held.
  ///
  /// - Returns: whether somebody else held it.
  @inline(__always) @discardableResult
  func acquire() -> Bool {
    unsafe ct_lock_acquire(lock)
  }

  @inline(__always)
  func release() {
    unsafe ct_lock_release(lock)
  }

  /// Makes the lock new and free.
  ///
  /// Only in a forked child, whose other threads are gone.
  func renewInForkedChild() {
    unsafe lock.pointee = ct_lock()
  }
}
