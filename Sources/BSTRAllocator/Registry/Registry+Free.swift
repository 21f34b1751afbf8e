// What becomes of a block that is released: it is taken out, remembered, held back, and at last let go.
// Does not free memory: the caller does, when it holds no lock.

import CTracker
import Synchronization
import TraceStore

extension Registry {
  /// Takes a live block out, and its memory into quarantine where that has room.
  ///
  /// Where it is not held, the caller gives its memory back afterwards: from then on its address may
  /// be anyone's.
  ///
  /// - Parameters:
  ///   - moment: who releases it and where; kept, with the block's record and the beginning of its string,
  ///     until the address is given out again.
  ///   - unrecorded: the layout of a block that has no record in this store.
  ///   - isTold: whether the caller wants to know the block, whatever is with it.
  ///   - aftermath: what else the caller is to see to.
  @inline(__always)
  func release(
    _ block: UInt, by moment: Moment, _ unrecorded: BlockLayout, isTold: Bool,
    _ aftermath: inout Aftermath, in store: borrowing StoreWriter
  ) -> Removal {
    let hash = ct_hash(block)
    let isContended = unsafe locks[Self.index(for: hash)].acquire()
    let shard = unsafe shards + Self.index(for: hash)
    defer { unsafe release(shard) }
    guard let slot = unsafe shard.pointee.blocks.slot(of: block, hash) else { return .unknown }
    let entry = unsafe shard.pointee.blocks[slot]
    guard let number = unsafe number(of: entry, in: shard) else {
      guard entry.isLive else { return .unknown }
      return unsafe releaseWithoutRecord(
        block, hash, entry, slot, by: moment, unrecorded, in: shard)
    }
    let place = unsafe place(of: number, shard)
    let record = unsafe UnsafePointer(place)
    let layout = unsafe BlockLayout(record.pointee.layout)
    if unsafe isTold || !layout.isIntact(record) {
      unsafe describe(block, record.pointee, by: moment, &aftermath)
    }
    // What was asked of the heap, or what it has set aside.
    let bytes =
      unsafe shard.pointee.hasShortened
      ? ct_usable_bytes(block) : layout.blockBytes(forPayload: Int(record.pointee.byteLength))
    let isHeld = unsafe shard.pointee.remember(
      block, record, by: moment, bytes: bytes, limits, pool, hash, at: slot)
    if isHeld {
      unsafe layout.poison(record.pointee)
    } else {
      // Enough to tell it from a live one, should it be freed again.
      unsafe layout.poison(record.pointee, atMost: BlockLayout.mostPoison)
      ct_filter_remove(hash)
    }
    aftermath.stack = unsafe record.pointee.stack
    aftermath.thread = unsafe record.pointee.thread
    aftermath.byteLength = unsafe record.pointee.byteLength
    unsafe giveBack(number, place, to: shard)
    unsafe store.count(.frees, ofPart: shard - shards)
    if isContended, unsafe shard.pointee.freed.isOverInNumberOnly(limits) {
      aftermath.unusual.insert(.isToMove)
    } else if let oldest = unsafe shard.pointee.freed.takeOldest(over: limits, pool) {
      unsafe evict(oldest, &aftermath)
      if unsafe shard.pointee.freed.isOver(limits) { aftermath.unusual.insert(.isOver) }
    }
    return .own(isHeld: isHeld)
  }

  /// Says what was released, and what is wrong with it.
  @inline(never)
  private func describe(
    _ block: UInt, _ record: BlockRecord, by moment: Moment, _ aftermath: inout Aftermath
  ) {
    let layout = BlockLayout(record.layout)
    let freed = FreedBlock(
      block: block, record: record, release: moment, beginning: StringBeginning(of: record))
    unsafe Details.scratch.pointee.freed = freed
    unsafe Details.scratch.pointee.damages = layout.damages(of: record)
    layout.mendBehind(record)
    aftermath.unusual.insert(.isDescribed)
  }

  /// Leaves it to the caller to look whether a block that has left quarantine was written to.
  @inline(never)
  private func leaveToCheck(_ evicted: FreedBlock, _ aftermath: inout Aftermath) {
    unsafe Details.scratch.pointee.evicted = evicted
    aftermath.unusual.insert(.isToCheck)
  }

