// The state of an address: live, freed, inside a block. Changes nothing but what it restores.

import CTracker
import TraceStore

extension Registry {
  /// The state of the block at an address.
  enum BlockState {
    /// It is live.
    case live
    /// It was freed. `isReused`: an earlier block of the same address is remembered, too.
    case freed(FreedBlock, isReused: Bool)
    /// Nothing is remembered of it.
    case unknown
  }

  /// Returns the state of the block that starts at the address.
  ///
  /// Takes a shard lock.
  func state(of block: UInt) -> BlockState {
    let hash = ct_hash(block)
    let shard = unsafe acquireShard(for: hash)
    defer { unsafe unlock(shard) }
    guard let entry = unsafe shard.pointee.blocks.entry(of: block, hash) else { return .unknown }
    guard let index = entry.freedIndex else { return .live }
    guard let freed = unsafe shard.pointee.freed[index] else { return .unknown }
    return unsafe .freed(freed, isReused: shard.pointee.freed.hasEarlier(than: freed))
  }

  /// Returns the start of the block of a string.
  ///
  /// A string has the layout of the copy of the functions that allocated it, which need not be the
  /// copy that was called with it.
  ///
  /// Takes shard locks, one at a time.
  ///
  /// - Parameter expected: the layout of the copy that was called with it.
  /// - Returns: the block of the string if it is live or remembered; otherwise the one that follows
  ///   from `expected`.
  func block(ofString bstr: UInt, _ expected: StringLayout, in store: borrowing StoreWriter) -> UInt
  {
    let block = bstr &- UInt(expected.payloadOffset)
    let other = bstr &- UInt(StoredLayout.otherOffset(expected.payloadOffset))
    return !isKnown(block, bstr, in: store) && isKnown(other, bstr, in: store) ? other : block
  }

  /// Returns the record of a live string, whatever its layout; `nil` when there is none, or no
  /// record of it.
  ///
  /// Without a generic type, such as a stride: in debug builds its metadata is allocated from the
  /// heap, maybe where the freed memory is that is about to be judged.
  ///
  /// Takes shard locks, one at a time.
  func liveRecord(ofString bstr: UInt, in store: borrowing StoreWriter) -> BlockRecord? {
    liveRecord(ofString: bstr, at: 4, in: store) ?? liveRecord(ofString: bstr, at: 8, in: store)
  }

  /// Returns the record of a live string if it has the given payload offset.
  private func liveRecord(
    ofString bstr: UInt, at payloadOffset: UInt, in store: borrowing StoreWriter
  ) -> BlockRecord? {
    guard let live = liveRecord(of: bstr &- payloadOffset, in: store) else { return nil }
    return UInt(live.address) == bstr ? live : nil
  }

  /// Returns whether a string at `bstr` with a block that starts at `block` is live or remembered.
  private func isKnown(_ block: UInt, _ bstr: UInt, in store: borrowing StoreWriter) -> Bool {
    switch state(of: block) {
    case .live:
      guard let record = liveRecord(of: block, in: store) else { return true }
      return UInt(record.address) == bstr
    case .freed(let freed, _): return UInt(freed.record.address) == bstr
    case .unknown: return false
    }
  }

  /// Returns the start of a registered block, live or quarantined, that a pointer close to it may
  /// mean.
  ///
  /// The pointer is at most 8 bytes after the start or 4 before it. In glibc's heap no block is as
  /// small as 16 bytes, so that 16 bytes after or 8 before the start is in no other block, either.
  ///
  /// These are the start itself, the string's first character, and the address that a copy of
  /// another layout takes for the start.
  ///
  /// Takes shard locks, one at a time.
  func block(near pointer: UInt) -> UInt? {
    let (after, before): (UInt, UInt) = ct_heap_is_glibc() ? (16, 8) : (8, 4)
    for block in stride(from: (pointer &- after) & ~3, through: pointer &+ before, by: 4)
    where block % 8 == 0 && owns(block) {
      return block
    }
    return nil
  }

