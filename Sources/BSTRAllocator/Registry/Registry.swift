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
///
/// Records lie in the store: who asks for one passes the store, which shows that it is there.
@safe
struct Registry: ~Copyable {
  private static let shardBits = 6
  static let shardCount = StoreLayout.parts

  let shards: UnsafeMutablePointer<Shard>
  /// Apart from what they guard: they are read without it.
  let locks: UnsafeMutablePointer<Lock>
  /// Guards the ends of the blocks section, from which shards take stripes of records, and of the
  /// pairs section.
  private let recordLock = Lock()
  /// How often this process and its parents have begun a new store.
  private let generation: UnsafeMutablePointer<UInt32>
  /// How much each shard holds back.
  let limits: QuarantineLimits
  /// Bytes of large blocks in quarantine.
  let pool = Atomic<Int>(0)

  /// An empty one.
  ///
  /// - Parameter limits: how much of released blocks each shard holds back.
  init(_ limits: QuarantineLimits) {
    self.limits = limits
    unsafe shards = .allocate(capacity: Self.shardCount)
    unsafe locks = .allocate(capacity: Self.shardCount)
    for index in 0..<Self.shardCount {
      unsafe (shards + index).initialize(to: Shard())
      unsafe (locks + index).initialize(to: Lock())
    }
    unsafe generation = .allocate(capacity: 1)
    unsafe generation.initialize(to: 0)
  }

  /// Records a block that was just allocated.
  ///
  /// - Parameters:
  ///   - block: its start address.
  ///   - record: what to remember of it.
  /// - Returns: false when it is known but its record did not fit in the store.
  @inline(__always)
  func insert(_ block: UInt, _ record: BlockRecord, in store: borrowing StoreWriter) -> Bool {
    let hash = ct_hash(block)
    let shard = unsafe acquireShard(for: hash)
    defer { unsafe release(shard) }
    unsafe store.count(.allocations, ofPart: shard - shards)
    guard BlockTable.isRepresentable(block) else { return false }
    let taken = unsafe takePlace(from: shard, in: store)
    let entry = unsafe taken.map { unsafe BlockEntry(record: shard.pointee.inherited &+ $0.number) }
    // What was remembered of an earlier block of this address is forgotten with that.
    guard unsafe shard.pointee.blocks.set(block, hash, to: entry ?? .unrecorded) else {
      if let (number, place) = unsafe taken { unsafe recycleRecord(number, place, to: shard) }
      return false
    }
    ct_filter_add(hash)
    guard let (_, place) = unsafe taken else { return false }
    unsafe place.pointee.addressAndLayout = record.addressAndLayout
    unsafe place.pointee.byteLength = record.byteLength
    unsafe place.pointee.stack = record.stack
    unsafe place.pointee.thread = record.thread
    unsafe place.pointee.milliseconds = record.milliseconds
    // Last: a store that is cut off before this shows a free place.
    unsafe ct_publish(&place.pointee.identity, record.identity)
    return true
  }

  /// Puts a live block of this process into another scope.
  func move(_ block: UInt, to scope: ScopeID, in store: borrowing StoreWriter) {
    let shard = unsafe acquireShard(for: ct_hash(block))
    defer { unsafe release(shard) }
    guard let place = unsafe livePlace(of: block, in: shard) else { return }
    var record = unsafe place.pointee
    record.scope = scope
    unsafe ct_publish(&place.pointee.identity, record.identity)
  }

