// The hash table of a shard, from a block's address to its entry. Does not lock.

import CTracker
import Glibc

/// A hash table of the blocks of one shard by address: open addressing with linear probing, in
/// words of 8 bytes; removal closes the gap, so there are no tombstones.
///
/// Its memory comes from `mmap`, never from the heap that is being traced. The caller holds the
/// shard lock. A new table is empty and has no memory.
@safe
struct BlockTable: ~Copyable {
  // The upper 45 bits are a block's address without its lowest three, which are 0; the lower 19 are
  // the entry. No block is at address 0: 0 marks a free slot.
  private(set) var words: UnsafeMutablePointer<UInt64>?
  private(set) var mask = -1
  /// The count of entries in the table.
  private(set) var count = 0
  /// The count of entries at which it grows: four fifths of its slots.
  private(set) var limit = 0

  private static let minSlots = 256
  static let entryBits: UInt64 = 19
  private static let entryMask: UInt64 = 1 << entryBits - 1

  init() {
    unsafe words = nil
  }

  /// Returns the bits that are kept of a block's address; a value too large for them for an address
  /// that is no block's.
  @inline(__always)
  private static func key(of block: UInt) -> UInt64 { UInt64(block >> 3 | block << 61) }

  /// Returns whether the bits that are kept of a block's address identify it.
  ///
  /// The kernel maps at addresses of more than 48 bits only on request.
  @inline(__always)
  static func isRepresentable(_ block: UInt) -> Bool {
    // Address 0 wraps around to the largest key.
    key(of: block) &- 1 < 1 << (64 - entryBits) - 1
  }

  /// Returns the slot of a block's entry until the next change; `nil` when there is none.
  ///
  /// - Parameter hash: `ct_hash` of the block, here and below.
  /// - Complexity: O(1) expected.
  @inline(__always)
  func slot(of block: UInt, _ hash: UInt64) -> Int? {
    guard let words = unsafe words else { return nil }
    var slot = Int(truncatingIfNeeded: hash) & mask
    let key = Self.key(of: block)
    while true {
      let word = unsafe words[slot]
      // First: address 0 has the key of a free slot.
      if word == 0 { return nil }
      if word >> Self.entryBits == key { return slot }
      slot = (slot &+ 1) & mask
    }
  }

  /// The entry in a slot that `slot(of:_:)` returned; no other entry has changed since.
  subscript(slot: Int) -> BlockEntry {
    @inline(__always) get {
      guard let words = unsafe words else { return .unrecorded }
      return unsafe BlockEntry(rawValue: UInt32(truncatingIfNeeded: words[slot] & Self.entryMask))
    }
    @inline(__always) nonmutating set {
      guard let words = unsafe words else { return }
      unsafe words[slot] = words[slot] & ~Self.entryMask | UInt64(newValue.rawValue)
    }
  }

  /// Returns a block's entry, or `nil` when there is none.
  @inline(__always)
  func entry(of block: UInt, _ hash: UInt64) -> BlockEntry? {
    slot(of: block, hash).map { self[$0] }
  }

  /// Sets a block's entry, replacing an older one.
  ///
  /// - Parameter block: one that `isRepresentable`.
  /// - Returns: false when there is no memory to grow; the table is then as it was.
  @inline(__always)
  mutating func set(_ block: UInt, _ hash: UInt64, to entry: BlockEntry) -> Bool {
    if count >= limit, !grow() {
      guard let slot = slot(of: block, hash) else { return false }
      self[slot] = entry
      return true
    }
    guard let words = unsafe words else { return false }
    let key = Self.key(of: block)
    var slot = Int(truncatingIfNeeded: hash) & mask
    while true {
      let word = unsafe words[slot]
      if word == 0 {
        count &+= 1
      } else if word >> Self.entryBits != key {
        slot = (slot &+ 1) & mask
        continue
      }
      unsafe words[slot] = key << Self.entryBits | UInt64(entry.rawValue)
      return true
    }
  }

  /// Removes the entry in a slot that `slot(of:_:)` returned.
  @inline(__always)
  mutating func remove(at slot: Int) {
    guard let words = unsafe words else { return }
    var gap = slot
    var next = (gap &+ 1) & mask
    while unsafe words[next] != 0 {
      let home = Self.home(of: unsafe words[next], mask)
      // The entry may move into the gap unless its home slot is after the gap.
      if (next &- home) & mask >= (next &- gap) & mask {
        unsafe words[gap] = words[next]
        gap = next
      }
      next = (next &+ 1) & mask
    }
    unsafe words[gap] = 0
    count &-= 1
  }

  /// Marks every live block that has a record as inherited: live, without a record.
  mutating func markAllInherited() {
    for slot in 0..<mask + 1 {
      if let words = unsafe words, unsafe words[slot] != 0, self[slot].isLive,
        self[slot] != .unrecorded
      {
        self[slot] = .inherited
      }
    }
  }

  /// Returns the slot at which the search for an entry begins.
  @inline(__always)
  static func home(of word: UInt64, _ mask: Int) -> Int {
    // The upper bits choose shard and filter cell; the lower ones are still free.
    Int(truncatingIfNeeded: ct_hash(UInt(word >> entryBits) << 3)) & mask
  }

  @inline(never)
  private mutating func grow() -> Bool {
    let oldSlots = mask + 1
    let slots = max(Self.minSlots, oldSlots * 2)
    let stride = MemoryLayout<UInt64>.stride
    guard let memory = unsafe PrivateMemory.map(slots * stride) else { return false }
    let new = unsafe memory.assumingMemoryBound(to: UInt64.self)
    mask = slots - 1
    limit = slots / 5 * 4
    if let old = unsafe words {
      for index in 0..<oldSlots {
        let word = unsafe old[index]
        if word == 0 { continue }
        var slot = Self.home(of: word, mask)
        while unsafe new[slot] != 0 { slot = (slot &+ 1) & mask }
        unsafe new[slot] = word
      }
      unsafe munmap(old, oldSlots * stride)
    }
    unsafe words = new
    return true
  }
}
