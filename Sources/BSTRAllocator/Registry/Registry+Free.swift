// What becomes of a block that is released: it is taken out, remembered, held back, and at last let
// go. Does not free memory: the caller does, when it holds no lock.

import CTracker
import Synchronization
import TraceStore

extension Registry {
  /// Takes a live block out, and its memory into quarantine where that has room.
  ///
  /// Where it is not held, the caller gives its memory back afterwards: from then on its address
  /// may be anyone's.
  ///
  /// - Parameters:
  ///   - context: who releases it and where; kept, with the block's record and the beginning of its
  ///     string, until the address is given out again.
  ///   - unrecorded: the layout of a block that has no record in this store.
  ///   - alwaysReport: whether the caller wants to know the block, whatever is with it.
  ///   - result: what else the caller is to see to.
  @inline(__always)
  func release(
    _ block: UInt, by context: EventContext, _ unrecorded: BlockLayout, alwaysReport: Bool,
    _ result: inout ReleaseResult, in store: borrowing StoreWriter
  ) -> ReleaseOutcome {
    let hash = ct_hash(block)
    let isContended = unsafe locks[Self.index(for: hash)].acquire()
    let shard = unsafe shards + Self.index(for: hash)
    defer { unsafe release(shard) }
    guard let slot = unsafe shard.pointee.blocks.slot(of: block, hash) else { return .unknown }
    let entry = unsafe shard.pointee.blocks[slot]
    guard let number = unsafe number(of: entry, in: shard) else {
      guard entry.isLive else { return .unknown }
      return unsafe releaseWithoutRecord(
        block, hash, entry, slot, by: context, unrecorded, in: shard)
    }
    let place = unsafe place(of: number, shard)
    let record = unsafe UnsafePointer(place)
    let layout = unsafe BlockLayout(record.pointee.layout)
    if unsafe alwaysReport || !layout.isIntact(record) {
      unsafe describe(block, record.pointee, by: context, &result)
    }
    // What was asked of the heap, or what it has set aside.
    let bytes =
      unsafe shard.pointee.hasShortened
      ? ct_usable_bytes(block) : layout.blockBytes(forPayload: Int(record.pointee.byteLength))
    let isHeld = unsafe shard.pointee.remember(
      block, record, by: context, bytes: bytes, limits, pool, hash, at: slot)
    if isHeld {
      unsafe layout.poison(record.pointee)
    } else {
      // Enough to tell it from a live one, should it be freed again.
      unsafe layout.poison(record.pointee, atMost: BlockLayout.maxPoisonBytes)
      ct_filter_remove(hash)
    }
    result.stack = unsafe record.pointee.stack
    result.thread = unsafe record.pointee.thread
    result.byteLength = unsafe record.pointee.byteLength
    unsafe recycleRecord(number, place, to: shard)
    unsafe store.count(.frees, ofPart: shard - shards)
    if isContended, unsafe shard.pointee.freed.exceedsCountOnly(limits) {
      result.slowPath.insert(.rebalance)
    } else if let oldest = unsafe shard.pointee.freed.takeOldest(over: limits, pool) {
      unsafe evict(oldest, &result)
      if unsafe shard.pointee.freed.exceeds(limits) { result.slowPath.insert(.overBudget) }
    }
    return .own(isHeld: isHeld)
  }

  /// Says what was released, and what is wrong with it.
  @inline(never)
  private func describe(
    _ block: UInt, _ record: BlockRecord, by context: EventContext, _ result: inout ReleaseResult
  ) {
    let layout = BlockLayout(record.layout)
    let freed = FreedBlock(
      block: block, record: record, release: context, preview: TextPreview(of: record))
    unsafe Details.scratch.pointee.freed = freed
    unsafe Details.scratch.pointee.corruption = layout.corruption(of: record)
    layout.restoreTrailer(record)
    result.slowPath.insert(.report)
  }

  /// Leaves it to the caller to look whether a block that has left quarantine was written to.
  @inline(never)
  private func leaveToCheck(_ evicted: FreedBlock, _ result: inout ReleaseResult) {
    unsafe Details.scratch.pointee.evicted = evicted
    result.slowPath.insert(.verifyEvicted)
  }