  /// Takes a block out of another shard's quarantine for one that is one too many.
  ///
  /// The heap gives a thread the block again that it got back last, so that a thread that allocates and
  /// releases stays in the shard whose blocks leave quarantine. Two in one shard would fight for its lock
  /// for ever: this moves one of them.
  func evictElsewhere(nextTo block: UInt, _ aftermath: inout Aftermath) {
    let thread = unsafe ct_thread()
    unsafe thread.pointee.next_shard &+= 1 + 2 * (thread.pointee.tid & 15)
    let next = unsafe Int(thread.pointee.next_shard) % Self.shardCount
    if evict(from: next, over: limits.halved, &aftermath) { return }
    _ = evict(from: Self.index(for: ct_hash(block)), over: limits, &aftermath)
  }

  @inline(__always)
  private func evict(
    from index: Int, over limits: QuarantineLimits, _ aftermath: inout Aftermath
  ) -> Bool {
    let shard = unsafe acquireShard(index)
    defer { unsafe release(shard) }
    guard let oldest = unsafe shard.pointee.freed.takeOldest(over: limits, pool) else {
      return false
    }
    unsafe evict(oldest, &aftermath)
    return true
  }

  /// Lets a block go that has left quarantine.
  ///
  /// Caller holds the shard lock.
  @inline(__always)
  private func evict(
    _ oldest: UnsafePointer<FreedBlock>, _ aftermath: inout Aftermath
  ) {
    let layout = unsafe BlockLayout(oldest.pointee.record.layout)
    // The filter's cell may be another shard's no more than the block is.
    unsafe ct_filter_remove(ct_hash(oldest.pointee.block))
    unsafe aftermath.evicted = oldest.pointee.block
    // Longer ones are looked at when the lock is free again.
    if unsafe !layout.isPoisoned(oldest.pointee, atMost: 64), unsafe !oldest.pointee.isInherited {
      unsafe leaveToCheck(oldest.pointee, &aftermath)
    }
  }

  /// Takes a live block out that has no record in this store.
  ///
  /// Caller holds the shard lock.
  @inline(never)
  private func releaseWithoutRecord(
    _ block: UInt, _ hash: UInt64, _ entry: BlockEntry, _ slot: Int, by moment: Moment,
    _ layout: BlockLayout, in shard: UnsafeMutablePointer<Shard>
  ) -> Removal {
    ct_filter_remove(hash)
    if entry == .unrecorded {
      unsafe shard.pointee.blocks.remove(at: slot)
      return .unrecorded
    }
    let bytes = min(
      BSTRFunctions.byteLength(ofBlock: block, layout.profile), ct_usable_bytes(block))
    let record = BlockRecord(
      address: UInt64(block) + UInt64(layout.profile.payloadOffset),
      layout: layout.profile.stored, serial: 0,
      byteLength: layout.blockBytes(forPayload: bytes) <= ct_usable_bytes(block)
        ? UInt32(bytes) : 0, stack: .none, thread: 0, milliseconds: 0)
    return unsafe .inherited(
      isHeld: hold(record, block, hash, at: slot, by: moment, in: shard))
  }

  /// What the caller of `release` is to see to, apart from the block itself.
  struct Aftermath {
    /// Where the block was allocated, by whom, and its payload.
    var stack = StackID.none
    var thread: UInt32 = 0
    var byteLength: UInt32 = 0
    /// What is to be done that seldom is.
    var unusual = Unusual()
    /// The start of a block that has left quarantine, whose memory is now the caller's; 0 for none.
    var evicted: UInt = 0
  }

  /// What seldom follows the release of a short string.
  struct Unusual: OptionSet {
    let rawValue: UInt32

    /// The block is damaged, or is to be told: `Details` have it.
    static let isDescribed = Unusual(rawValue: 1)
    /// The block that has left quarantine is to be looked at, for it is long, or was written to: `Details` have it.
    static let isToCheck = Unusual(rawValue: 2)
    /// More has to leave quarantine.
    static let isOver = Unusual(rawValue: 4)
    /// There is one block too many in quarantine, and another thread in the shard: `evictElsewhere` is to be
    /// called.
    static let isToMove = Unusual(rawValue: 8)
  }

