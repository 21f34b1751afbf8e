// The allocator's lock. Synchronization.Mutex is no choice here: on Linux it remembers the thread
// that holds it, and a forked child that meets a held one traps.

import CTracker

/// A mutex that a forked child can make new.
@safe
struct Lock: ~Copyable {
  private let word: UnsafeMutablePointer<UInt32>

  /// Bytes that neighbouring locks share no cache line with.
  private static let lineWords = 16

  init() {
    unsafe word = .allocate(capacity: Self.lineWords)
    unsafe word.initialize(repeating: 0, count: Self.lineWords)
  }

  /// Takes the lock.
  ///
  /// The caller is inside the tracker, so that no fork finds it held.
  @inline(__always)
  func acquire() {
    unsafe ct_lock_acquire(word)
  }

  @inline(__always)
  func release() {
    unsafe ct_lock_release(word)
  }

  /// Makes the lock new and free.
  ///
  /// Only in a forked child, whose other threads are gone.
  func renewInForkedChild() {
    unsafe word.pointee = 0
  }
}