  /// Takes a block out of another shard's quarantine for one that is one too many.
  ///
  /// The heap gives a thread the block again that it got back last, so that a thread that allocates
  /// and releases stays in the shard whose blocks leave quarantine. Two in one shard would fight
  /// for its lock for ever: this moves one of them.
  func evictFromAnotherShard(nextTo block: UInt, _ result: inout ReleaseResult) {
    let thread = unsafe ct_thread()
    unsafe thread.pointee.next_shard &+= 1 + 2 * (thread.pointee.tid & 15)
    let next = unsafe Int(thread.pointee.next_shard) % Self.shardCount
    if evict(from: next, over: limits.halved, &result) { return }
    _ = evict(from: Self.index(for: ct_hash(block)), over: limits, &result)
  }

  @inline(__always)
  private func evict(
    from index: Int, over limits: QuarantineLimits, _ result: inout ReleaseResult
  ) -> Bool {
    let shard = unsafe acquireShard(index)
    defer { unsafe release(shard) }
    guard let oldest = unsafe shard.pointee.freed.takeOldest(over: limits, pool) else {
      return false
    }
    unsafe evict(oldest, &result)
    return true
  }

  /// Lets a block go that has left quarantine.
  ///
  /// Caller holds the shard lock.
  @inline(__always)
  private func evict(
    _ oldest: UnsafePointer<FreedBlock>, _ result: inout ReleaseResult
  ) {
    let layout = unsafe BlockLayout(oldest.pointee.record.layout)
    // The filter's cell may be another shard's no more than the block is.
    unsafe ct_filter_remove(ct_hash(oldest.pointee.block))
    unsafe result.evicted = oldest.pointee.block
    // Longer ones are looked at when the lock is free again.
    if unsafe !layout.isPoisoned(oldest.pointee, atMost: 64), unsafe !oldest.pointee.isInherited {
      unsafe leaveToCheck(oldest.pointee, &result)
    }
  }