  /// Returns whether a live or quarantined block starts at the address.
  ///
  /// Takes a shard lock.
  func owns(_ block: UInt) -> Bool {
    let hash = ct_hash(block)
    let shard = unsafe acquireShard(for: hash)
    defer { unsafe unlock(shard) }
    guard let entry = unsafe shard.pointee.blocks.entry(of: block, hash) else { return false }
    guard let index = entry.freedIndex else { return true }
    return unsafe (shard.pointee.freed[index]?.quarantinedBytes ?? 0) > 0
  }

  /// Returns a live block's record; `nil` when there is none, or no record of it.
  ///
  /// Takes a shard lock.
  func liveRecord(of block: UInt, in store: borrowing StoreWriter) -> BlockRecord? {
    let shard = unsafe acquireShard(for: ct_hash(block))
    defer { unsafe unlock(shard) }
    return unsafe liveRecordPointer(of: block, in: shard)?.pointee
  }

  /// Returns a live block's record and corruption, and restores the corrupted bytes, so that they
  /// are reported once.
  ///
  /// Takes a shard lock.
  ///
  /// - Parameter serial: the allocation that is meant; any when it is `nil`.
  /// - Returns: `nil` when there is none, or no record of it.
  func inspect(
    _ block: UInt, serial: UInt64? = nil, in store: borrowing StoreWriter
  ) -> (record: BlockRecord, corruption: BlockLayout.BlockCorruption)? {
    let shard = unsafe acquireShard(for: ct_hash(block))
    defer { unsafe unlock(shard) }
    guard let record = unsafe liveRecordPointer(of: block, in: shard)?.pointee,
      serial == nil || serial == record.serial
    else { return nil }
    let layout = BlockLayout(record.layout)
    let corruption = layout.corruption(of: record)
    if !corruption.isEmpty,
      let bstr = unsafe record.characters
    {
      if corruption.prefix != nil {
        unsafe (bstr - 4).storeBytes(of: record.byteLength, as: UInt32.self)
      }
      layout.restoreTrailer(record)
    }
    return (record, corruption)
  }

  /// Records that a live block now has a shorter string, and moves its guard.
  ///
  /// Takes a shard lock.
  func shorten(
    _ block: UInt, to byteCount: Int, in store: borrowing StoreWriter
  ) {
    let shard = unsafe acquireShard(for: ct_hash(block))
    defer { unsafe unlock(shard) }
    guard let pointer = unsafe liveRecordPointer(of: block, in: shard),
      let bstr = unsafe pointer.pointee.characters
    else { return }
    unsafe pointer.pointee.byteLength = UInt32(byteCount)
    unsafe shard.pointee.hasShortened = true
    unsafe BlockLayout(pointer.pointee.layout).setGuard(of: bstr, byteCount)
  }

  /// Returns a freed block that contains the address.
  ///
  /// Takes shard locks, one at a time.
  ///
  /// - Complexity: linear in the remembered blocks; called for faults only.
  func freedBlock(around address: UInt) -> FreedBlock? {
    for index in 0..<Self.shardCount {
      let shard = unsafe acquireShard(index)
      defer { unsafe unlock(shard) }
      if let found = unsafe shard.pointee.freed.block(around: address) { return found }
    }
    return nil
  }

  /// Returns the record of a live block that contains the address.
  ///
  /// Takes no lock: a record that changes meanwhile may be missed.
  ///
  /// - Complexity: linear in the records; called for faults only.
  func liveBlock(
    around address: UInt, in store: borrowing StoreWriter
  ) -> BlockRecord? {
    let records = unsafe store.start(of: .blocks).assumingMemoryBound(to: BlockRecord.self)
    for index in 0..<store.used(of: .blocks) / MemoryLayout<BlockRecord>.stride {
      if unsafe records[index].identity == 0 { continue }
      let record = unsafe records[index]
      let layout = BlockLayout(record.layout)
      let block = UInt(record.address) &- UInt(layout.stringLayout.payloadOffset)
      let bytes = UInt(layout.blockBytes(forPayload: Int(record.byteLength)))
      if block <= address, address - block < bytes { return record }
    }
    return nil
  }
}
