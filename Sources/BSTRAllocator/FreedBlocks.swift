// What is remembered of blocks that were released, and the quarantine that keeps the memory of the
// latest. Does not release memory and does not lock: a shard's lock guards it.

import Synchronization
import TraceStore

/// A BSTR that was released: enough to tell its story when somebody releases it again.
struct FreedBlock {
  /// The start of its block; 0 in an entry that was never used.
  var block: UInt = 0
  /// Its memory in quarantine.
  var hold = Hold()
  /// Bytes of memory in quarantine; 0 when the heap has got it back.
  var heldBytes: Int { hold.bytes }
  /// Whether another copy of the functions had allocated it.
  var isForeign = false
  /// Whether it was released before this process was forked: its parent answers for it.
  var isInherited = false
  /// Its record while it was live.
  var record = BlockRecord(
    address: 0, serial: 0, byteLength: 0, stack: .none, thread: 0, milliseconds: 0)
  /// Where it was released.
  var stack: StackID = .none
  /// The thread that released it.
  var thread: UInt32 = 0
  /// When it was released, in milliseconds since recording began.
  var milliseconds: UInt32 = 0
  /// The beginning of the string.
  var beginning = StringBeginning()
}

/// Memory that is held back.
struct Hold {
  /// Bytes; 0 when none is.
  var bytes = 0
  /// Whether they count against the pool of all shards rather than against the shard's own part.
  var isPooled = false
}

/// The first bytes of a string, kept without memory of their own.
struct StringBeginning {
  private(set) var count = 0
  private(set) var bytes = InlineArray<4, UInt64>(repeating: 0)

  /// The most bytes that are kept.
  static let capacity = 32

  /// No bytes.
  init() {}

  /// The beginning of a live block's string.
  init(of record: BlockRecord) {
    guard let text = unsafe UnsafeRawPointer(bitPattern: UInt(record.address)) else { return }
    let kept = min(Int(record.byteLength), Self.capacity)
    count = kept
    unsafe withUnsafeMutableBytes(of: &bytes) { bytes in
      unsafe bytes.copyMemory(from: UnsafeRawBufferPointer(start: text, count: kept))
    }
  }
}

/// The last blocks that were released, the oldest forgotten first.
///
/// A block's history outlives its memory: it is found by address until the address is given out
/// again, or until as many blocks as fit have been released after it. The memory for that is mapped
/// at the first release.
@safe
struct FreedBlocks: ~Copyable {
  /// Blocks that are remembered in each shard.
  static let capacity = 256

  private var blocks: UnsafeMutablePointer<FreedBlock>?
  private var indices = AddressMap()
  /// Blocks that were ever added; the latest `capacity` of them are there.
  private var added = 0
  /// The first of those whose memory may be in quarantine.
  private var oldestHeld = 0
  private var heldBytes = 0

  init() {
    unsafe blocks = nil
  }

  /// Decides whether a block of so many bytes goes into quarantine.
  ///
  /// Half of what is allowed is divided among the shards. The other half is for blocks that are too large
  /// for that.
  mutating func hold(
    _ bytes: Int, _ limits: QuarantineLimits, _ pool: borrowing Atomic<Int>
  ) -> Hold {
    guard limits.blocks > 0, bytes > 0, prepare(), let blocks = unsafe blocks else { return Hold() }
    // Other threads may have filled the ring and not yet taken out what is over the limits.
    guard unsafe blocks[added % Self.capacity].heldBytes == 0 else { return Hold() }
    if bytes <= limits.bytes { return Hold(bytes: bytes) }
    if pool.add(bytes, ordering: .relaxed).newValue <= limits.poolBytes {
      return Hold(bytes: bytes, isPooled: true)
    }
    pool.subtract(bytes, ordering: .relaxed)
    return Hold()
  }