  /// What is to be told of a release; what `Unusual` does not name means nothing.
  struct Details {
    /// The block.
    var freed: FreedBlock
    /// What was written to where it should not have been.
    var damages: BlockLayout.Damages
    /// The block that has left quarantine.
    var evicted: FreedBlock

    /// In the calling thread's scratch memory, so that nothing has to be set aside for it that is seldom used;
    /// until the next stack is captured.
    static var scratch: UnsafeMutablePointer<Details> {
      unsafe UnsafeMutableRawPointer(ct_scratch()).assumingMemoryBound(to: Details.self)
    }
  }

  /// How a block stood that was taken out.
  enum Taken {
    case own
    case unrecorded
    case inherited
    case unknown
  }

  /// Takes a live block out, of which nothing is remembered then.
  ///
  /// Its memory is the caller's.
  @inline(__always)
  func take(_ block: UInt, in store: borrowing StoreWriter) -> Taken {
    let hash = ct_hash(block)
    let shard = unsafe acquireShard(for: hash)
    defer { unsafe release(shard) }
    guard let slot = unsafe shard.pointee.blocks.slot(of: block, hash) else { return .unknown }
    let entry = unsafe shard.pointee.blocks[slot]
    guard entry.isLive else { return .unknown }
    unsafe shard.pointee.blocks.remove(at: slot)
    ct_filter_remove(hash)
    if entry == .unrecorded { return .unrecorded }
    guard let number = unsafe number(of: entry, in: shard) else { return .inherited }
    unsafe giveBack(number, place(of: number, shard), to: shard)
    unsafe store.count(.frees, ofPart: shard - shards)
    return .own
  }

  /// Takes the block of another copy of the functions into quarantine, if that has room.
  ///
  /// - Parameter record: its address, layout and length; no serial number.
  /// - Returns: whether its memory is held; else the caller gives it back.
  func hold(foreign block: UInt, _ record: BlockRecord, by moment: Moment) -> Bool {
    guard BlockTable.canHold(block) else { return false }
    let hash = ct_hash(block)
    let shard = unsafe acquireShard(for: hash)
    defer { unsafe release(shard) }
    let slot = unsafe shard.pointee.blocks.slot(of: block, hash)
    // Another thread has released it at the same moment.
    if let slot, let place = unsafe shard.pointee.blocks[slot].freedPlace,
      unsafe (shard.pointee.freed[place]?.heldBytes ?? 0) > 0
    {
      return true
    }
    return unsafe hold(record, block, hash, at: slot, by: moment, in: shard)
  }

  /// Takes a block that has no record in this store into quarantine, if that has room.
  ///
  /// Caller holds the shard lock.
  private func hold(
    _ record: BlockRecord, _ block: UInt, _ hash: UInt64, at slot: Int?, by moment: Moment,
    in shard: UnsafeMutablePointer<Shard>
  ) -> Bool {
    let isHeld = unsafe withUnsafePointer(to: record) { record in
      unsafe shard.pointee.remember(
        block, record, by: moment, bytes: ct_usable_bytes(block), limits,
        pool, hash, at: slot)
    }
    let layout = BlockLayout(record.layout)
    layout.poison(record, atMost: isHeld ? .max : BlockLayout.mostPoison)
    if isHeld || record.byteLength <= BlockLayout.mostPoison { layout.mendBehind(record) }
    if isHeld { ct_filter_add(hash) }
    return isHeld
  }

  /// Takes the memory of a released block out of the quarantine of the shard that `block` belongs to,
  /// while that holds more than the limits allow.
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
  func nextDamaged(
    from place: inout QuarantinePlace, in scope: ScopeID?
  ) -> (FreedBlock, BlockLayout.Damage)? {
    while place.shard < Self.shardCount {
      let shard = unsafe acquireShard(place.shard)
      defer { unsafe release(shard) }
      while let freed = unsafe shard.pointee.freed.nextHeld(from: &place.number) {
        guard scope == nil || scope == freed.record.scope else { continue }
        let layout = BlockLayout(freed.record.layout)
        if !freed.isInherited, let damage = layout.damage(ofPoisoned: freed) {
          layout.poison(freed.record)
          layout.mendBehind(freed.record)
          return (freed, damage)
        }
      }
      place = QuarantinePlace(shard: place.shard + 1)
    }
    return nil
  }
}
