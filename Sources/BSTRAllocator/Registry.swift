// The lock-protected table of live and quarantined blocks: "is this address a BSTR, and what do we
// know of it?"
// Does not capture stacks, allocate or free.

import CTracker
import Glibc
import Synchronization
import TraceStore

/// Every live block by its start address, in shards with a lock each.
///
/// A shard's lock is held for a few hash-table steps and never while unwinding, allocating from the
/// heap or calling the loader. Lock order: a shard's lock, then the record lock.
@safe
struct Registry: ~Copyable {
  private static let shardBits = 6
  static let shardCount = StoreLayout.parts

  let shards: UnsafeMutablePointer<Shard>
  /// Apart from what they guard: they are read without it.
  let locks: UnsafeMutablePointer<Lock>
  let records: UnsafeMutablePointer<RecordSpace>
  /// Guards the ends of the blocks section, from which shards take places in portions, and of the
  /// pairs section.
  private let recordLock = Lock()
  /// Bytes of large blocks in quarantine.
  private let pool: UnsafeMutablePointer<Atomic<Int>>

  init() {
    unsafe shards = .allocate(capacity: Self.shardCount)
    unsafe locks = .allocate(capacity: Self.shardCount)
    for index in 0..<Self.shardCount {
      unsafe (shards + index).initialize(to: Shard())
      unsafe (locks + index).initialize(to: Lock())
    }
    unsafe pool = .allocate(capacity: 1)
    unsafe pool.initialize(to: Atomic(0))
    unsafe records = .allocate(capacity: 1)
    unsafe records.initialize(to: RecordSpace())
  }

  /// Records a block that was just allocated.
  ///
  /// - Parameters:
  ///   - block: its start address.
  ///   - record: what to remember of it.
  /// - Returns: false when it is known but its record did not fit in the store.
  func insert(_ block: UInt, _ record: BlockRecord, in store: borrowing StoreWriter) -> Bool {
    let hash = ct_hash(block)
    let shard = unsafe acquireShard(for: hash)
    defer { unsafe release(shard) }
    unsafe shard.pointee.freed.forget(block)
    let id = unsafe takePlace(from: shard, in: store) ?? .unrecorded
    if unsafe !shard.pointee.blocks.set(block, to: id.rawValue) {
      unsafe giveBack(id, to: shard, in: store)
      unsafe store.count(.allocations, ofPart: shard - shards)
      return false
    }
    ct_filter_add(hash)
    guard id != .unrecorded else {
      unsafe store.count(.allocations, ofPart: shard - shards)
      return false
    }
    let place = unsafe place(of: id, in: store)
    unsafe place.pointee.address = record.address
    unsafe place.pointee.byteLength = record.byteLength
    unsafe place.pointee.stack = record.stack
    unsafe place.pointee.thread = record.thread
    unsafe place.pointee.milliseconds = record.milliseconds
    // Last: a store that is cut off before this shows a free place.
    unsafe ct_publish(&place.pointee.identity, record.identity)
    unsafe store.count(.allocations, ofPart: shard - shards)
    return true
  }

