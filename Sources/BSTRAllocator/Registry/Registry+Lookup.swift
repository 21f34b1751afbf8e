// What is known of an address: live, released, inside a block. Changes nothing but what it mends.

import CTracker
import TraceStore

extension Registry {
  /// What is known of the block at an address.
  enum BlockState {
    /// It is live.
    case live
    /// It was released. `isReused`: an earlier block of the same address is remembered, too.
    case freed(FreedBlock, isReused: Bool)
    /// Nothing.
    case unknown
  }

  /// What is known of the block that starts at the address.
  func state(of block: UInt) -> BlockState {
    let hash = ct_hash(block)
    let shard = unsafe acquireShard(for: hash)
    defer { unsafe release(shard) }
    guard let entry = unsafe shard.pointee.blocks.entry(of: block, hash) else { return .unknown }
    guard let place = entry.freedPlace else { return .live }
    guard let freed = unsafe shard.pointee.freed[place] else { return .unknown }
    return unsafe .freed(freed, isReused: shard.pointee.freed.hasEarlier(than: freed))
  }

  /// The start of the block of a string.
  ///
  /// A string lies as the copy of the functions laid it out that it was allocated by, which need
  /// not be the one that it has come to.
  ///
  /// - Parameter expected: the layout of the copy that it has come to.
  /// - Returns: the block of a string that is known, live or freed; of another the one that
  ///   `expected` says.
  func block(ofString bstr: UInt, _ expected: StringLayout, in store: borrowing StoreWriter) -> UInt
  {
    let block = bstr &- UInt(expected.payloadOffset)
    let other = bstr &- UInt(StoredLayout.otherOffset(expected.payloadOffset))
    return !isKnown(block, bstr, in: store) && isKnown(other, bstr, in: store) ? other : block
  }

  /// Whether a string at `bstr` with a block that starts at `block` is live or remembered.
  private func isKnown(_ block: UInt, _ bstr: UInt, in store: borrowing StoreWriter) -> Bool {
    switch state(of: block) {
    case .live:
      guard let record = liveRecord(of: block, in: store) else { return true }
      return UInt(record.address) == bstr
    case .freed(let freed, _): return UInt(freed.record.address) == bstr
    case .unknown: return false
    }
  }

  /// The start of a block of ours, live or in quarantine, that a pointer close to it may mean.
  ///
  /// One no more than 8 bytes behind the start or 4 in front of it. In glibc's heap no block is as
  /// small as 16 bytes, so that one which is 16 behind or 8 in front is nobody else's, either.
  ///
  /// Those are the start itself, the string's first character, and what a copy of another layout
  /// takes for the start.
  func block(near pointer: UInt) -> UInt? {
    let (behind, before): (UInt, UInt) = ct_heap_is_glibc() ? (16, 8) : (8, 4)
    for block in stride(from: (pointer &- behind) & ~3, through: pointer &+ before, by: 4)
    where block % 8 == 0 && owns(block) {
      return block
    }
    return nil
  }

  /// Whether memory that starts at the address is ours: that of a live block, or in quarantine.
  func owns(_ block: UInt) -> Bool {
    switch state(of: block) {
    case .live: true
    case .freed(let freed, _): freed.heldBytes > 0
    case .unknown: false
    }
  }

  /// A live block's record; `nil` when there is none, or no record of it.
  func liveRecord(of block: UInt, in store: borrowing StoreWriter) -> BlockRecord? {
    let shard = unsafe acquireShard(for: ct_hash(block))
    defer { unsafe release(shard) }
    return unsafe livePlace(of: block, in: shard)?.pointee
  }

  /// A live block's record, and what is wrong with the block; that is mended, so that it is told
  /// once.
  ///
  /// - Parameter serial: the allocation that is meant; any when it is `nil`.
  /// - Returns: `nil` when there is none, or no record of it.
  func inspect(
    _ block: UInt, serial: UInt64? = nil, in store: borrowing StoreWriter
  ) -> (record: BlockRecord, corruption: BlockLayout.BlockCorruption)? {
    let shard = unsafe acquireShard(for: ct_hash(block))
    defer { unsafe release(shard) }
    guard let record = unsafe livePlace(of: block, in: shard)?.pointee,
      serial == nil || serial == record.serial
    else { return nil }
    let layout = BlockLayout(record.layout)
    let corruption = layout.corruption(of: record)
    if !corruption.isEmpty,
      let bstr = unsafe UnsafeMutableRawPointer(bitPattern: UInt(record.address))
    {
      if corruption.prefix != nil {
        unsafe (bstr - 4).storeBytes(of: record.byteLength, as: UInt32.self)
      }
      layout.restoreTrailer(record)
    }
    return (record, corruption)
  }

  /// Notes that a live block now holds a shorter string, and moves its guard.
  func shorten(
    _ block: UInt, to byteCount: Int, in store: borrowing StoreWriter
  ) {
    let shard = unsafe acquireShard(for: ct_hash(block))
    defer { unsafe release(shard) }
    guard let place = unsafe livePlace(of: block, in: shard),
      let bstr = unsafe UnsafeMutableRawPointer(bitPattern: UInt(place.pointee.address))
    else { return }
    unsafe place.pointee.byteLength = UInt32(byteCount)
    unsafe shard.pointee.hasShortened = true
    unsafe BlockLayout(place.pointee.layout).setGuard(of: bstr, byteCount)
  }

  /// A released block that the address lies in.
  ///
  /// - Complexity: linear in what is remembered, and the next in records; only for what has gone
  ///   wrong.
  func freedBlock(around address: UInt) -> FreedBlock? {
    for index in 0..<Self.shardCount {
      let shard = unsafe acquireShard(index)
      defer { unsafe release(shard) }
      if let found = unsafe shard.pointee.freed.block(around: address) { return found }
    }
    return nil
  }

  /// The record of a live block that the address lies in.
  ///
  /// Takes no lock: a record that changes meanwhile may be missed.
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