  private mutating func prepare() -> Bool {
    if unsafe blocks == nil {
      unsafe blocks = PrivateMemory.map(Self.capacity * MemoryLayout<FreedBlock>.stride)?
        .assumingMemoryBound(to: FreedBlock.self)
    }
    return unsafe blocks != nil
  }

  /// Remembers a block in place of the oldest, which has left quarantine.
  mutating func add(_ freed: FreedBlock) {
    guard prepare(), let blocks = unsafe blocks else { return }
    let slot = added % Self.capacity
    // What is held is never forgotten.
    guard unsafe blocks[slot].heldBytes == 0 else { return }
    let oldest = unsafe blocks[slot].block
    if oldest != 0, indices.value(of: oldest) == UInt32(slot) { _ = indices.remove(oldest) }
    unsafe blocks[slot] = freed
    // Without an index it is still there for `takeOldest`.
    _ = indices.set(freed.block, to: UInt32(slot))
    added += 1
    if !freed.hold.isPooled { heldBytes += freed.heldBytes }
  }

  /// Takes the memory of the oldest block out of quarantine, while there is more than the limits
  /// allow.
  ///
  /// - Returns: that block, or `nil` when the quarantine is within the limits.
  mutating func takeOldest(
    over limits: QuarantineLimits, _ pool: borrowing Atomic<Int>
  ) -> FreedBlock? {
    guard let blocks = unsafe blocks else { return nil }
    while oldestHeld < added, heldBytes > limits.bytes || added - oldestHeld > limits.blocks {
      let slot = oldestHeld % Self.capacity
      oldestHeld += 1
      let freed = unsafe blocks[slot]
      if freed.heldBytes == 0 { continue }
      if freed.hold.isPooled {
        pool.subtract(freed.heldBytes, ordering: .relaxed)
      } else {
        heldBytes -= freed.heldBytes
      }
      unsafe blocks[slot].hold = Hold()
      return freed
    }
    return nil
  }

  /// Forgets where to find the block at an address that is given out again.
  mutating func forget(_ block: UInt) {
    _ = indices.remove(block)
  }

  /// The block that was released last at the address.
  func block(at address: UInt) -> FreedBlock? {
    guard let index = indices.value(of: address), let blocks = unsafe blocks else { return nil }
    return unsafe blocks[Int(index)]
  }

  /// Whether an earlier block is remembered at the address of `freed`.
  ///
  /// - Complexity: linear, as is the next; only for what has gone wrong.
  func hasEarlier(than freed: FreedBlock) -> Bool {
    first { $0.block == freed.block && $0.record.serial != freed.record.serial } != nil
  }

  /// The block that the address lies in.
  func block(around address: UInt, _ layout: BlockLayout) -> FreedBlock? {
    first { freed in
      freed.block <= address
        && address - freed.block < UInt(layout.blockBytes(forPayload: Int(freed.record.byteLength)))
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
      let freed = unsafe blocks[number % Self.capacity]
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
      unsafe blocks[index].stack = .none
      unsafe blocks[index].record.stack = .none
    }
  }
}

/// How much memory of released blocks one shard holds back.
struct QuarantineLimits {
  /// Bytes of blocks.
  var bytes: Int
  /// Bytes of blocks that are larger than that, in all shards together.
  var poolBytes: Int
  /// Blocks, fewer than `FreedBlocks.capacity`.
  var blocks: Int

  /// Nothing is held back.
  static let none = QuarantineLimits(bytes: 0, poolBytes: 0, blocks: 0)

  /// A shard's part of what the settings allow a process.
  init(processBytes: Int, processBlocks: Int, shards: Int) {
    bytes = processBytes / 2 / shards
    poolBytes = processBytes / 2
    // One place stays free for the block that pushes the oldest out.
    blocks = min((processBlocks + shards - 1) / shards, FreedBlocks.capacity - 1)
  }

  private init(bytes: Int, poolBytes: Int, blocks: Int) {
    self.bytes = bytes
    self.poolBytes = poolBytes
    self.blocks = blocks
  }
}
