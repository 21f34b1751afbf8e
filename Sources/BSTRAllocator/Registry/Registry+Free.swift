// The free path: unregister, remember, quarantine, evict. Does not free memory: the caller does,
// when it holds no lock.

import CTracker
import Synchronization
import TraceStore

extension Registry {
  /// Unregisters a live block, and quarantines its memory if there is room.
  ///
  /// Takes a shard lock. If the block is not quarantined, the caller frees its memory to the heap
  /// afterwards: from then on the heap may allocate at its address again.
  ///
  /// - Parameters:
  ///   - context: the event context of the free; kept, with the block's record and the first bytes
  ///     of its string, until the heap allocates at the address again.
  ///   - unrecorded: the layout of a block that has no record in this store.
  ///   - alwaysReport: report the block even if it is intact.
  ///   - result: follow-up work for the caller.
  @inline(__always)
  func free(
    _ block: UInt, by context: EventContext, _ unrecorded: BlockLayout, alwaysReport: Bool,
    _ result: inout FreeResult, in store: borrowing StoreWriter
  ) -> FreeOutcome {
    let hash = ct_hash(block)
    let isContended = unsafe locks[Self.index(for: hash)].acquire()
    let shard = unsafe shards + Self.index(for: hash)
    defer { unsafe unlock(shard) }
    guard let slot = unsafe shard.pointee.blocks.slot(of: block, hash) else { return .unknown }
    let entry = unsafe shard.pointee.blocks[slot]
    guard let index = unsafe recordIndex(of: entry, in: shard) else {
      guard entry.isLive else { return .unknown }
      return unsafe freeWithoutRecord(
        block, hash, entry, slot, by: context, unrecorded, in: shard)
    }
    let pointer = unsafe recordPointer(at: index, shard)
    let record = unsafe UnsafePointer(pointer)
    let layout = unsafe BlockLayout(record.pointee.layout)
    if unsafe alwaysReport || !layout.isIntact(record) {
      unsafe describe(block, record.pointee, by: context, &result)
    }
    // The bytes that the heap was asked for, or those that it allocated.
    let bytes =
      unsafe shard.pointee.hasShortened
      ? ct_usable_bytes(block) : layout.blockBytes(forPayload: Int(record.pointee.byteLength))
    let isQuarantined = unsafe shard.pointee.remember(
      block, record, by: context, bytes: bytes, limits, pool, hash, at: slot)
    if isQuarantined {
      unsafe layout.poison(record.pointee)
    } else {
      // Enough to distinguish it from a live block if it is freed again.
      unsafe layout.poison(record.pointee, atMost: BlockLayout.maxPoisonBytes)
      ct_filter_remove(hash)
    }
    result.stack = unsafe record.pointee.stack
    result.thread = unsafe record.pointee.thread
    result.byteLength = unsafe record.pointee.byteLength
    unsafe recycleRecord(index, pointer, to: shard)
    store.count(.frees, ofShard: Self.index(for: hash))
    if isContended, unsafe shard.pointee.freed.exceedsCountOnly(limits) {
      result.slowPath.insert(.rebalance)
    } else if let oldest = unsafe shard.pointee.freed.takeOldest(over: limits, pool) {
      unsafe evict(oldest, &result)
      if unsafe shard.pointee.freed.exceeds(limits) { result.slowPath.insert(.overBudget) }
    }
    return .own(isQuarantined: isQuarantined)
  }

  /// Writes the freed block and its corruption to the scratch memory, and restores its trailer.
  ///
  /// Caller holds the shard lock.
  @inline(never)
  private func describe(
    _ block: UInt, _ record: BlockRecord, by context: EventContext, _ result: inout FreeResult
  ) {
    let layout = BlockLayout(record.layout)
    let freed = FreedBlock(
      block: block, record: record, freeing: context, preview: TextPreview(of: record))
    unsafe Details.scratch.pointee.freed = freed
    unsafe Details.scratch.pointee.corruption = layout.corruption(of: record)
    layout.restoreTrailer(record)
    result.slowPath.insert(.report)
  }

  /// Leaves it to the caller to check whether an evicted block was written to.
  @inline(never)
  private func leaveToCheck(_ evicted: FreedBlock, _ result: inout FreeResult) {
    unsafe Details.scratch.pointee.evicted = evicted
    result.slowPath.insert(.verifyEvicted)
  }

  /// Evicts a block from another shard, after a free that left the freed block's shard one over its
  /// limit.
  ///
  /// Takes shard locks, one at a time.
  ///
  /// The heap allocates the block again that a thread freed last, so that a thread that allocates
  /// and frees stays in the shard that it evicts from. Two such threads in one shard would contend
  /// for its lock for ever: this moves one of them to another shard.
  func evictFromAnotherShard(nextTo block: UInt, _ result: inout FreeResult) {
    let thread = unsafe ct_thread()
    unsafe thread.pointee.next_shard &+= 1 + 2 * (thread.pointee.tid & 15)
    let next = unsafe Int(thread.pointee.next_shard) % Self.shardCount
    if evict(from: next, over: limits.halved, &result) { return }
    _ = evict(from: Self.index(for: ct_hash(block)), over: limits, &result)
  }

