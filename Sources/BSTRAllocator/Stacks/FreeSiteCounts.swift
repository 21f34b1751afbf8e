// Counts pairs of allocating and freeing stacks, from which ownership is inferred. Each thread has
// counts of its own; takes no lock.

import CTracker
import TraceStore

/// The pairs of stacks that one thread has counted, with their records in the store.
@safe
struct FreeSiteCounts: ~Copyable {
  /// Indices of records in the store, by pair.
  private var indices = AddressMap()
  /// The pair that was counted last, which is often the next one, too.
  private var lastKey: UInt = 0
  private var lastRecord: UnsafeMutablePointer<PairRecord>?
  /// Indices of records that are set aside for this thread.
  private var free: Range<UInt32> = 0..<0
  /// The generation of the store that the records are in: a forked child begins a new one.
  private var generation: UInt32 = 0

  /// The count of records that are set aside at once, so that threads that count at the same time
  /// share no cache line.
  static let portion = 8

  /// The counts of the calling thread; `nil` when there is no memory for them.
  ///
  /// Caller holds the recursion guard.
  ///
  /// A new thread reuses the table of one that exited.
  @inline(__always)
  static var current: UnsafeMutablePointer<FreeSiteCounts>? {
    unsafe (ct_thread().pointee.pair_counts ?? makeCounts())?.assumingMemoryBound(
      to: FreeSiteCounts.self)
  }

  @inline(never)
  private static func makeCounts() -> UnsafeMutableRawPointer? {
    guard let memory = unsafe PrivateMemory.map(MemoryLayout<FreeSiteCounts>.stride) else {
      return nil
    }
    unsafe memory.bindMemory(to: FreeSiteCounts.self, capacity: 1).initialize(to: FreeSiteCounts())
    unsafe ct_thread().pointee.pair_counts = memory
    return unsafe memory
  }

  /// An allocating and a freeing stack of the same strings.
  struct Pair {
    var allocated: StackID
    var freed: StackID
    /// Whether the string was freed by another thread than the one that allocated it.
    var crossedThreads: Bool

    /// The pair as one word, for the map, whose hash leaves the lowest four bits out: the bits that
    /// vary least are there.
    @inline(__always)
    fileprivate var key: UInt {
      // A stack's id has at most 31 bits: the section has no room for more.
      let key =
        UInt(allocated.rawValue) << 32 | UInt(freed.rawValue) << 1 | (crossedThreads ? 1 : 0)
      return key << 4 | key >> 60
    }
  }

  /// Counts one freed string; a no-op when the store is full.
  ///
  /// - Parameters:
  ///   - byteLength: bytes of its payload.
  ///   - generation: the count of times that this process's store has begun anew.
  ///   - makeRoom: returns the index of the first of `portion` new records in the store, or `nil`.
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

  /// Finds a pair's record, or adds one.
  ///
  /// - Returns: false when the store is full.
  @inline(never)
  private mutating func find(
    _ pair: Pair, _ generation: UInt32, in store: borrowing StoreWriter, _ makeRoom: () -> Int?
  ) -> Bool {
    let key = pair.key
    if generation != self.generation {
      indices.removeAll()
      free = 0..<0
      lastKey = 0
      self.generation = generation
    }
    let records = unsafe store.start(of: .pairs).assumingMemoryBound(to: PairRecord.self)
    let known = indices.value(of: key)
    guard let index = known ?? addRecord(key, makeRoom) else { return false }
    let record = unsafe records + Int(index)
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

  private mutating func addRecord(_ key: UInt, _ makeRoom: () -> Int?) -> UInt32? {
    if free.isEmpty, let first = makeRoom().map({ UInt32(truncatingIfNeeded: $0) }) {
      free = first..<first + UInt32(Self.portion)
    }
    guard let index = free.first, indices.set(key, to: index) else { return nil }
    free = index + 1..<free.upperBound
    return index
  }
}
