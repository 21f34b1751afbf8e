// Maps stack hashes to stack ids. Does not know the contents of stacks, and takes no lock.

import Glibc
import TraceStore

/// A hash table with open addressing; entries are added one by one and removed only all at once.
///
/// Its memory comes from `mmap`. The depot's lock guards it.
@safe
struct StackHashTable: ~Copyable {
  // Each entry is a hash in the upper and a stack id in the lower 32 bits; 0 is free.
  private var entries: UnsafeMutablePointer<UInt64>?
  private var slots = 0
  private var count = 0

  private static let minSlots = 1024

  init() {
    unsafe entries = nil
  }

  /// Finds the stack with the hash that `matches` accepts.
  func find(_ hash: UInt32, where matches: (StackID) -> Bool) -> StackID? {
    guard let entries = unsafe entries else { return nil }
    var slot = Int(hash) & (slots - 1)
    while true {
      let entry = unsafe entries[slot]
      if entry == 0 { return nil }
      if UInt32(entry >> 32) == hash {
        let id = StackID(rawValue: UInt32(truncatingIfNeeded: entry))
        if matches(id) { return id }
      }
      slot = (slot + 1) & (slots - 1)
    }
  }

  /// Adds a stack that `find` did not find.
  ///
  /// Without memory to grow it is not added, which only costs a second record of the same stack.
  mutating func add(_ hash: UInt32, _ id: StackID) {
    if (count + 1) * 3 > slots * 2, !grow() { return }
    insert(UInt64(hash) << 32 | UInt64(id.rawValue))
    count += 1
  }

  /// Forgets every stack.
  mutating func removeAll() {
    if let entries = unsafe entries { unsafe memset(entries, 0, slots * 8) }
    count = 0
  }

  private func insert(_ entry: UInt64) {
    guard let entries = unsafe entries else { return }
    var slot = Int(entry >> 32) & (slots - 1)
    while unsafe entries[slot] != 0 { slot = (slot + 1) & (slots - 1) }
    unsafe entries[slot] = entry
  }

  private mutating func grow() -> Bool {
    let newSlots = max(Self.minSlots, slots * 2)
    guard let memory = unsafe PrivateMemory.map(newSlots * 8) else { return false }
    let (old, oldSlots) = unsafe (entries, slots)
    unsafe entries = memory.assumingMemoryBound(to: UInt64.self)
    slots = newSlots
    if let old = unsafe old {
      for slot in 0..<oldSlots where unsafe old[slot] != 0 { unsafe insert(old[slot]) }
      unsafe munmap(old, oldSlots * 8)
    }
    return true
  }
}
