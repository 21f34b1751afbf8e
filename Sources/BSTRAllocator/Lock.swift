// The allocator's lock. Synchronization.Mutex is no choice here: on Linux it remembers the thread
// that holds it, and a forked child that meets a held one traps.

import CTracker
import Glibc

/// A mutex that a forked child can make new.
@safe
struct Lock: ~Copyable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>

  init() {
    unsafe mutex = .allocate(capacity: 1)
    unsafe pthread_mutex_init(mutex, nil)
  }

  /// Takes the lock, and marks the thread as being inside the tracker: a signal handler that interrupts
  /// it must not wait for what this thread holds.
  func acquire() {
    unsafe ct_thread().pointee.busy += 1
    unsafe pthread_mutex_lock(mutex)
  }

  func release() {
    unsafe pthread_mutex_unlock(mutex)
    unsafe ct_thread().pointee.busy -= 1
  }

  /// Takes the lock for the time of a fork, in which the thread is not inside the tracker.
  func acquireToFork() {
    unsafe pthread_mutex_lock(mutex)
  }

  func releaseAfterFork() {
    unsafe pthread_mutex_unlock(mutex)
  }

  /// Makes the lock new and free.
  ///
  /// Only in a forked child, whose other threads are gone.
  func renewInForkedChild() {
    unsafe pthread_mutex_init(mutex, nil)
  }
}

/// A lock that many unwinding threads share and a forking thread has alone.
///
/// libunwind may hold the loader's lock, which a forked child would find held for ever.
@safe
struct UnwindGate: ~Copyable {
  private let lock: UnsafeMutablePointer<pthread_rwlock_t>

  init() {
    unsafe lock = .allocate(capacity: 1)
    make()
  }

  private func make() {
    var attributes = pthread_rwlockattr_t()
    unsafe pthread_rwlockattr_init(&attributes)
    // PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP: a fork must not wait for ever.
    unsafe pthread_rwlockattr_setkind_np(&attributes, 2)
    unsafe pthread_rwlock_init(lock, &attributes)
    unsafe pthread_rwlockattr_destroy(&attributes)
  }

  func enterToUnwind() {
    unsafe pthread_rwlock_rdlock(lock)
  }

  func enterToFork() {
    unsafe pthread_rwlock_wrlock(lock)
  }

  func leave() {
    unsafe pthread_rwlock_unlock(lock)
  }

  /// Makes the gate new and open.
  ///
  /// Only in a forked child.
  func renewInForkedChild() {
    make()
  }
}
