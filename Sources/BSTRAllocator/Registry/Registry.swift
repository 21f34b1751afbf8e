// The lock-protected table of live and freed blocks: is an address a BSTR, and what is recorded of
// it? Does not capture stacks, allocate or free.

import CTracker
import Synchronization
import TraceStore

/// A table of every live block, and of the latest freed ones, by start address, in shards with a
/// lock each.
///
/// A shard's lock is held for a few hash-table steps and never while unwinding, allocating from the
/// heap or calling the loader. Lock order: a shard's lock, then the record lock.
///
/// Records are in the store: a caller that asks for one passes the store, which shows that there is
/// one.
@safe
struct Registry: ~Copyable {
  private static let shardBits = 6
  static let shardCount = StoreLayout.shards

  let shards: UnsafeMutablePointer<Shard>
  /// A separate array: a lock is read before it is held, so it must not be in the shard it guards.
  let locks: UnsafeMutablePointer<Lock>
  /// A lock that guards the ends of the blocks section, from which shards take stripes of records,
  /// and of the pairs section.
  private let recordLock = Lock()
  /// The count of new stores that this process and its parents have begun.
  private let generation: UnsafeMutablePointer<UInt32>
  /// The limits of each shard's quarantine.
  let limits: QuarantineLimits
  /// The bytes of quarantined blocks that are larger than a shard's limit.
  let pool = Atomic<Int>(0)

  /// Makes an empty registry.
  ///
  /// - Parameter limits: the limits of each shard's quarantine.
  init(_ limits: QuarantineLimits) {
    self.limits = limits
    unsafe shards = .allocate(capacity: Self.shardCount)
    unsafe locks = .allocate(capacity: Self.shardCount)
    for index in 0..<Self.shardCount {
      unsafe (shards + index).initialize(to: Shard(index: index))
      unsafe (locks + index).initialize(to: Lock())
    }
    unsafe generation = .allocate(capacity: 1)
    unsafe generation.initialize(to: 0)
  }

  /// Records a block that was just allocated.
  ///
  /// Takes a shard lock, and the record lock when the shard needs new records.
  ///
  /// - Parameters:
  ///   - block: its start address.
  ///   - record: the record to write to the store.
  /// - Returns: false when its record did not fit in the store, so that the block is known without
  ///   one, or when the table cannot have the block at all.
  @inline(__always)
  func insert(_ block: UInt, _ record: BlockRecord, in store: borrowing StoreWriter) -> Bool {
    let hash = ct_hash(block)
    let shard = unsafe acquireShard(for: hash)
    defer { unsafe unlock(shard) }
    store.count(.allocations, ofShard: Self.index(for: hash))
    guard BlockTable.isRepresentable(block) else { return false }
    let taken = unsafe takeRecord(from: shard, in: store)
    let entry = unsafe taken.map { unsafe BlockEntry(record: shard.pointee.inherited &+ $0.index) }
    // The new entry replaces that of an earlier block of this address.
    guard unsafe shard.pointee.blocks.set(block, hash, to: entry ?? .unrecorded) else {
      if let (index, pointer) = unsafe taken { unsafe recycleRecord(index, pointer, to: shard) }
      return false
    }
    ct_filter_add(hash)
    guard let (_, pointer) = unsafe taken else { return false }
    unsafe pointer.pointee.addressAndLayout = record.addressAndLayout
    unsafe pointer.pointee.byteLength = record.byteLength
    unsafe pointer.pointee.stack = record.stack
    unsafe pointer.pointee.thread = record.thread
    unsafe pointer.pointee.milliseconds = record.milliseconds
    // Last: a store that is cut off before this shows a free record.
    unsafe ct_publish(&pointer.pointee.identity, record.identity)
    return true
  }

  /// Puts a live block of this process into another scope.
  ///
  /// Takes a shard lock.
  func move(_ block: UInt, to scope: ScopeID, in store: borrowing StoreWriter) {
    let shard = unsafe acquireShard(for: ct_hash(block))
    defer { unsafe unlock(shard) }
    guard let pointer = unsafe liveRecordPointer(of: block, in: shard) else { return }
    var record = unsafe pointer.pointee
    record.scope = scope
    unsafe ct_publish(&pointer.pointee.identity, record.identity)
  }

  /// Forgets a live block of this process, whose memory stays as it is.
  ///
  /// Takes a shard lock.
  ///
  /// - Returns: false when there is none at the address.
  func forget(_ block: UInt, in store: borrowing StoreWriter) -> Bool {
    let hash = ct_hash(block)
    let shard = unsafe acquireShard(for: hash)
    defer { unsafe unlock(shard) }
    guard let slot = unsafe shard.pointee.blocks.slot(of: block, hash) else { return false }
    let entry = unsafe shard.pointee.blocks[slot]
    guard entry.isLive else { return false }
    unsafe shard.pointee.blocks.remove(at: slot)
    ct_filter_remove(hash)
    guard let index = unsafe recordIndex(of: entry, in: shard) else { return false }
    unsafe recycleRecord(index, recordPointer(at: index, shard), to: shard)
    return true
  }

  // MARK: shards and records

  /// Returns the index of the shard of a block with that hash.
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
  func unlock(_ shard: UnsafeMutablePointer<Shard>) {
    unsafe locks[shard.pointee.index].release()
  }

  /// Returns the record at an index of a shard.
  ///
  /// Records are striped across shards, 8 consecutive ones per shard: a record's location follows
  /// from index and shard, and the records on a cache line are of one shard.
  ///
  /// - Parameter index: counted from the shard's first record in this store; one that is taken.
  @inline(__always)
  func recordPointer(
    at index: UInt32, _ shard: UnsafeMutablePointer<Shard>
  ) -> UnsafeMutablePointer<BlockRecord> {
    let portion = UInt32(Shard.portion)
    let offset = Int(index & ~(portion &- 1)) &* Self.shardCount &+ Int(index & (portion &- 1))
    return unsafe shard.pointee.records.unsafelyUnwrapped + offset
  }

