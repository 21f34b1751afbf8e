// What a forked child does with the tracker that it inherited.

import CTracker
import Synchronization
import TraceStore

extension Tracker {
  /// Starts the child on a store of its own.
  ///
  /// What it inherited stays known by address, so that freeing it is right, but its parent answers
  /// for it. All locks are new, for who forks in a signal handler may have interrupted their
  /// holder.
  func resumeInChild() {
    ct_end_fork_in_child()
    ct_invalidate_stack_caches()
    ct_forget_closing()
    depotLock.renewInForkedChild()
    pins.renewInForkedChild()
    layouts.renewInForkedChild()
    ct_forget_layouts()
    ct_end_probes_in_child()
    immortals.renewInForkedChild()
    histories.renewInForkedChild()
    failures.renewInForkedChild()
    hasEnded.store(false, ordering: .relaxed)
    let scopesOfParent =
      withStore { $0.used(of: .scopes) / MemoryLayout<ScopeRecord>.stride } ?? 0
    scopes.renewInForkedChild(scopesOfParent: scopesOfParent)
    registry.renewInForkedChild()
    unsafe depot.pointee.removeAll()
    // The parent's region is shared with it: let go of the mapping, never write to it.
    if let parents = unsafe store.pointee.take() { parents.unmap() }
    if isWanted { openStore() }
    updateFastPath()
  }
}
