// What a fork does to the tracker.

import CTracker
import Synchronization
import TraceStore

extension Tracker {
  /// Whether a signal handler forks in the middle of our own work.
  ///
  /// This thread may hold a lock that it would then wait for. The child renews all locks either way.
  private var isForkingInside: Bool { unsafe ct_thread().pointee.busy != 0 }

  /// Waits until nobody unwinds or holds a lock, and takes them all.
  ///
  /// Before the fork.
  func prepareToFork() {
    if isForkingInside { return }
    gate.enterToFork()
    depotLock.acquireToFork()
    registry.lockAll()
    pins.lockAll()
    immortals.lockAll()
    histories.lockAll()
    unsafe ThreadScratch.stacks.prepareToFork()
  }

  /// Gives the locks back.
  ///
  /// After the fork, in the parent.
  func resumeInParent() {
    if isForkingInside { return }
    unsafe ThreadScratch.stacks.resumeInParent()
    histories.unlockAll()
    immortals.unlockAll()
    pins.unlockAll()
    registry.unlockAll()
    depotLock.releaseAfterFork()
    gate.leave()
  }

  /// Starts the child on a store of its own.
  ///
  /// What it inherited stays known by address, so that freeing it is right, but its parent answers
  /// for it.
  func resumeInChild() {
    gate.renewInForkedChild()
    depotLock.renewInForkedChild()
    pins.renewInForkedChild()
    immortals.renewInForkedChild()
    histories.renewInForkedChild()
    failures.renewInForkedChild()
    hasEnded.store(false, ordering: .relaxed)
    unsafe ThreadScratch.stacks.renewInForkedChild()
    let recordsOfParent =
      withStore { $0.used(of: .blocks) / MemoryLayout<BlockRecord>.stride } ?? 0
    registry.renewInForkedChild(recordsOfParent: recordsOfParent)
    unsafe depot.pointee.removeAll()
    unsafe ct_thread().pointee.tid = 0
    // The parent's region is shared with it: let go of the mapping, never write to it.
    if let parents = unsafe store.pointee.take() { parents.unmap() }
    if isWanted { openStore() }
  }
}