  /// Returns the index of an entry's record in this process's store; `nil` when there is none.
  @inline(__always)
  func recordIndex(
    of entry: BlockEntry, in shard: UnsafeMutablePointer<Shard>
  ) -> UInt32? {
    let index = unsafe entry.rawValue &- shard.pointee.inherited
    // The index of an inherited record wraps around.
    return unsafe index < shard.pointee.recordCount ? index : nil
  }

  /// Returns the record of a live block in this process's store; `nil` when there is none.
  ///
  /// Caller holds the shard lock.
  func liveRecordPointer(
    of block: UInt, in shard: UnsafeMutablePointer<Shard>
  ) -> UnsafeMutablePointer<BlockRecord>? {
    guard let entry = unsafe shard.pointee.blocks.entry(of: block, ct_hash(block)),
      let index = unsafe recordIndex(of: entry, in: shard)
    else { return nil }
    return unsafe recordPointer(at: index, shard)
  }

  /// Takes a free record, and returns it with its index; `nil` when the store is full.
  ///
  /// Caller holds the shard lock.
  @inline(__always)
  private func takeRecord(
    from shard: UnsafeMutablePointer<Shard>, in store: borrowing StoreWriter
  ) -> (index: UInt32, pointer: UnsafeMutablePointer<BlockRecord>)? {
    let free = unsafe shard.pointee.free
    if free == 0 {
      guard let index = unsafe takeNewRecord(from: shard, in: store) else { return nil }
      return unsafe (index, recordPointer(at: index, shard))
    }
    let pointer = unsafe recordPointer(at: free &- 1, shard)
    unsafe shard.pointee.free = UInt32(truncatingIfNeeded: pointer.pointee.addressAndLayout)
    return unsafe (free &- 1, pointer)
  }

  /// Takes the shard's next record that was never used, and returns its index.
  ///
  /// Caller holds the shard lock; takes the record lock at the start of a stripe.
  @inline(never)
  private func takeNewRecord(
    from shard: UnsafeMutablePointer<Shard>, in store: borrowing StoreWriter
  ) -> UInt32? {
    let index = unsafe shard.pointee.recordCount
    let stripeBytes = Self.shardCount * Shard.portion * MemoryLayout<BlockRecord>.stride
    guard unsafe shard.pointee.inherited + index < BlockEntry.maxRecords else { return nil }
    if Int(index) % Shard.portion == 0 {
      recordLock.acquire()
      defer { recordLock.release() }
      // Another shard may have begun this stripe already. New memory of a store is zero: free
      // records.
      if store.used(of: .blocks) <= Int(index) / Shard.portion * stripeBytes {
        guard unsafe store.room(for: stripeBytes, in: .blocks) != nil else { return nil }
        store.commit(stripeBytes, in: .blocks)
      }
      let records = unsafe store.start(of: .blocks).assumingMemoryBound(to: BlockRecord.self)
      unsafe shard.pointee.records = records + shard.pointee.index * Shard.portion
    }
    unsafe shard.pointee.recordCount = index + 1
    return index
  }

  /// Counts a free by the stacks that allocated and freed the string.
  ///
  /// The caller holds no lock. Takes the record lock when it needs new pair records.
  ///
  /// - Parameters:
  ///   - result: what `free` returned of the string.
  ///   - context: the event context of the free.
  @inline(__always)
  func countPair(
    _ result: borrowing FreeResult, by context: EventContext, in store: borrowing StoreWriter
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

  /// Makes room for a portion of pair records, and returns the index of the first; `nil` when the
  /// store is full.
  ///
  /// Takes the record lock.
  private func makeRoomForPair(in store: borrowing StoreWriter) -> Int? {
    recordLock.acquire()
    defer { recordLock.release() }
    let stride = MemoryLayout<PairRecord>.stride
    let bytes = FreeSiteCounts.portion * stride
    let index = store.used(of: .pairs) / stride
    guard index < UInt32.max, unsafe store.room(for: bytes, in: .pairs) != nil else { return nil }
    store.commit(bytes, in: .pairs)
    return index
  }

  /// Recycles a record.
  ///
  /// Caller holds the shard lock.
  ///
  /// - Parameter pointer: the record at that index.
  @inline(__always)
  func recycleRecord(
    _ index: UInt32, _ pointer: UnsafeMutablePointer<BlockRecord>,
    to shard: UnsafeMutablePointer<Shard>
  ) {
    // First: a store that is cut off after this shows a free record.
    unsafe ct_publish(&pointer.pointee.identity, 0)
    unsafe pointer.pointee.addressAndLayout = UInt64(shard.pointee.free)
    unsafe shard.pointee.free = index &+ 1
  }

  // MARK: fork

  /// Keeps the state of inherited blocks, and starts on a new, empty store.
  ///
  /// No other thread uses the registry.
  func renewInForkedChild() {
    recordLock.renewInForkedChild()
    unsafe generation.pointee &+= 1
    for index in 0..<Self.shardCount {
      unsafe locks[index].renewInForkedChild()
      unsafe shards[index].free = 0
      unsafe shards[index].records = nil
      unsafe shards[index].inherited += shards[index].recordCount
      unsafe shards[index].recordCount = 0
      // Each generation needs indices of its own. When half are used up they are recycled.
      if unsafe shards[index].inherited > BlockEntry.maxRecords / 2 {
        unsafe shards[index].blocks.markAllInherited()
        unsafe shards[index].inherited = 0
      }
      unsafe shards[index].freed.forgetStacks()
    }
  }
}
