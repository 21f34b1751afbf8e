// The ring of a shard's freed blocks, and the quarantine of the latest of them. Does not free
// memory and does not lock: the shard lock guards it.

import CTracker
import Synchronization
import TraceStore

/// A ring of the latest freed blocks of a shard, the oldest forgotten first.
///
/// A block's record outlives its memory: the shard's table has its index in the ring until the
/// heap allocates at the address again, or until `capacity` blocks have been freed after it. The
/// ring's memory is mapped at the first free.
@safe
struct FreedBlocks: ~Copyable {
  /// The count of blocks that are remembered in each shard: a power of two.
  static let capacity = 256

  /// Returns the index in the ring of a block, from the count of those that were added before it.
  @inline(__always)
  static func index(_ position: Int) -> Int { position & (capacity - 1) }

  private(set) var blocks: UnsafeMutablePointer<FreedBlock>?
  /// The count of blocks that were ever added; the latest `capacity` of them are in the ring.
  private(set) var added = 0
  /// The position of the first block whose memory may be in quarantine, counted as `added` is.
  private(set) var oldestQuarantined = 0
  /// The bytes in quarantine that count against the shard's own limit.
  private(set) var quarantinedBytes = 0

  init() {
    unsafe blocks = nil
  }

  /// The slot of the next block, which is that of the oldest; `nil` when there is no memory, or
  /// when the oldest is still quarantined: other threads may have filled the ring and not yet
  /// evicted what is over the limits.
  private var nextSlot: UnsafeMutablePointer<FreedBlock>? {
    @inline(__always) mutating get {
      if unsafe blocks == nil { unsafe blocks = Self.map() }
      guard let blocks = unsafe blocks else { return nil }
      let slot = unsafe blocks + Self.index(added)
      return unsafe slot.pointee.quarantinedBytes == 0 ? slot : nil
    }
  }

  @inline(never)
  private static func map() -> UnsafeMutablePointer<FreedBlock>? {
    unsafe PrivateMemory.map(capacity * MemoryLayout<FreedBlock>.stride)?
      .assumingMemoryBound(to: FreedBlock.self)
  }

  /// Remembers a block in the slot of the oldest, which was evicted, and decides whether its memory
  /// is quarantined.
  ///
  /// Caller holds the shard lock.
  ///
  /// - Parameters:
  ///   - record: the record that it had while it was live.
  ///   - bytes: the size of its memory.
  ///   - slot: the slot of its entry in the shard's table; `nil` when it has none yet.
  ///   - table: the shard's table. Afterwards the block is in it, if there is memory.
  /// - Returns: whether its memory is quarantined.
  @inline(__always)
  mutating func add(
    _ block: UInt, _ record: UnsafePointer<BlockRecord>, by context: EventContext,
    bytes: Int,
    _ limits: QuarantineLimits, _ pool: borrowing Atomic<Int>, _ hash: UInt64, at slot: Int?,
    in table: inout BlockTable
  ) -> Bool {
    guard let freed = unsafe nextSlot else {
      if let slot { table.remove(at: slot) }
      return false
    }
    let oldest = unsafe freed.pointee.block
    let share = quarantineShare(of: bytes, limits, pool)
    unsafe freed.pointee.block = block
    unsafe freed.pointee.quarantinedBytes = share.bytes
    unsafe freed.pointee.record = record.pointee
    unsafe freed.pointee.freeing = context
    unsafe freed.pointee.isPooled = share.isPooled
    unsafe freed.pointee.isInherited = false
    unsafe freed.pointee.preview = TextPreview(of: record.pointee)
    let entry = BlockEntry(freed: Self.index(added))
    if let slot {
      table[slot] = entry
    } else {
      // Without an entry it is still evicted by `takeOldest`.
      _ = table.set(block, hash, to: entry)
    }
    // Only now: removal moves other entries.
    if oldest != 0, oldest != block, let slot = table.slot(of: oldest, ct_hash(oldest)),
      table[slot] == entry
    {
      table.remove(at: slot)
    }
    added &+= 1
    return share.bytes > 0
  }