  /// Forgets a live block of this process, whose memory stays as it is.
  ///
  /// - Returns: false when there is none at the address.
  func forget(_ block: UInt, in store: borrowing StoreWriter) -> Bool {
    let hash = ct_hash(block)
    let shard = unsafe acquireShard(for: hash)
    defer { unsafe release(shard) }
    guard let slot = unsafe shard.pointee.blocks.slot(of: block, hash) else { return false }
    let entry = unsafe shard.pointee.blocks[slot]
    guard entry.isLive else { return false }
    unsafe shard.pointee.blocks.remove(at: slot)
    ct_filter_remove(hash)
    guard let number = unsafe number(of: entry, in: shard) else { return false }
    unsafe recycleRecord(number, place(of: number, shard), to: shard)
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

  /// Records stand in stripes, of which each shard has its part, so that who knows a record's
  /// number and shard knows its place: neighbours on a cache line are of one shard.
  ///
  /// - Parameter number: counted from the shard's first in this store, and taken.
  @inline(__always)
  func place(
    of number: UInt32, _ shard: UnsafeMutablePointer<Shard>
  ) -> UnsafeMutablePointer<BlockRecord> {
    let portion = UInt32(Shard.portion)
    let index = Int(number & ~(portion &- 1)) &* Self.shardCount &+ Int(number & (portion &- 1))
    return unsafe shard.pointee.records.unsafelyUnwrapped + index
  }

  /// The number of an entry's record in this process's store; `nil` when there is none.
  @inline(__always)
  func number(
    of entry: BlockEntry, in shard: UnsafeMutablePointer<Shard>
  ) -> UInt32? {
    let number = unsafe entry.rawValue &- shard.pointee.inherited
    // What was inherited is below, and wraps around.
    return unsafe number < shard.pointee.numbered ? number : nil
  }

  /// The record of a live block in this process's store; `nil` when there is none.
  ///
  /// Caller holds the shard lock.
  func livePlace(
    of block: UInt, in shard: UnsafeMutablePointer<Shard>
  ) -> UnsafeMutablePointer<BlockRecord>? {
    guard let entry = unsafe shard.pointee.blocks.entry(of: block, ct_hash(block)),
      let number = unsafe number(of: entry, in: shard)
    else { return nil }
    return unsafe place(of: number, shard)
  }

  /// A free record and its number, for an entry; `nil` when the store is full.
  ///
  /// Caller holds the shard lock.
  @inline(__always)
  private func takePlace(
    from shard: UnsafeMutablePointer<Shard>, in store: borrowing StoreWriter
  ) -> (number: UInt32, place: UnsafeMutablePointer<BlockRecord>)? {
    let free = unsafe shard.pointee.free
    if free == 0 {
      guard let number = unsafe takeNewPlace(from: shard, in: store) else { return nil }
      return unsafe (number, place(of: number, shard))
    }
    let place = unsafe place(of: free &- 1, shard)
    unsafe shard.pointee.free = UInt32(truncatingIfNeeded: place.pointee.addressAndLayout)
    return unsafe (free &- 1, place)
  }

  @inline(never)
  private func takeNewPlace(
    from shard: UnsafeMutablePointer<Shard>, in store: borrowing StoreWriter
  ) -> UInt32? {
    let number = unsafe shard.pointee.numbered
    let stripeBytes = Self.shardCount * Shard.portion * MemoryLayout<BlockRecord>.stride
    guard unsafe shard.pointee.inherited + number < BlockEntry.maxRecords else { return nil }
    if Int(number) % Shard.portion == 0 {
      recordLock.acquire()
      defer { recordLock.release() }
      // Another shard may have come to this stripe before. New memory of a store is zero: free
      // places.
      if store.used(of: .blocks) <= Int(number) / Shard.portion * stripeBytes {
        guard unsafe store.room(for: stripeBytes, in: .blocks) != nil else { return nil }
        store.commit(stripeBytes, in: .blocks)
      }
      let records = unsafe store.start(of: .blocks).assumingMemoryBound(to: BlockRecord.self)
      unsafe shard.pointee.records = records + (shard - shards) * Shard.portion
    }
    unsafe shard.pointee.numbered = number + 1
    return number
  }

  /// Counts by whom a string was freed.
  ///
  /// - Parameter result: of its release.
  @inline(__always)
  func countPair(
    _ result: borrowing ReleaseResult, by context: EventContext, in store: borrowing StoreWriter
  ) {
    guard result.stack != .none, context.stack != .none, let counts = unsafe FreeSiteCounts.current
    else { return }
    let pair = FreeSiteCounts.Pair(
      allocated: result.stack, freed: context.stack,
      crossedThreads: result.thread != context.thread)
    unsafe counts.pointee.count(
      pair, byteLength: result.byteLength, generation: generation.pointee, in: store
    ) { makeRoomForPair(in: store) }
  }

  /// The place of the first of a portion of new pair records, or `nil` when the store is full.
  private func makeRoomForPair(in store: borrowing StoreWriter) -> Int? {
    recordLock.acquire()
    defer { recordLock.release() }
    let stride = MemoryLayout<PairRecord>.stride
    let bytes = FreeSiteCounts.portion * stride
    let place = store.used(of: .pairs) / stride
    guard place < UInt32.max, unsafe store.room(for: bytes, in: .pairs) != nil else { return nil }
    store.commit(bytes, in: .pairs)
    return place
  }

  /// Frees a record.
  ///
  /// Caller holds the shard lock.
  ///
  /// - Parameter place: of the record with that number.
  @inline(__always)
  func recycleRecord(
    _ number: UInt32, _ place: UnsafeMutablePointer<BlockRecord>,
    to shard: UnsafeMutablePointer<Shard>
  ) {
    // First: a store that is cut off after this shows a free place.
    unsafe ct_publish(&place.pointee.identity, 0)
    unsafe place.pointee.addressAndLayout = UInt64(shard.pointee.free)
    unsafe shard.pointee.free = number &+ 1
  }

  // MARK: fork

  /// Keeps what is known of inherited blocks and starts on a new, empty store.
  func renewInForkedChild() {
    recordLock.renewInForkedChild()
    unsafe generation.pointee &+= 1
    for index in 0..<Self.shardCount {
      unsafe locks[index].renewInForkedChild()
      unsafe shards[index].free = 0
      unsafe shards[index].records = nil
      unsafe shards[index].inherited += shards[index].numbered
      unsafe shards[index].numbered = 0
      // Each generation needs numbers of its own. When half are used up they are taken back.
      if unsafe shards[index].inherited > BlockEntry.maxRecords / 2 {
        unsafe shards[index].blocks.markAllInherited()
        unsafe shards[index].inherited = 0
      }
      unsafe shards[index].freed.forgetStacks()
    }
  }
}