  /// Takes a live block out that has no record in this store.
  ///
  /// Caller holds the shard lock.
  @inline(never)
  private func releaseWithoutRecord(
    _ block: UInt, _ hash: UInt64, _ entry: BlockEntry, _ slot: Int, by context: EventContext,
    _ layout: BlockLayout, in shard: UnsafeMutablePointer<Shard>
  ) -> ReleaseOutcome {
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
      isHeld: hold(record, block, hash, at: slot, by: context, in: shard))
  }

  /// What the caller of `release` is to see to, apart from the block itself.
  struct ReleaseResult {
    /// Where the block was allocated, by whom, and its payload.
    var stack = StackID.none
    var thread: UInt32 = 0
    var byteLength: UInt32 = 0
    /// What is to be done that seldom is.
    var slowPath = SlowPath()
    /// The start of a block that has left quarantine, whose memory is now the caller's; 0 for none.
    var evicted: UInt = 0
  }

  /// What seldom follows the release of a short string.
  struct SlowPath: OptionSet {
    let rawValue: UInt32

    /// The block is corrupted, or is to be told: `Details` have it.
    static let report = SlowPath(rawValue: 1)
    /// The block that has left quarantine is to be looked at, for it is long, or was written to:
    /// `Details` have it.
    static let verifyEvicted = SlowPath(rawValue: 2)
    /// More has to leave quarantine.
    static let overBudget = SlowPath(rawValue: 4)
    /// There is one block too many in quarantine, and another thread in the shard:
    /// `evictFromAnotherShard` is to be called.
    static let rebalance = SlowPath(rawValue: 8)
  }

  /// What is to be told of a release; what `SlowPath` does not name means nothing.
  struct Details {
    /// The block.
    var freed: FreedBlock
    /// What was written to where it should not have been.
    var corruption: BlockLayout.BlockCorruption
    /// The block that has left quarantine.
    var evicted: FreedBlock

    /// In the calling thread's scratch memory, so that nothing has to be set aside for it that is
    /// seldom used; until the next stack is captured.
    static var scratch: UnsafeMutablePointer<Details> {
      unsafe UnsafeMutableRawPointer(ct_scratch()).assumingMemoryBound(to: Details.self)
    }
  }

  /// Takes a live block out, of which nothing is remembered then.
  ///
  /// Its memory is the caller's.
  @inline(__always)
  func take(_ block: UInt, in store: borrowing StoreWriter) -> ReleaseOutcome {
    let hash = ct_hash(block)
    let shard = unsafe acquireShard(for: hash)
    defer { unsafe release(shard) }
    guard let slot = unsafe shard.pointee.blocks.slot(of: block, hash) else { return .unknown }
    let entry = unsafe shard.pointee.blocks[slot]
    guard entry.isLive else { return .unknown }
    unsafe shard.pointee.blocks.remove(at: slot)
    ct_filter_remove(hash)
    if entry == .unrecorded { return .unrecorded }
    guard let number = unsafe number(of: entry, in: shard) else { return .inherited(isHeld: false) }
    unsafe recycleRecord(number, place(of: number, shard), to: shard)
    unsafe store.count(.frees, ofPart: shard - shards)
    return .own(isHeld: false)
  }

  /// Takes the block of another copy of the functions into quarantine, if that has room.
  ///
  /// - Parameter record: its address, layout and length; no serial number.
  /// - Returns: whether its memory is held; else the caller gives it back.
  func hold(foreign block: UInt, _ record: BlockRecord, by context: EventContext) -> Bool {
    guard BlockTable.isRepresentable(block) else { return false }
    let hash = ct_hash(block)
    let shard = unsafe acquireShard(for: hash)
    defer { unsafe release(shard) }
    let slot = unsafe shard.pointee.blocks.slot(of: block, hash)
    // Another thread has released it at the same context.
    if let slot, let place = unsafe shard.pointee.blocks[slot].freedPlace,
      unsafe (shard.pointee.freed[place]?.heldBytes ?? 0) > 0
    {
      return true
    }
    return unsafe hold(record, block, hash, at: slot, by: context, in: shard)
  }

  /// Takes a block that has no record in this store into quarantine, if that has room.
  ///
  /// Caller holds the shard lock.
  private func hold(
    _ record: BlockRecord, _ block: UInt, _ hash: UInt64, at slot: Int?, by context: EventContext,
    in shard: UnsafeMutablePointer<Shard>
  ) -> Bool {
    let isHeld = unsafe withUnsafePointer(to: record) { record in
      unsafe shard.pointee.remember(
        block, record, by: context, bytes: ct_usable_bytes(block), limits,
        pool, hash, at: slot)
    }
    let layout = BlockLayout(record.layout)
    layout.poison(record, atMost: isHeld ? .max : BlockLayout.maxPoisonBytes)
    if isHeld || record.byteLength <= BlockLayout.maxPoisonBytes { layout.restoreTrailer(record) }
    if isHeld { ct_filter_add(hash) }
    return isHeld
  }

  /// Takes the memory of a released block out of the quarantine of the shard that `block` belongs
  /// to, while that holds more than the limits allow.
  ///
  /// - Returns: the block, whose memory is now the caller's.
  func takeOldest(nextTo block: UInt) -> FreedBlock? {
    takeOldest(from: Self.index(for: ct_hash(block)), over: limits)
  }

  private func takeOldest(from index: Int, over limits: QuarantineLimits) -> FreedBlock? {
    let shard = unsafe acquireShard(index)
    defer { unsafe release(shard) }
    guard let freed = unsafe shard.pointee.freed.takeOldest(over: limits, pool)?.pointee
    else { return nil }
    ct_filter_remove(ct_hash(freed.block))
    return freed
  }

  /// Empties the quarantine: `body` is given each block, whose memory is then its own.
  func emptyQuarantine(_ body: (FreedBlock) -> Void) {
    for index in 0..<Self.shardCount {
      while let freed = takeOldest(from: index, over: .none) { body(freed) }
    }
  }

  /// How far a walk through the quarantine has come.
  struct QuarantinePlace {
    fileprivate var shard = 0
    fileprivate var number = 0
  }

  /// The next block in quarantine that was written to; it is mended, so that it is told once.
  ///
  /// - Parameter scope: the scope that it was allocated in; `nil` for any.
  func nextCorrupted(
    from place: inout QuarantinePlace, in scope: ScopeID?
  ) -> (FreedBlock, BlockLayout.Corruption)? {
    while place.shard < Self.shardCount {
      let shard = unsafe acquireShard(place.shard)
      defer { unsafe release(shard) }
      while let freed = unsafe shard.pointee.freed.nextHeld(from: &place.number) {
        guard scope == nil || scope == freed.record.scope else { continue }
        let layout = BlockLayout(freed.record.layout)
        if !freed.isInherited, let corruption = layout.corruption(ofPoisoned: freed) {
          layout.poison(freed.record)
          layout.restoreTrailer(freed.record)
          return (freed, corruption)
        }
      }
      place = QuarantinePlace(shard: place.shard + 1)
    }
    return nil
  }
}
