// Maps addresses to 32-bit values, in memory of its own. Takes no lock.

import CTracker
import Glibc

/// A hash table with open addressing and linear probing; removal closes the gap, so there are no
/// tombstones.
///
/// Its memory comes from `mmap`, never from the heap that is being traced. The owner guards it by a
/// lock. A new one is empty and owns no memory.
@safe
struct AddressMap: ~Copyable {
  // 0 marks a free slot: no block is at address 0.
  private var keys: UnsafeMutablePointer<UInt>?
  private var values: UnsafeMutablePointer<UInt32>?
  private var slots = 0
  /// Entries in the map.
  private(set) var count = 0

  private static let minSlots = 256

  init() {
    unsafe keys = nil
    unsafe values = nil
  }

  /// Returns the value stored for `key`, or `nil`.
  ///
  /// - Complexity: O(1) expected.
  func value(of key: UInt) -> UInt32? {
    guard let slot = slot(of: key), let values = unsafe values else { return nil }
    return unsafe values[slot]
  }

  /// Stores `value` for `key`, in place of an older one.
  ///
  /// - Returns: false when there is no memory to grow; the map is then as it was.
  mutating func set(_ key: UInt, to value: UInt32) -> Bool {
    if let slot = slot(of: key), let values = unsafe values {
      unsafe values[slot] = value
      return true
    }
    if (count + 1) * 5 > slots * 4, !grow() { return false }
    insert(key, value)
    count += 1
    return true
  }

  /// Removes `key` and returns the value that was stored for it, or `nil`.
  mutating func remove(_ key: UInt) -> UInt32? {
    guard var gap = slot(of: key), let keys = unsafe keys, let values = unsafe values else {
      return nil
    }
    let removed = unsafe values[gap]
    var next = (gap + 1) & (slots - 1)
    while unsafe keys[next] != 0 {
      let home = Self.home(of: unsafe keys[next], in: slots)
      // The entry may move into the gap unless its home slot is behind it.
      if (next &- home) & (slots - 1) >= (next &- gap) & (slots - 1) {
        unsafe keys[gap] = keys[next]
        unsafe values[gap] = values[next]
        gap = next
      }
      next = (next + 1) & (slots - 1)
    }
    unsafe keys[gap] = 0
    count -= 1
    return removed
  }

  /// Removes every key and keeps the memory.
  mutating func removeAll() {
    guard let keys = unsafe keys else { return }
    unsafe keys.update(repeating: 0, count: slots)
    count = 0
  }

  @inline(__always)
  private static func home(of key: UInt, in slots: Int) -> Int {
    // The upper bits choose shard and filter cell; the lower ones are still free.
    Int(truncatingIfNeeded: ct_hash(key)) & (slots - 1)
  }

  @inline(__always)
  private func slot(of key: UInt) -> Int? {
    guard let keys = unsafe keys else { return nil }
    var slot = Self.home(of: key, in: slots)
    while true {
      let found = unsafe keys[slot]
      if found == key { return slot }
      if found == 0 { return nil }
      slot = (slot + 1) & (slots - 1)
    }
  }

  @inline(__always)
  private func insert(_ key: UInt, _ value: UInt32) {
    guard let keys = unsafe keys, let values = unsafe values else { return }
    var slot = Self.home(of: key, in: slots)
    while unsafe keys[slot] != 0 { slot = (slot + 1) & (slots - 1) }
    unsafe keys[slot] = key
    unsafe values[slot] = value
  }

  private mutating func grow() -> Bool {
    let newSlots = max(Self.minSlots, slots * 2)
    let bytes = newSlots * (MemoryLayout<UInt>.stride + MemoryLayout<UInt32>.stride)
    guard let memory = unsafe PrivateMemory.map(bytes) else { return false }
    let (oldKeys, oldValues, oldSlots) = unsafe (keys, values, slots)
    unsafe keys = memory.assumingMemoryBound(to: UInt.self)
    unsafe values = (memory + newSlots * MemoryLayout<UInt>.stride).assumingMemoryBound(
      to: UInt32.self)
    slots = newSlots
    if let oldKeys = unsafe oldKeys, let oldValues = unsafe oldValues {
      for slot in 0..<oldSlots where unsafe oldKeys[slot] != 0 {
        unsafe insert(oldKeys[slot], oldValues[slot])
      }
      unsafe munmap(
        oldKeys, oldSlots * (MemoryLayout<UInt>.stride + MemoryLayout<UInt32>.stride))
    }
    return true
  }
}