  /// Takes a live block out, and its memory into quarantine where that has room.
  ///
  /// Where it is not held, the caller gives its memory back afterwards: from then on its address may
  /// be anyone's.
  ///
  /// - Parameters:
  ///   - freed: who releases it and where; kept, with the block's record and the beginning of its string,
  ///     until the address is given out again.
  ///   - evicted: the block that has to leave quarantine for it, whose memory is then the caller's.
  func release(
    _ block: UInt, by freed: FreedBlock, _ layout: BlockLayout, _ limits: QuarantineLimits,
    evicting evicted: inout FreedBlock?, in store: borrowing StoreWriter
  ) -> Removal {
    let hash = ct_hash(block)
    let shard = unsafe acquireShard(for: hash)
    defer { unsafe release(shard) }
    guard let number = unsafe shard.pointee.blocks.remove(block) else { return .unknown }
    let id = BlockID(rawValue: number)
    guard let record = record(of: id, in: store) else {
      ct_filter_remove(hash)
      if id == .unrecorded { return .unrecorded }
      let bytes = min(
        BSTRFunctions.byteLength(ofBlock: block, layout.profile), ct_usable_bytes(block))
      let record = BlockRecord(
        address: UInt64(block) + UInt64(layout.profile.payloadOffset), serial: 0,
        byteLength: layout.blockBytes(forPayload: bytes) <= ct_usable_bytes(block)
          ? UInt32(bytes) : 0, stack: .none, thread: 0, milliseconds: 0)
      return unsafe .inherited(
        isHeld: hold(record, block, hash, by: freed, layout, limits, in: shard))
    }
    var freed = freed
    freed.block = block
    freed.record = record
    freed.beginning = StringBeginning(of: record)
    let damages = layout.damages(of: record)
    // What the heap has set aside: the string may have been shortened.
    let bytes = ct_usable_bytes(block)
    freed.hold = unsafe shard.pointee.freed.hold(bytes, limits, pool.pointee)
    if freed.heldBytes > 0 {
      layout.poison(record)
    } else {
      // Enough to tell it from a live one, should it be freed again.
      layout.poison(record, atMost: BlockLayout.mostPoison)
      ct_filter_remove(hash)
    }
    unsafe shard.pointee.freed.add(freed)
    if record.stack != .none, freed.stack != .none {
      unsafe shard.pointee.pairs.count(
        record.stack, freed.stack, crossedThreads: record.thread != freed.thread,
        byteLength: record.byteLength, in: store
      ) { makeRoomForPair(in: store) }
    }
    unsafe giveBack(id, to: shard, in: store)
    unsafe store.count(.frees, ofPart: shard - shards)
    if let oldest = unsafe shard.pointee.freed.takeOldest(over: limits, pool.pointee) {
      // The filter's cell may be another shard's no more than the block is.
      ct_filter_remove(ct_hash(oldest.block))
      evicted = oldest
    }
    return .own(freed, damages)
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
  func take(_ block: UInt, in store: borrowing StoreWriter) -> Taken {
    let hash = ct_hash(block)
    let shard = unsafe acquireShard(for: hash)
    defer { unsafe release(shard) }
    guard let number = unsafe shard.pointee.blocks.remove(block) else { return .unknown }
    ct_filter_remove(hash)
    let id = BlockID(rawValue: number)
    if id == .unrecorded { return .unrecorded }
    guard unsafe id.rawValue >= records.pointee.first else { return .inherited }
    unsafe giveBack(id, to: shard, in: store)
    unsafe store.count(.frees, ofPart: shard - shards)
    return .own
  }

  /// Takes the block of another copy of the functions into quarantine, if that has room.
  ///
  /// - Parameter record: its address and length; no serial number.
  /// - Returns: whether its memory is held; else the caller gives it back.
  func hold(
    foreign block: UInt, _ record: BlockRecord, by freed: FreedBlock, _ layout: BlockLayout,
    _ limits: QuarantineLimits
  ) -> Bool {
    let hash = ct_hash(block)
    let shard = unsafe acquireShard(for: hash)
    defer { unsafe release(shard) }
    return unsafe hold(record, block, hash, by: freed, layout, limits, in: shard)
  }

  /// Takes a block that has no record in this store into quarantine, if that has room.
  ///
  /// Caller holds the shard lock.
  private func hold(
    _ record: BlockRecord, _ block: UInt, _ hash: UInt64, by freed: FreedBlock,
    _ layout: BlockLayout, _ limits: QuarantineLimits, in shard: UnsafeMutablePointer<Shard>
  ) -> Bool {
    var freed = freed
    freed.block = block
    freed.record = record
    freed.isForeign = true
    freed.beginning = StringBeginning(of: record)
    freed.hold = unsafe shard.pointee.freed.hold(ct_usable_bytes(block), limits, pool.pointee)
    let isHeld = freed.heldBytes > 0
    layout.poison(record, atMost: isHeld ? .max : BlockLayout.mostPoison)
    if isHeld { ct_filter_add(hash) }
    unsafe shard.pointee.freed.add(freed)
    return isHeld
  }

  /// Takes the memory of a released block out of the quarantine of the shard that `block` belongs to,
  /// while that holds more than the limits allow.
  ///
  /// - Returns: the block, whose memory is now the caller's.
  func takeOldest(nextTo block: UInt, over limits: QuarantineLimits) -> FreedBlock? {
    takeOldest(from: Self.index(for: ct_hash(block)), over: limits)
  }

  private func takeOldest(from index: Int, over limits: QuarantineLimits) -> FreedBlock? {
    let shard = unsafe acquireShard(index)
    defer { unsafe release(shard) }
    guard let freed = unsafe shard.pointee.freed.takeOldest(over: limits, pool.pointee) else {
      return nil
    }
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
    from place: inout QuarantinePlace, _ layout: BlockLayout, in scope: ScopeID?
  ) -> (FreedBlock, BlockLayout.Damage)? {
    while place.shard < Self.shardCount {
      let shard = unsafe acquireShard(place.shard)
      defer { unsafe release(shard) }
      while let freed = unsafe shard.pointee.freed.nextHeld(from: &place.number) {
        guard scope == nil || scope == freed.record.scope else { continue }
        if !freed.isInherited, let damage = layout.damage(ofPoisoned: freed) {
          layout.poison(freed.record)
          return (freed, damage)
        }
      }
      place = QuarantinePlace(shard: place.shard + 1)
    }
    return nil
  }

  /// Puts a live block of this process into another scope.
  func move(_ block: UInt, to scope: ScopeID, in store: borrowing StoreWriter) {
    let shard = unsafe acquireShard(for: ct_hash(block))
    defer { unsafe release(shard) }
    guard let number = unsafe shard.pointee.blocks.value(of: block) else { return }
    let id = BlockID(rawValue: number)
    guard var record = record(of: id, in: store) else { return }
    record.scope = scope
    unsafe ct_publish(&place(of: id, in: store).pointee.identity, record.identity)
  }

  /// Forgets a live block of this process, whose memory stays as it is.
  ///
  /// - Returns: false when there is none at the address.
  func forget(_ block: UInt, in store: borrowing StoreWriter) -> Bool {
    let hash = ct_hash(block)
    let shard = unsafe acquireShard(for: hash)
    defer { unsafe release(shard) }
    guard let number = unsafe shard.pointee.blocks.remove(block) else { return false }
    ct_filter_remove(hash)
    let id = BlockID(rawValue: number)
    guard record(of: id, in: store) != nil else { return false }
    unsafe giveBack(id, to: shard, in: store)
    return true
  }

  // MARK: places for records

  @inline(__always)
  static func index(for hash: UInt64) -> Int {
    Int(hash >> (64 - UInt64(shardBits)))
  }

  @inline(__always)
  func acquireShard(for hash: UInt64) -> UnsafeMutablePointer<Shard> {
    unsafe acquireShard(Self.index(for: hash))
  }

  @inline(__always)
  func acquireShard(_ index: Int) -> UnsafeMutablePointer<Shard> {
    unsafe locks[index].acquire()
    return unsafe shards + index
  }

  @inline(__always)
  func release(_ shard: UnsafeMutablePointer<Shard>) {
    unsafe locks[shard - shards].release()
  }

  @inline(__always)
  func place(
    of id: BlockID, in store: borrowing StoreWriter
  ) -> UnsafeMutablePointer<BlockRecord> {
    let base = unsafe store.start(of: .blocks).assumingMemoryBound(to: BlockRecord.self)
    return unsafe base + Int(id.rawValue - records.pointee.first)
  }

  /// A block's record; `nil` when there is none in this process's store.
  ///
  /// Caller holds the shard lock.
  func record(of id: BlockID, in store: borrowing StoreWriter) -> BlockRecord? {
    guard id != .unrecorded, unsafe id.rawValue >= records.pointee.first else { return nil }
    return unsafe place(of: id, in: store).pointee
  }

  /// A free place for a record, or `nil` when the store is full.
  ///
  /// Caller holds the shard lock.
  private func takePlace(
    from shard: UnsafeMutablePointer<Shard>, in store: borrowing StoreWriter
  ) -> BlockID? {
    if let id = unsafe shard.pointee.free {
      let next = unsafe place(of: id, in: store).pointee.address
      unsafe shard.pointee.free = next == 0 ? nil : BlockID(rawValue: UInt32(next - 1))
      return id
    }
    recordLock.acquire()
    defer { recordLock.release() }
    let portion = Shard.portion * MemoryLayout<BlockRecord>.stride
    let index = store.used(of: .blocks) / MemoryLayout<BlockRecord>.stride
    let number = unsafe UInt64(records.pointee.first) + UInt64(index)
    guard number + UInt64(Shard.portion) < UInt64(BlockID.unrecorded.rawValue),
      let room = unsafe store.room(for: portion, in: .blocks)
    else { return nil }
    unsafe memset(room, 0, portion)
    let first = BlockID(rawValue: UInt32(number))
    // The first is taken; the others are chained behind one another.
    for step in 1..<Shard.portion {
      let place = unsafe room.assumingMemoryBound(to: BlockRecord.self) + step
      unsafe place.pointee.address = step + 1 < Shard.portion ? number + UInt64(step + 1) + 1 : 0
    }
    unsafe shard.pointee.free = BlockID(rawValue: first.rawValue + 1)
    store.commit(portion, in: .blocks)
    return first
  }

  /// The place of a new pair record, or `nil` when the store is full.
  private func makeRoomForPair(in store: borrowing StoreWriter) -> Int? {
    recordLock.acquire()
    defer { recordLock.release() }
    let bytes = MemoryLayout<PairRecord>.stride
    let place = store.used(of: .pairs) / bytes
    guard place < UInt32.max, unsafe store.room(for: bytes, in: .pairs) != nil else { return nil }
    store.commit(bytes, in: .pairs)
    return place
  }

  /// Caller holds the shard lock.
  private func giveBack(
    _ id: BlockID, to shard: UnsafeMutablePointer<Shard>, in store: borrowing StoreWriter
  ) {
    guard id != .unrecorded else { return }
    let place = unsafe place(of: id, in: store)
    // First: a store that is cut off after this shows a free place.
    unsafe ct_publish(&place.pointee.identity, 0)
    unsafe place.pointee.address = shard.pointee.free.map { UInt64($0.rawValue) + 1 } ?? 0
    unsafe shard.pointee.free = id
  }

  // MARK: fork

  /// Keeps what is known of inherited blocks and starts on a new, empty store.
  ///
  /// - Parameter recordsOfParent: how many records the parent's store had.
  func renewInForkedChild(recordsOfParent: Int) {
    recordLock.renewInForkedChild()
    for index in 0..<Self.shardCount {
      unsafe locks[index].renewInForkedChild()
      unsafe shards[index].free = nil
      unsafe shards[index].freed.forgetStacks()
      unsafe shards[index].pairs.removeAll()
    }
    unsafe records.pointee.first += UInt32(recordsOfParent)
  }

  /// The first own block's number, for the store's header.
  var firstBlock: UInt32 { unsafe records.pointee.first }
}

/// What became of a block that is to be released.
enum Removal {
  /// It was live, as remembered, and perhaps damaged.
  case own(FreedBlock, BlockLayout.Damages)
  /// It was live, and nothing more was known of it.
  case unrecorded
  /// It was live when this process was forked. `isHeld`: its memory is in quarantine.
  case inherited(isHeld: Bool)
  /// It is no live block of ours.
  case unknown
}

/// A part of the registry, guarded by a lock of its own, on cache lines of its own.
struct Shard: ~Copyable {
  /// Places that a shard takes from the store at once.
  static let portion = 64

  /// Start addresses of live blocks, with their `BlockID`s.
  var blocks = AddressMap()
  /// Blocks that were released.
  var freed = FreedBlocks()
  /// Who frees whose strings.
  var pairs = PairCounts()
  /// The first free place, which names the next.
  var free: BlockID?
  private let padding = InlineArray<8, UInt64>(repeating: 0)
}

/// Which numbers belong to this process's store.
///
/// Changed only in a forked child.
struct RecordSpace {
  var first: UInt32 = 0
}
