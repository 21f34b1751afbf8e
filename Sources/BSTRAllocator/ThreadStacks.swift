// Which threads have used BSTRs, to tell whose stack a wrong pointer points to.

import CTracker
import Glibc

/// The threads that are alive and have used BSTRs, as many as fit.
@safe
struct ThreadStacks: ~Copyable {
  private struct Entry {
    var thread = pthread_t()
    var id: UInt32 = 0
  }

  private static let capacity = 1024

  private let lock = Lock()
  private let entries: UnsafeMutablePointer<Entry>

  init() {
    unsafe entries = .allocate(capacity: Self.capacity)
    unsafe entries.initialize(repeating: Entry(), count: Self.capacity)
  }

  /// Adds the calling thread.
  func add() {
    lock.acquire()
    defer { lock.release() }
    for index in 0..<Self.capacity where unsafe entries[index].id == 0 {
      unsafe entries[index] = Entry(thread: pthread_self(), id: ct_thread_id())
      return
    }
  }

  /// Removes the calling thread, which is about to end.
  func remove() {
    lock.acquire()
    defer { lock.release() }
    for index in 0..<Self.capacity
    where unsafe entries[index].id != 0 && entries[index].thread == pthread_self() {
      unsafe entries[index] = Entry()
    }
  }

  /// The kernel's id of the thread whose stack the address lies in, or `nil`.
  ///
  /// - Complexity: reads /proc for the main thread's; only for what has gone wrong.
  func thread(at address: UInt) -> UInt32? {
    lock.acquire()
    defer { lock.release() }
    for index in 0..<Self.capacity where unsafe entries[index].id != 0 {
      if unsafe ct_is_in_stack(entries[index].thread, address) { return unsafe entries[index].id }
    }
    return nil
  }

  func prepareToFork() { lock.acquireToFork() }
  func resumeInParent() { lock.releaseAfterFork() }

  /// Forgets the parent's other threads.
  func renewInForkedChild() {
    lock.renewInForkedChild()
    unsafe entries.update(repeating: Entry(), count: Self.capacity)
    add()
  }
}
