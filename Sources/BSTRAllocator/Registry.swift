// The lock-protected table of live blocks: "is this address a BSTR, and what do we know of it?"
// Does not capture stacks, allocate or free.

import CTracker
import Glibc
import TraceStore

/// Every live block by its start address, in shards with a lock each.
///
/// A shard's lock is held for a few hash-table steps and never while unwinding, allocating from the
/// heap or calling the loader. Lock order: a shard's lock, then the record lock.
@safe
struct Registry: ~Copyable {
  private static let shardBits = 6
  private static let shardCount = 1 << shardBits

  private let shards: UnsafeMutablePointer<Shard>
  private let records: UnsafeMutablePointer<RecordSpace>
  /// Guards the end of the blocks section, from which shards take places in portions.
  private let recordLock = Lock()

  init() {
    unsafe shards = .allocate(capacity: Self.shardCount)
    for index in 0..<Self.shardCount { unsafe (shards + index).initialize(to: Shard()) }
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
    let shard = unsafe shard(for: hash)
    unsafe shard.pointee.lock.acquire()
    defer { unsafe shard.pointee.lock.release() }
    let id = unsafe takePlace(from: shard, in: store) ?? .unrecorded
    if unsafe !shard.pointee.blocks.set(block, to: id.rawValue) {
      unsafe giveBack(id, to: shard, in: store)
      return false
    }
    ct_filter_add(hash)
    guard id != .unrecorded else { return false }
    let place = unsafe place(of: id, in: store)
    unsafe place.pointee.address = record.address
    unsafe place.pointee.byteLength = record.byteLength
    unsafe place.pointee.stack = record.stack
    unsafe place.pointee.thread = record.thread
    unsafe place.pointee.milliseconds = record.milliseconds
    // Last: a store that is cut off before this shows a free place.
    unsafe ct_publish(&place.pointee.serial, record.serial)
    return true
  }

  /// Forgets a block, before its memory is released: afterwards its address may be anyone's.
  func remove(_ block: UInt, in store: borrowing StoreWriter) -> Removal {
    let hash = ct_hash(block)
    let shard = unsafe shard(for: hash)
    unsafe shard.pointee.lock.acquire()
    defer { unsafe shard.pointee.lock.release() }
    guard let number = unsafe shard.pointee.blocks.remove(block) else { return .unknown }
    ct_filter_remove(hash)
    let id = BlockID(rawValue: number)
    if id == .unrecorded { return .own }
    if unsafe number < records.pointee.first { return .inherited }
    unsafe giveBack(id, to: shard, in: store)
    return .own
  }

  /// Whether a live block of ours starts at the address.
  func contains(_ block: UInt) -> Bool {
    let shard = unsafe shard(for: ct_hash(block))
    unsafe shard.pointee.lock.acquire()
    defer { unsafe shard.pointee.lock.release() }
    return unsafe shard.pointee.blocks.value(of: block) != nil
  }

  /// Notes that a live block now holds a string of another length.
  func resize(_ block: UInt, to byteLength: UInt32, in store: borrowing StoreWriter) {
    let shard = unsafe shard(for: ct_hash(block))
    unsafe shard.pointee.lock.acquire()
    defer { unsafe shard.pointee.lock.release() }
    if let number = unsafe shard.pointee.blocks.value(of: block),
      number != BlockID.unrecorded.rawValue, unsafe number >= records.pointee.first
    {
      unsafe place(of: BlockID(rawValue: number), in: store).pointee.byteLength = byteLength
    }
  }

  // MARK: places for records

  private func shard(for hash: UInt64) -> UnsafeMutablePointer<Shard> {
    unsafe shards + Int(hash >> (64 - UInt64(Self.shardBits)))
  }

  private func place(
    of id: BlockID, in store: borrowing StoreWriter
  ) -> UnsafeMutablePointer<BlockRecord> {
    let base = unsafe store.start(of: .blocks).assumingMemoryBound(to: BlockRecord.self)
    return unsafe base + Int(id.rawValue - records.pointee.first)
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

  /// Caller holds the shard lock.
  private func giveBack(
    _ id: BlockID, to shard: UnsafeMutablePointer<Shard>, in store: borrowing StoreWriter
  ) {
    guard id != .unrecorded else { return }
    let place = unsafe place(of: id, in: store)
    // First: a store that is cut off after this shows a free place.
    unsafe ct_publish(&place.pointee.serial, 0)
    unsafe place.pointee.address = shard.pointee.free.map { UInt64($0.rawValue) + 1 } ?? 0
    unsafe shard.pointee.free = id
  }

  // MARK: fork

  /// Takes every lock, in order.
  ///
  /// The forking thread holds none.
  func lockAll() {
    for index in 0..<Self.shardCount { unsafe shards[index].lock.acquire() }
    recordLock.acquire()
  }

  func unlockAll() {
    recordLock.release()
    for index in 0..<Self.shardCount { unsafe shards[index].lock.release() }
  }

  /// Keeps what is known of inherited blocks and starts on a new, empty store.
  ///
  /// - Parameter oldStore: the parent's; only how many records it had is read.
  func renewInForkedChild(recordsOfParent: Int) {
    recordLock.renewInForkedChild()
    for index in 0..<Self.shardCount {
      unsafe shards[index].lock.renewInForkedChild()
      unsafe shards[index].free = nil
    }
    unsafe records.pointee.first += UInt32(recordsOfParent)
  }

  /// The first own block's number, for the store's header.
  var firstBlock: UInt32 { unsafe records.pointee.first }
}

/// What became of a block that is to be released.
public enum Removal: Sendable {
  /// It was live and is now forgotten.
  case own
  /// It was live when this process was forked, and is now forgotten.
  case inherited
  /// It is no live block of ours.
  case unknown
}

/// A part of the registry with a lock of its own, on cache lines of its own.
private struct Shard: ~Copyable {
  /// Places that a shard takes from the store at once.
  static let portion = 64

  let lock = Lock()
  /// Start addresses of live blocks, with their `BlockID`s.
  ///
  /// Guarded by `lock`.
  var blocks = AddressMap()
  /// The first free place, which names the next.
  ///
  /// Guarded by `lock`.
  var free: BlockID?
  private let padding = InlineArray<8, UInt64>(repeating: 0)
}

/// Which numbers belong to this process's store.
///
/// Changed only in a forked child.
private struct RecordSpace {
  var first: UInt32 = 0
}
