// The counters of a store's header.

/// A counter in the header, which is only ever raised, atomically, while the process runs.
public enum StoreCounter: Int, CaseIterable, Sendable {
  /// Serial numbers that were set aside for threads.
  ///
  /// Allocations are counted by shard, as are frees; the reader adds them up.
  case allocations
  /// Frees of own blocks that had no record.
  case frees
  /// The maximum of blocks that were live at once, up to the serial numbers that threads have set
  /// aside.
  case peakLive
  /// Frees of foreign BSTRs, which another implementation of the functions had allocated.
  case foreignFrees
  /// Frees of blocks that a forked child inherited.
  case inheritedFrees
  /// Allocations whose record did not fit.
  case unrecordedBlocks
  /// Stacks whose record did not fit.
  case unrecordedStacks
  /// Events that did not fit.
  case unrecordedEvents
  /// Allocations that were made to fail by an option.
  case injectedFailures
  /// Live blocks that were declared never to be freed.
  case immortals
  /// Unwind-cache hits that were also unwound, to check that both stacks are the same.
  case verifiedStacks
  /// Of those, the hits whose stack was not the same.
  case wrongStacks
}
