// Counts which stacks free the strings of which stacks: what ownership is inferred from. Does not
// lock: a shard's lock guards it.

import CTracker
import Glibc
import TraceStore

/// The pairs of stacks that one shard has seen, with their counts in the store.
struct PairCounts: ~Copyable {
  /// Places of records in the store, by pair.
  private var places = AddressMap()
  /// The pair that was counted last: often it is the next one, too.
  private var last: (key: UInt, place: UInt32) = (0, 0)

  /// Counts one string; nothing when the store is full.
  ///
  /// - Parameters:
  ///   - crossedThreads: whether another thread frees it than has allocated it.
  ///   - byteLength: its payload.
  ///   - makeRoom: a new record's place in the store, or `nil`.
  mutating func count(
    _ allocated: StackID, _ freed: StackID, crossedThreads: Bool, byteLength: UInt32,
    in store: borrowing StoreWriter,
    makeRoom: () -> Int?
  ) {
    let key = Self.key(allocated, freed, crossedThreads)
    let records = unsafe store.start(of: .pairs).assumingMemoryBound(to: PairRecord.self)
    if key == last.key || places.value(of: key) != nil {
      let place = key == last.key ? last.place : places.value(of: key) ?? 0
      last = (key, place)
      unsafe (records + Int(place)).pointee.count += 1
      unsafe (records + Int(place)).pointee.bytes += UInt64(byteLength)
      return
    }
    guard let place = makeRoom(), places.set(key, to: UInt32(truncatingIfNeeded: place)) else {
      return
    }
    unsafe (records + place).initialize(
      to: PairRecord(
        allocated: allocated, freed: freed, crossedThreads: crossedThreads, count: 1,
        bytes: UInt64(byteLength)))
  }

  /// The map's hash leaves the lowest four bits out: what is there changes least.
  private static func key(
    _ allocated: StackID, _ freed: StackID, _ crossedThreads: Bool
  ) -> UInt {
    // A stack's number has at most 31 bits: the section has no room for more.
    let key =
      UInt(allocated.rawValue) << 32 | UInt(freed.rawValue) << 1 | (crossedThreads ? 1 : 0)
    return key << 4 | key >> 60
  }

  /// Forgets all pairs.
  ///
  /// Only in a forked child, whose store is new.
  mutating func removeAll() {
    places.removeAll()
    last = (0, 0)
  }
}