  /// Evicts the oldest block of a shard that is over the limits; returns false when it is not.
  ///
  /// Takes the shard lock.
  @inline(__always)
  private func evict(
    from index: Int, over limits: QuarantineLimits, _ result: inout FreeResult
  ) -> Bool {
    let shard = unsafe acquireShard(index)
    defer { unsafe unlock(shard) }
    guard let oldest = unsafe shard.pointee.freed.takeOldest(over: limits, pool) else {
      return false
    }
    unsafe evict(oldest, &result)
    return true
  }

  /// Passes an evicted block on to the caller.
  ///
  /// Caller holds the shard lock.
  @inline(__always)
  private func evict(
    _ oldest: UnsafePointer<FreedBlock>, _ result: inout FreeResult
  ) {
    let layout = unsafe BlockLayout(oldest.pointee.record.layout)
    // A cell of the filter is of one shard only, as a block is.
    unsafe ct_filter_remove(ct_hash(oldest.pointee.block))
    unsafe result.evicted = oldest.pointee.block
    // Longer blocks are checked after the lock is released.
    if unsafe !layout.isPoisoned(oldest.pointee, atMost: 64), unsafe !oldest.pointee.isInherited {
      unsafe leaveToCheck(oldest.pointee, &result)
    }
  }

  /// Unregisters a live block that has no record in this store.
  ///
  /// Caller holds the shard lock.
  @inline(never)
  private func freeWithoutRecord(
    _ block: UInt, _ hash: UInt64, _ entry: BlockEntry, _ slot: Int, by context: EventContext,
    _ layout: BlockLayout, in shard: UnsafeMutablePointer<Shard>
  ) -> FreeOutcome {
    ct_filter_remove(hash)
    if entry == .unrecorded {
      unsafe shard.pointee.blocks.remove(at: slot)
      return .unrecorded
    }
    let bytes = min(
      BSTRFunctions.byteLength(ofBlock: block, layout.stringLayout), ct_usable_bytes(block))
    let record = BlockRecord(
      address: UInt64(block) + UInt64(layout.stringLayout.payloadOffset),
      layout: layout.stringLayout.stored, serial: 0,
      byteLength: layout.blockBytes(forPayload: bytes) <= ct_usable_bytes(block)
        ? UInt32(bytes) : 0, stack: .none, thread: 0, milliseconds: 0)
    return unsafe .inherited(
      isQuarantined: quarantine(record, block, hash, at: slot, by: context, in: shard))
  }

  /// The result of a free: follow-up work for the caller, apart from the block itself.
  struct FreeResult {
    /// The stack that allocated the block.
    var stack = StackID.none
    /// The thread that allocated the block.
    var thread: UInt32 = 0
    /// The bytes of its payload.
    var byteLength: UInt32 = 0
    /// Work that only the slow path does.
    var slowPath = SlowPath()
    /// The start of an evicted block, which the caller frees to the heap; 0 for none.
    var evicted: UInt = 0
  }

  /// Work that only the slow path of a free does.
  struct SlowPath: OptionSet {
    let rawValue: UInt32

    /// The block is corrupted, or is to be reported: it is in `Details`.
    static let report = SlowPath(rawValue: 1)
    /// The evicted block is to be checked, because it is long or was written to: it is in
    /// `Details`.
    static let verifyEvicted = SlowPath(rawValue: 2)
    /// More has to be evicted.
    static let overBudget = SlowPath(rawValue: 4)
    /// The quarantine is one block over its limit, and the shard's lock was contended:
    /// `evictFromAnotherShard` is to be called.
    static let rebalance = SlowPath(rawValue: 8)
  }

  /// The blocks that a slow path reports; a field is valid only if its flag in `SlowPath` is set.
  struct Details {
    /// The block that was freed: valid with `.report`.
    var freed: FreedBlock
    /// The corruption of that block: valid with `.report`.
    var corruption: BlockLayout.BlockCorruption
    /// The block that was evicted: valid with `.verifyEvicted`.
    var evicted: FreedBlock

    /// The details in the calling thread's scratch memory, so that the fast path reserves no memory
    /// for them; valid until the next stack is captured.
    static var scratch: UnsafeMutablePointer<Details> {
      unsafe UnsafeMutableRawPointer(ct_scratch()).assumingMemoryBound(to: Details.self)
    }
  }