  /// Decides whether a block of so many bytes is quarantined, and counts it against a limit.
  ///
  /// Half of the bytes that the options allow is divided among the shards. The other half is a pool
  /// for blocks that are larger than a shard's limit.
  ///
  /// - Returns: the bytes to quarantine, 0 for none, and whether the pool has them.
  @inline(__always)
  private mutating func quarantineShare(
    of bytes: Int, _ limits: QuarantineLimits, _ pool: borrowing Atomic<Int>
  ) -> (bytes: Int, isPooled: Bool) {
    guard limits.blocks > 0, bytes > 0 else { return (0, false) }
    if bytes <= limits.bytes {
      quarantinedBytes &+= bytes
      return (bytes, false)
    }
    if pool.add(bytes, ordering: .relaxed).newValue <= limits.poolBytes { return (bytes, true) }
    pool.subtract(bytes, ordering: .relaxed)
    return (0, false)
  }

  /// Returns whether more is quarantined than the limits allow.
  @inline(__always)
  func exceeds(_ limits: QuarantineLimits) -> Bool {
    quarantinedBytes > limits.bytes || added &- oldestQuarantined > limits.blocks
  }

  /// Returns whether only the count of blocks is over the limits, and the ring has room for more.
  @inline(__always)
  func exceedsCountOnly(_ limits: QuarantineLimits) -> Bool {
    let count = added &- oldestQuarantined
    return count > limits.blocks && count < Self.capacity - 1 && quarantinedBytes <= limits.bytes
  }

  /// Evicts the oldest block while more is quarantined than the limits allow.
  ///
  /// Caller holds the shard lock.
  ///
  /// - Returns: the evicted block, valid for as long as the lock is held; `nil` when the quarantine
  ///   is within the limits.
  @inline(__always)
  mutating func takeOldest(
    over limits: QuarantineLimits, _ pool: borrowing Atomic<Int>
  ) -> UnsafePointer<FreedBlock>? {
    guard let blocks = unsafe blocks else { return nil }
    while exceeds(limits) {
      let oldest = unsafe blocks + Self.index(oldestQuarantined)
      oldestQuarantined &+= 1
      let bytes = unsafe oldest.pointee.quarantinedBytes
      if bytes == 0 { continue }
      if unsafe oldest.pointee.isPooled {
        pool.subtract(bytes, ordering: .relaxed)
      } else {
        quarantinedBytes &-= bytes
      }
      unsafe oldest.pointee.quarantinedBytes = 0
      return unsafe UnsafePointer(oldest)
    }
    return nil
  }

  /// The block at an index of the ring that an entry of the table has.
  subscript(index: Int) -> FreedBlock? { unsafe blocks?[index] }

  /// Returns whether an earlier block is remembered at the address of `freed`.
  ///
  /// - Complexity: linear in `capacity`; called for faults only.
  func hasEarlier(than freed: FreedBlock) -> Bool {
    first { $0.block == freed.block && $0.record.serial != freed.record.serial } != nil
  }

  /// Returns the block that contains the address.
  ///
  /// - Complexity: linear in `capacity`; called for faults only.
  func block(around address: UInt) -> FreedBlock? {
    first { freed in
      freed.block <= address
        && address - freed.block
          < UInt(
            BlockLayout(freed.record.layout).blockBytes(forPayload: Int(freed.record.byteLength)))
    }
  }

  private func first(where matches: (FreedBlock) -> Bool) -> FreedBlock? {
    guard let blocks = unsafe blocks else { return nil }
    for index in 0..<min(added, Self.capacity) where unsafe matches(blocks[index]) {
      return unsafe blocks[index]
    }
    return nil
  }

  /// Returns the first quarantined block at or after a position, which is advanced past it.
  ///
  /// - Parameter position: counted as `added` is.
  func nextQuarantined(from position: inout Int) -> FreedBlock? {
    guard let blocks = unsafe blocks else { return nil }
    position = max(position, oldestQuarantined)
    while position < added {
      let freed = unsafe blocks[Self.index(position)]
      position += 1
      if freed.quarantinedBytes > 0 { return freed }
    }
    return nil
  }

  /// Marks all blocks as inherited, and forgets their stacks, whose ids mean nothing in a new
  /// store.
  mutating func forgetStacks() {
    guard let blocks = unsafe blocks else { return }
    for index in 0..<min(added, Self.capacity) {
      unsafe blocks[index].isInherited = true
      unsafe blocks[index].freeing.stack = .none
      unsafe blocks[index].record.stack = .none
    }
  }
}
