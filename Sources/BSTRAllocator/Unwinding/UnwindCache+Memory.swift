// The memory of a thread's unwind cache: its parts, their sizes, and its growth. Does not know what
// an entry means.

import CTracker
import Glibc

extension UnwindCache {
  /// The offsets of the parts of a cache's memory, in bytes: they follow from the count of entries.
  struct Geometry {
    /// The count of entries as a power of two, without the last ones, which are no entry's home.
    let entryBits: Int

    /// A new thread's cache.
    static let smallest = Geometry(entryBits: 8)
    /// The limit of growth.
    static let largest = Geometry(entryBits: 14)

    /// The next larger one; `nil` for the largest.
    var larger: Geometry? {
      entryBits < Self.largest.entryBits ? Geometry(entryBits: entryBits + 2) : nil
    }

    // The cache's header is on a cache line of its own, as each of the entries is.
    static let entryOffset = 64
    var entryCount: Int { 1 << entryBits + ways }
    /// The index of slots by the hash of them and of those behind them.
    var indexBits: Int { min(entryBits + 2, 12) }
    var indexOffset: Int { Self.entryOffset + entryCount * MemoryLayout<Entry>.stride }
    /// Rules of call frame information by return address.
    var ruleBits: Int { min(entryBits, 12) }
    var ruleOffset: Int { indexOffset + MemoryLayout<UInt32>.stride << indexBits }
    /// Addresses that were compared on the way to a branch, and behind them the slots of the stack
    /// that is being inserted.
    var workOffset: Int { ruleOffset + MemoryLayout<RuleTable.Element>.stride << ruleBits }
    /// Slots of all stacks, in use from the front.
    var slotCount: Int { 8 << entryBits }
    var slotOffset: Int { workOffset + 2 * maxSlotsOfStack * MemoryLayout<Slot>.stride }
    var bytes: Int { slotOffset + slotCount * MemoryLayout<Slot>.stride }

    /// Maps empty memory; `nil` when there is none.
    func map() -> UnsafeMutableRawPointer? {
      guard let memory = unsafe PrivateMemory.map(bytes) else { return nil }
      let header = Cache(entryBits: UInt32(entryBits), entryMask: UInt32(1 << entryBits - 1) << 6)
      unsafe memory.bindMemory(to: Cache.self, capacity: 1).initialize(to: header)
      return unsafe memory
    }
  }

  /// Returns the sizes of a cache's parts.
  static func geometry(of memory: UnsafeMutableRawPointer) -> Geometry {
    unsafe Geometry(entryBits: Int(memory.assumingMemoryBound(to: Cache.self).pointee.entryBits))
  }

  /// Returns the calling thread's cache, for which memory is mapped at its first use, without any
  /// entry from before the latest unload; `nil` when there is no memory.
  static func memory(unloads: UInt32) -> UnsafeMutableRawPointer? {
    let thread = unsafe ct_thread()
    guard let memory = unsafe thread.pointee.unwind_cache else {
      guard let memory = unsafe Geometry.smallest.map() else { return nil }
      unsafe memory.assumingMemoryBound(to: Cache.self).pointee.unloads = unloads
      unsafe use(memory)
      return unsafe memory
    }
    if unsafe memory.assumingMemoryBound(to: Cache.self).pointee.unloads != unloads {
      unsafe startAnew(memory, unloads)
    }
    return unsafe memory
  }

  /// Replaces the calling thread's cache by an empty one of four times the size.
  ///
  /// - Returns: the new memory; `nil` when the cache has its largest size or there is no memory.
  ///   The cache is then as it was.
  static func grow(_ memory: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    let geometry = unsafe geometry(of: memory)
    guard let new = unsafe geometry.larger?.map() else { return nil }
    unsafe new.assumingMemoryBound(to: Cache.self).pointee.unloads =
      memory.assumingMemoryBound(to: Cache.self).pointee.unloads
    unsafe use(new)
    unsafe munmap(memory, geometry.bytes)
    return unsafe new
  }

  /// Empties a cache.
  static func startAnew(_ memory: UnsafeMutableRawPointer, _ unloads: UInt32) {
    let cache = unsafe memory.assumingMemoryBound(to: Cache.self)
    let bytes = unsafe geometry(of: memory).bytes
    let (entryBits, entryMask) = unsafe (cache.pointee.entryBits, cache.pointee.entryMask)
    // Zeroed: all entries are empty. The kernel zeroes the memory unless the program has locked it.
    if unsafe madvise(memory, bytes, MADV_DONTNEED) != 0 { unsafe memset(memory, 0, bytes) }
    unsafe cache.pointee = Cache(entryBits: entryBits, entryMask: entryMask, unloads: unloads)
  }

  /// Makes memory the calling thread's cache.
  private static func use(_ memory: UnsafeMutableRawPointer) {
    let thread = unsafe ct_thread()
    // In this order: a child that is forked in between unmaps too little rather than too much.
    unsafe thread.pointee.unwind_cache = memory
    unsafe thread.pointee.unwind_cache_bytes = geometry(of: memory).bytes
  }

  /// Returns the calling thread's table of rules; `nil` when there is no memory.
  static func rules(unloads: UInt32) -> RuleTable? {
    guard let memory = unsafe memory(unloads: unloads) else { return nil }
    return unsafe rules(in: memory)
  }

  /// Returns the table of rules in a cache's memory.
  static func rules(in memory: UnsafeMutableRawPointer) -> RuleTable {
    let geometry = unsafe geometry(of: memory)
    return unsafe RuleTable(
      (memory + geometry.ruleOffset).assumingMemoryBound(to: RuleTable.Element.self),
      bits: geometry.ruleBits)
  }
}
