// The allocator's lock. Synchronization.Mutex is no choice here: on Linux it remembers the thread
// that holds it, and a forked child that meets a held one traps.

import Glibc

/// A mutex that a forked child can make new.
@safe
struct Lock: ~Copyable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>

  init() {
    unsafe mutex = .allocate(capacity: 1)
    unsafe pthread_mutex_init(mutex, nil)
  }

  /// Takes the lock.
  ///
  /// The caller is inside the tracker, so that no fork finds it held.
  func acquire() {
    unsafe pthread_mutex_lock(mutex)
  }

  func release() {
    unsafe pthread_mutex_unlock(mutex)
  }

  /// Makes the lock new and free.
  ///
  /// Only in a forked child, whose other threads are gone.
  func renewInForkedChild() {
    unsafe pthread_mutex_init(mutex, nil)
  }
}
