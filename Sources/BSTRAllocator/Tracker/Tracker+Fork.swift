// The renewal of the tracker in a forked child.

import CTracker
import Synchronization
import TraceStore

extension Tracker {
  /// Starts the child on a store of its own.
  ///
  /// Inherited blocks stay known by address, so that freeing them is no fault, but the parent
  /// reports them. All locks are new, because a fork in a signal handler may have interrupted the
  /// thread that held them.
  func resumeInChild() {
    ct_end_fork_in_child()
    ct_invalidate_stack_caches()
    ct_forget_closing()
    depotLock.renewInForkedChild()
    pins.renewInForkedChild()
    layouts.renewInForkedChild()
    ct_renew_families_in_child()
    ct_forget_layouts()
    ct_end_probes_in_child()
    immortals.renewInForkedChild()
    histories.renewInForkedChild()
    failures.renewInForkedChild()
    hasEnded.store(false, ordering: .relaxed)
    hasLookedForHolders.store(false, ordering: .relaxed)
    isForked.store(true, ordering: .relaxed)
    let scopesOfParent =
      withStore { $0.used(of: .scopes) / MemoryLayout<ScopeRecord>.stride } ?? 0
    scopes.renewInForkedChild(scopesOfParent: scopesOfParent)
    registry.renewInForkedChild()
    unsafe depot.pointee.removeAll()
    // The parent's region is shared with the parent: unmap it, never write to it.
    if let parents = unsafe store.pointee.take() { parents.unmap() }
    if isWanted { openStore() }
    // What became of the functions inside of them: the child may end where nothing more is
    // recorded.
    if ct_has_families() {
      // Nothing is entered where a signal handler forked in the tracker's work: the guard is held.
      let thread = unsafe ct_enter()
      withStore { unsafe recordModules(in: $0) }
      unsafe ct_leave(thread)
    }
    updateFastPath()
  }
}