  /// Unregisters a live block without remembering it.
  ///
  /// Takes a shard lock. The caller frees its memory to the heap.
  @inline(__always)
  func take(_ block: UInt, in store: borrowing StoreWriter) -> FreeOutcome {
    let hash = ct_hash(block)
    let shard = unsafe acquireShard(for: hash)
    defer { unsafe unlock(shard) }
    guard let slot = unsafe shard.pointee.blocks.slot(of: block, hash) else { return .unknown }
    let entry = unsafe shard.pointee.blocks[slot]
    guard let index = unsafe recordIndex(of: entry, in: shard) else {
      guard entry.isLive else { return .unknown }
      unsafe shard.pointee.blocks.remove(at: slot)
      ct_filter_remove(hash)
      return entry == .unrecorded ? .unrecorded : .inherited(isQuarantined: false)
    }
    unsafe shard.pointee.blocks.remove(at: slot)
    ct_filter_remove(hash)
    unsafe recycleRecord(index, recordPointer(at: index, shard), to: shard)
    store.count(.frees, ofShard: Self.index(for: hash))
    return .own(isQuarantined: false)
  }

  /// Quarantines a foreign block, if there is room.
  ///
  /// Takes a shard lock.
  ///
  /// - Parameter record: its address, layout and length; no serial.
  /// - Returns: whether it is quarantined; otherwise the caller frees it to the heap.
  func quarantine(foreign block: UInt, _ record: BlockRecord, by context: EventContext) -> Bool {
    guard BlockTable.isRepresentable(block) else { return false }
    let hash = ct_hash(block)
    let shard = unsafe acquireShard(for: hash)
    defer { unsafe unlock(shard) }
    let slot = unsafe shard.pointee.blocks.slot(of: block, hash)
    // Another thread has freed it at the same time.
    if let slot, let index = unsafe shard.pointee.blocks[slot].freedIndex,
      unsafe (shard.pointee.freed[index]?.quarantinedBytes ?? 0) > 0
    {
      return true
    }
    return unsafe quarantine(record, block, hash, at: slot, by: context, in: shard)
  }

  /// Quarantines a block that has no record in this store, if there is room.
  ///
  /// Caller holds the shard lock.
  private func quarantine(
    _ record: BlockRecord, _ block: UInt, _ hash: UInt64, at slot: Int?, by context: EventContext,
    in shard: UnsafeMutablePointer<Shard>
  ) -> Bool {
    let isQuarantined = unsafe withUnsafePointer(to: record) { record in
      unsafe shard.pointee.remember(
        block, record, by: context, bytes: ct_usable_bytes(block), limits,
        pool, hash, at: slot)
    }
    let layout = BlockLayout(record.layout)
    layout.poison(record, atMost: isQuarantined ? .max : BlockLayout.maxPoisonBytes)
    if isQuarantined || record.byteLength <= BlockLayout.maxPoisonBytes {
      layout.restoreTrailer(record)
    }
    if isQuarantined { ct_filter_add(hash) }
    return isQuarantined
  }

  /// Evicts the oldest block of the shard that `block` belongs to, if that is over the limits.
  ///
  /// Takes a shard lock.
  ///
  /// - Returns: the evicted block, which the caller frees to the heap.
  func takeOldest(nextTo block: UInt) -> FreedBlock? {
    takeOldest(from: Self.index(for: ct_hash(block)), over: limits)
  }

  private func takeOldest(from index: Int, over limits: QuarantineLimits) -> FreedBlock? {
    let shard = unsafe acquireShard(index)
    defer { unsafe unlock(shard) }
    guard let freed = unsafe shard.pointee.freed.takeOldest(over: limits, pool)?.pointee
    else { return nil }
    ct_filter_remove(ct_hash(freed.block))
    return freed
  }

  /// Evicts every block in quarantine, and passes each to `body`, which frees it to the heap.
  ///
  /// Takes shard locks, one at a time; holds none while it calls `body`.
  func emptyQuarantine(_ body: (FreedBlock) -> Void) {
    for index in 0..<Self.shardCount {
      while let freed = takeOldest(from: index, over: .none) { body(freed) }
    }
  }

  /// A position in the quarantine, for `nextCorrupted`.
  struct QuarantinePosition {
    fileprivate var shard = 0
    fileprivate var position = 0
  }

  /// Returns the next quarantined block that was written to, and restores its bytes, so that it is
  /// reported once.
  ///
  /// Takes shard locks, one at a time.
  ///
  /// - Parameters:
  ///   - position: the position to start from, which is advanced.
  ///   - scope: the scope that it was allocated in; `nil` for any.
  func nextCorrupted(
    from position: inout QuarantinePosition, in scope: ScopeID?
  ) -> (FreedBlock, BlockLayout.Corruption)? {
    while position.shard < Self.shardCount {
      let shard = unsafe acquireShard(position.shard)
      defer { unsafe unlock(shard) }
      while let freed = unsafe shard.pointee.freed.nextQuarantined(from: &position.position) {
        guard scope == nil || scope == freed.record.scope else { continue }
        let layout = BlockLayout(freed.record.layout)
        if !freed.isInherited, let corruption = layout.corruption(ofPoisoned: freed) {
          layout.poison(freed.record)
          layout.restoreTrailer(freed.record)
          return (freed, corruption)
        }
      }
      position = QuarantinePosition(shard: position.shard + 1)
    }
    return nil
  }
}
