// The counters of a store's header.

/// A number in the header that is only ever raised, atomically, while the process runs.
public enum StoreCounter: Int, CaseIterable, Sendable {
  /// Numbers of allocations that were set aside for threads. What is counted of them stands by the
  /// parts of the registry, as do releases; the reader adds them up.
  case allocations
  /// Releases of own blocks that had no record.
  case frees
  /// The most blocks that were live at once, to within what threads have set aside.
  case peakLive
  /// Releases, through our functions, of BSTRs that another copy of the functions had allocated.
  case foreignFrees
  /// Releases of blocks that a forked child inherited.
  case inheritedFrees
  /// Allocations whose record did not fit.
  case unrecordedBlocks
  /// Stacks whose record did not fit.
  case unrecordedStacks
  /// Events that did not fit.
  case unrecordedEvents
  /// Allocations that were made to fail, as was asked for.
  case injectedFailures
  /// Live blocks that were declared never to be released.
  case immortals
  /// Stacks that were recognised and then walked, to check that they are the same.
  case verifiedStacks
  /// Of those, the ones that were not the same.
  case wrongStacks
}
