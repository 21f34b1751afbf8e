// Counts which stacks free the strings of which stacks: what ownership is inferred from. Each
// thread has counts of its own; nothing here locks.

import CTracker
import Glibc
import TraceStore

/// The pairs of stacks that one thread has seen, with their counts in the store.
@safe
struct FreeSiteCounts: ~Copyable {
  /// Places of records in the store, by pair.
  private var places = AddressMap()
  /// The pair that was counted last: often it is the next one, too.
  private var lastKey: UInt = 0
  private var lastRecord: UnsafeMutablePointer<PairRecord>?
  /// Places that are set aside for this thread.
  private var free: Range<UInt32> = 0..<0
  /// The store that the places are in: a forked child begins a new one.
  private var generation: UInt32 = 0

  /// Places that are set aside at once: threads that count at the same time share no cache line.
  static let portion = 8

  /// Those of the calling thread, which is inside; `nil` when there is no memory for them.
  ///
  /// A thread that begins goes on with those of one that has ended.
  @inline(__always)
  static var current: UnsafeMutablePointer<FreeSiteCounts>? {
    unsafe (ct_thread().pointee.pair_counts ?? begin())?.assumingMemoryBound(
      to: FreeSiteCounts.self)
  }

  @inline(never)
  private static func begin() -> UnsafeMutableRawPointer? {
    guard let memory = unsafe PrivateMemory.map(MemoryLayout<FreeSiteCounts>.stride) else {
      return nil
    }
    unsafe memory.bindMemory(to: FreeSiteCounts.self, capacity: 1).initialize(to: FreeSiteCounts())
    unsafe ct_thread().pointee.pair_counts = memory
    return unsafe memory
  }

  /// Two stacks of which one frees what the other allocates.
  struct Pair {
    var allocated: StackID
    var freed: StackID
    /// Whether another thread frees it than has allocated it.
    var crossedThreads: Bool

    /// The map's hash leaves the lowest four bits out: what is there changes least.
    @inline(__always)
    fileprivate var key: UInt {
      // A stack's number has at most 31 bits: the section has no room for more.
      let key =
        UInt(allocated.rawValue) << 32 | UInt(freed.rawValue) << 1 | (crossedThreads ? 1 : 0)
      return key << 4 | key >> 60
    }
  }

  /// Counts one string; nothing when the store is full.
  ///
  /// - Parameters:
  ///   - byteLength: its payload.
  ///   - generation: how often this process's store has been begun anew.
  ///   - makeRoom: the place of the first of `portion` new records in the store, or `nil`.
  @inline(__always)
  mutating func count(
    _ pair: Pair, byteLength: UInt32, generation: UInt32, in store: borrowing StoreWriter,
    makeRoom: () -> Int?
  ) {
    if pair.key != lastKey || generation != self.generation {
      guard find(pair, generation, in: store, makeRoom) else { return }
    }
    guard let record = unsafe lastRecord else { return }
    unsafe record.pointee.count &+= 1
    unsafe record.pointee.bytes &+= UInt64(byteLength)
  }

  /// Finds a pair's record, or begins one.
  ///
  /// - Returns: false when the store is full.
  @inline(never)
  private mutating func find(
    _ pair: Pair, _ generation: UInt32, in store: borrowing StoreWriter, _ makeRoom: () -> Int?
  ) -> Bool {
    let key = pair.key
    if generation != self.generation {
      places.removeAll()
      free = 0..<0
      lastKey = 0
      self.generation = generation
    }
    let records = unsafe store.start(of: .pairs).assumingMemoryBound(to: PairRecord.self)
    let known = places.value(of: key)
    guard let place = known ?? begin(key, makeRoom) else { return false }
    let record = unsafe records + Int(place)
    if known == nil {
      unsafe record.initialize(
        to: PairRecord(
          allocated: pair.allocated, freed: pair.freed, crossedThreads: pair.crossedThreads,
          count: 0, bytes: 0))
    }
    lastKey = key
    unsafe lastRecord = record
    return true
  }

  private mutating func begin(_ key: UInt, _ makeRoom: () -> Int?) -> UInt32? {
    if free.isEmpty, let first = makeRoom().map({ UInt32(truncatingIfNeeded: $0) }) {
      free = first..<first + UInt32(Self.portion)
    }
    guard let place = free.first, places.set(key, to: place) else { return nil }
    free = place + 1..<free.upperBound
    return place
  }
}
