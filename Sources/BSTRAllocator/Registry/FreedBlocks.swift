// What is remembered of blocks that were released, and the quarantine that keeps the memory of the
// latest. Does not release memory and does not lock: a shard's lock guards it.

import CTracker
import Synchronization
import TraceStore

/// The last blocks that were released, the oldest forgotten first.
///
/// A block's history outlives its memory: the shard's table says where it is until the address is
/// given out again, or until as many blocks as fit have been released after it. The memory for that
/// is mapped at the first release.
@safe
struct FreedBlocks: ~Copyable {
  /// Blocks that are remembered in each shard: a power of two.
  static let capacity = 256

  /// Where in the ring a block is, by how many were added before.
  @inline(__always)
  static func place(_ number: Int) -> Int { number & (capacity - 1) }

  private(set) var blocks: UnsafeMutablePointer<FreedBlock>?
  /// Blocks that were ever added; the latest `capacity` of them are there.
  private(set) var added = 0
  /// The first of those whose memory may be in quarantine.
  private(set) var oldestHeld = 0
  private(set) var heldBytes = 0

  init() {
    unsafe blocks = nil
  }

  /// Where the next block is remembered, in place of the oldest; `nil` when there is no memory, or
  /// when that one's is still held: other threads may have filled the ring and not yet taken out
  /// what is over the limits.
  private var next: UnsafeMutablePointer<FreedBlock>? {
    @inline(__always) mutating get {
      if unsafe blocks == nil { unsafe blocks = Self.map() }
      guard let blocks = unsafe blocks else { return nil }
      let place = unsafe blocks + Self.place(added)
      return unsafe place.pointee.heldBytes == 0 ? place : nil
    }
  }

  @inline(never)
  private static func map() -> UnsafeMutablePointer<FreedBlock>? {
    unsafe PrivateMemory.map(capacity * MemoryLayout<FreedBlock>.stride)?
      .assumingMemoryBound(to: FreedBlock.self)
  }

  /// Remembers a block in place of the oldest, which has left quarantine, and decides whether its
  /// memory is held back.
  ///
  /// - Parameters:
  ///   - record: what was known of it while it was live.
  ///   - bytes: of its memory.
  ///   - slot: where its entry stands in the table of its shard; `nil` when it has none yet.
  ///   - table: that table. Afterwards the block is in it, if there is memory.
  /// - Returns: whether its memory is held.
  @inline(__always)
  mutating func add(
    _ block: UInt, _ record: UnsafePointer<BlockRecord>, by context: EventContext,
    bytes: Int,
    _ limits: QuarantineLimits, _ pool: borrowing Atomic<Int>, _ hash: UInt64, at slot: Int?,
    in table: inout BlockTable
  ) -> Bool {
    guard let place = unsafe next else {
      if let slot { table.remove(at: slot) }
      return false
    }
    let oldest = unsafe place.pointee.block
    let hold = hold(bytes, limits, pool)
    unsafe place.pointee.block = block
    unsafe place.pointee.heldBytes = hold.bytes
    unsafe place.pointee.record = record.pointee
    unsafe place.pointee.release = context
    unsafe place.pointee.isPooled = hold.isPooled
    unsafe place.pointee.isInherited = false
    unsafe place.pointee.preview = TextPreview(of: record.pointee)
    let entry = BlockEntry(freed: Self.place(added))
    if let slot {
      table[slot] = entry
    } else {
      // Without an entry it is still there for `takeOldest`.
      _ = table.set(block, hash, to: entry)
    }
    // Only now: removal moves other entries.
    if oldest != 0, oldest != block, let slot = table.slot(of: oldest, ct_hash(oldest)),
      table[slot] == entry
    {
      table.remove(at: slot)
    }
    added &+= 1
    return hold.bytes > 0
  }

  /// Decides whether a block of so many bytes goes into quarantine.
  ///
  /// Half of what is allowed is divided among the shards. The other half is for blocks that are too
  /// large for that.
  @inline(__always)
  private mutating func hold(
    _ bytes: Int, _ limits: QuarantineLimits, _ pool: borrowing Atomic<Int>
  ) -> (bytes: Int, isPooled: Bool) {
    guard limits.blocks > 0, bytes > 0 else { return (0, false) }
    if bytes <= limits.bytes {
      heldBytes &+= bytes
      return (bytes, false)
    }
    if pool.add(bytes, ordering: .relaxed).newValue <= limits.poolBytes { return (bytes, true) }
    pool.subtract(bytes, ordering: .relaxed)
    return (0, false)
  }

  /// Whether more memory is held than the limits allow.
  @inline(__always)
  func exceeds(_ limits: QuarantineLimits) -> Bool {
    heldBytes > limits.bytes || added &- oldestHeld > limits.blocks
  }

  /// Whether it is their number alone that is over the limits, and there is room for more in the
  /// ring.
  @inline(__always)
  func exceedsCountOnly(_ limits: QuarantineLimits) -> Bool {
    let number = added &- oldestHeld
    return number > limits.blocks && number < Self.capacity - 1 && heldBytes <= limits.bytes
  }

  /// Takes the memory of the oldest block out of quarantine, while there is more than the limits
  /// allow.
  ///
  /// - Returns: where that block is remembered, for as long as the lock is held; `nil` when the
  ///   quarantine is within the limits.
  @inline(__always)
  mutating func takeOldest(
    over limits: QuarantineLimits, _ pool: borrowing Atomic<Int>
  ) -> UnsafePointer<FreedBlock>? {
    guard let blocks = unsafe blocks else { return nil }
    while exceeds(limits) {
      let place = unsafe blocks + Self.place(oldestHeld)
      oldestHeld &+= 1
      let bytes = unsafe place.pointee.heldBytes
      if bytes == 0 { continue }
      if unsafe place.pointee.isPooled {
        pool.subtract(bytes, ordering: .relaxed)
      } else {
        heldBytes &-= bytes
      }
      unsafe place.pointee.heldBytes = 0
      return unsafe UnsafePointer(place)
    }
    return nil
  }

  /// A block that the table names.
  subscript(place: Int) -> FreedBlock? { unsafe blocks?[place] }

  /// Whether an earlier block is remembered at the address of `freed`.
  ///
  /// - Complexity: linear, as is the next; only for what has gone wrong.
  func hasEarlier(than freed: FreedBlock) -> Bool {
    first { $0.block == freed.block && $0.record.serial != freed.record.serial } != nil
  }

  /// The block that the address lies in.
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

  /// The first block in quarantine from a number on, which is then that of the next.
  func nextHeld(from number: inout Int) -> FreedBlock? {
    guard let blocks = unsafe blocks else { return nil }
    number = max(number, oldestHeld)
    while number < added {
      let freed = unsafe blocks[Self.place(number)]
      number += 1
      if freed.heldBytes > 0 { return freed }
    }
    return nil
  }

  /// Keeps what is known but for the stacks, whose numbers mean nothing in a new store.
  mutating func forgetStacks() {
    guard let blocks = unsafe blocks else { return }
    for index in 0..<min(added, Self.capacity) {
      unsafe blocks[index].isInherited = true
      unsafe blocks[index].release.stack = .none
      unsafe blocks[index].record.stack = .none
    }
  }
}
