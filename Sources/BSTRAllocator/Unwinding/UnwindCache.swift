// Caches unwound stacks per thread; a hit is exact and does not unwind. Takes no lock.

import CTracker
import Glibc
import TraceStore

/// The inputs of unwinds, cached by call site.
///
/// A match proves that a full unwind would find the same frames: an unwind starts with the caller's
/// return address, stack pointer and frame pointer. At each frame the call frame information of the
/// return address gives the locations of the next return address and of the saved frame pointer, as
/// offsets from one of the two pointers; a stack with any other input is not cached (`CFARule`). So
/// if the start is the same, and all those words on the stack are, then by induction every step is
/// the same. Compared are the return addresses, and of the frame pointers those from which a frame
/// address is computed. They are read from the innermost frame outwards, each only when all before
/// it were the same or are on the same page: no page is read that an unwind would not read. Call
/// frame information changes only with modules: `dlclose` empties all caches.
///
/// Stacks with the same inner frames share their slots: at a divergence point a branch continues,
/// found by the word that differs and its position.
///
/// The sizes of a thread's memory, new and largest, of which the kernel provides the pages that are
/// used (`Geometry`). One that is full starts anew, four times as large while that can be had:
///
///     Cache      64 B             unloads, slots in use, ids given out, count of entries
///     entries    16 KiB   1 MiB   of 64 bytes, and 4 more: an entry is in one of 4 from its home
///     index       4 KiB  16 KiB   slots by the hash of them and all behind: shared frames
///     rules       4 KiB  64 KiB   rules of call frame information by return address
///     work       16 KiB  16 KiB   slots of the stack that is being inserted
///     slots      32 KiB   2 MiB   of 16 bytes, filled from the front
///
/// An entry fills a cache line:
///
///     word  8 | origin 8 | stack 4 | id 4 | own run 8 | shared run 8 | branches 8 | slot 16
///
/// Its slots are two runs, each of a first index and the counts of links and plain slots: its own,
/// in the memory's slots or, if it is a single one, in the entry itself; and those that it shares.
/// A link is a frame of the frame-pointer chain: (caller's frame, return address). A plain slot is
/// any other word that the unwind read: (address | 1, value). Two stacks that diverge at the second
/// frame and have the same outer frames:
///
///     root    word: return address of the call      own          shared
///             origin: frame                    ──▶ [link|link] ──▶ [link|link|plain]
///                                                        │            ▲
///                                                        │ another    │
///                                                        │ word       │
///     branch  word: what is there instead                ▼            │
///             origin: root's id, slot's index  ──▶ [link] ────────────┘
enum UnwindCache {
  /// A stack, or the rest of one behind a divergence point.
  struct Entry {
    /// The caller's return address; of a branch, the word that differs.
    var word: UInt = 0
    /// The caller's frame, its stack pointer after the call; of a branch, the parent entry's id and
    /// the position of the divergence point.
    var origin: UInt = 0
    var stack: StackID = .none
    /// The id by which branches refer to the entry, not reused before the cache starts anew.
    ///
    /// `probation` for a stack whose inputs are found when it is unwound again, `uncacheable` for
    /// one with unsupported call frame information.
    var id = Entry.probation
    var slots = Slots()
    /// For a root: the branch at whose end a stack was found last, how often in a row, and how
    /// often the root was replaced for that.
    var lastBranch: UInt32 = 0
    var streak: UInt16 = 0
    var reroots: UInt16 = 0
    /// Room for the own slot, if it is a single one: then the whole entry is on one cache line.
    private var slot = Slot(first: 0, second: 0)

    init(word: UInt, origin: UInt, stack: StackID) {
      self.word = word
      self.origin = origin
      self.stack = stack
    }

    static let probation: UInt32 = 0
    static let uncacheable: UInt32 = .max

    /// Whether its slots are known.
    @inline(__always)
    var isKnown: Bool { id &+ 1 > 1 }
  }

  struct Cache {
    /// The count of entries as a power of two.
    var entryBits: UInt32
    /// The bits of an entry's home, in bytes from the first entry.
    var entryMask: UInt32
    /// The count of unloads at which all entries are valid.
    var unloads: UInt32 = 0
    /// The count of slots in use outside of entries.
    var slotsUsed: UInt32 = 0
    /// The count of ids that were given to entries.
    var idsUsed: UInt32 = 0
  }

  /// Neighbouring entries in which a word and an origin may be.
  static let ways = 4
  /// Two words for each frame, and the caller's frame pointer and return address before them.
  static let maxSlotsOfStack = 2 * StackCapture.maxDepth + 2
  private static let maxBranches = 32
  /// After so many hits in a row behind the same branch, an unwind is worth it to make the stack
  /// the root: twice as many each time, and `maxReroots` times at most, since that cuts the other
  /// branches off.
  static let longStreak: UInt16 = 1 << 12
  private static let maxReroots: UInt16 = 4

  /// Returns the id of the stack that a call is made from on a hit, `none` on a miss.
  ///
  /// A call whose frame is unknown, 0, is never cached.
  ///
  /// - Complexity: linear in the stack's frames, about half a nanosecond each.
  @inline(never)
  static func stack(at caller: CallSite, unloads: UInt32) -> StackID {
    guard let memory = unsafe ct_thread().pointee.unwind_cache,
      unsafe memory.assumingMemoryBound(to: Cache.self).pointee.unloads == unloads
    else { return .none }
    guard let entry = unsafe find(caller.returnAddress, caller.frame, in: memory),
      unsafe entry.pointee.isKnown
    else { return .none }
    guard let mismatch = unsafe firstMismatch(&entry.pointee.slots, from: caller.frame, memory)
    else {
      if unsafe entry.pointee.streak != 0 { unsafe entry.pointee.streak = 0 }
      return unsafe entry.pointee.stack
    }
    return unsafe stack(branchingFrom: entry, at: mismatch, memory)
  }

  /// Looks a stack up behind a divergence point.
  ///
  /// A function of its own, so that the fast path needs few registers.
  @inline(never)
  private static func stack(
    branchingFrom root: UnsafeMutablePointer<Entry>, at mismatch: Mismatch,
    _ memory: UnsafeMutableRawPointer
  ) -> StackID {
    var entry = unsafe root
    var mismatch = unsafe mismatch
    while true {
      let (word, origin) = unsafe branchKey(of: entry, at: mismatch, memory)
      guard let next = unsafe find(word, origin, in: memory), unsafe next.pointee.isKnown else {
        return .none
      }
      guard
        let further = unsafe firstMismatch(&next.pointee.slots, from: mismatch.frame, memory)
      else {
        return unsafe shouldReroot(with: next.pointee.id, root) ? .none : next.pointee.stack
      }
      unsafe entry = next
      unsafe mismatch = further
    }
  }

  /// Returns whether the stack that was found behind a branch should replace the root.
  ///
  /// The root is then on probation: the stack is unwound once more, and is the root from then on.
  @inline(__always)
  private static func shouldReroot(
    with branch: UInt32, _ root: UnsafeMutablePointer<Entry>
  ) -> Bool {
    guard unsafe root.pointee.lastBranch == branch else {
      unsafe root.pointee.lastBranch = branch
      unsafe root.pointee.streak = 1
      return false
    }
    unsafe root.pointee.streak &+= 1
    let reroots = unsafe root.pointee.reroots
    guard reroots < maxReroots, unsafe root.pointee.streak == longStreak << reroots else {
      return false
    }
    unsafe root.pointee.reroots = reroots + 1
    unsafe root.pointee.streak = 0
    unsafe root.pointee.id = Entry.probation
    return true
  }

  /// Inserts an unwound stack: the first time on probation, the next time with the inputs of the
  /// unwind.
  ///
  /// - Parameters:
  ///   - id: the stack's id.
  ///   - stack: the stack as libunwind found it.
  static func insert(
    _ id: StackID, _ stack: StackCapture.Stack, at caller: CallSite, unloads: UInt32
  ) {
    // An unwind that did not reach the caller does not predict the next one.
    guard unsafe stack.reachesCaller else { return }
    guard let words = unsafe UnsafePointer<UInt>(bitPattern: caller.frame),
      unsafe words[1] == caller.returnAddress, var memory = unsafe memory(unloads: unloads)
    else { return }
    let cache = unsafe memory.assumingMemoryBound(to: Cache.self).pointee
    if unsafe Int(cache.slotsUsed) + maxSlotsOfStack > geometry(of: memory).slotCount
      || cache.idsUsed == Entry.uncacheable - 1
    {
      unsafe memory = growOrStartAnew(memory)
    }
    var word = caller.returnAddress
    var origin = caller.frame
    var frame = caller.frame
    var compared = unsafe Compared(in: memory)
    for _ in 0..<maxBranches {
      guard let entry = unsafe find(word, origin, in: memory) else {
        if unsafe !hasFreeEntry(word, origin, in: memory), let larger = unsafe grow(memory) {
          unsafe memory = larger
          (word, origin) = (caller.returnAddress, caller.frame)
        }
        unsafe victim(word, origin, in: memory).pointee = Entry(
          word: word, origin: origin, stack: id)
        return
      }
      switch unsafe entry.pointee.id {
      case Entry.uncacheable: return
      case Entry.probation:
        return unsafe promote(entry, id, stack, caller, from: frame, compared, memory)
      default:
        guard let mismatch = unsafe firstMismatch(&entry.pointee.slots, from: frame, memory) else {
          return
        }
        unsafe forEachAddress(entry.pointee.slots, before: mismatch, from: frame, memory) {
          unsafe compared.add($0)
        }
        (word, origin) = unsafe branchKey(of: entry, at: mismatch, memory)
        frame = unsafe mismatch.frame
      }
    }
  }

  /// The addresses of the words that were compared on the way to a branch.
  @unsafe private struct Compared {
    /// Room for twice `maxSlotsOfStack`.
    let addresses: UnsafeMutablePointer<UInt>
    private(set) var count = 0

    init(in memory: UnsafeMutableRawPointer) {
      unsafe addresses = (memory + geometry(of: memory).workOffset).assumingMemoryBound(
        to: UInt.self)
    }

    /// Room for slots, behind the addresses.
    var slots: UnsafeMutablePointer<Slot> {
      unsafe UnsafeMutableRawPointer(addresses + (count + 1) / 2 * 2).assumingMemoryBound(
        to: Slot.self)
    }

    mutating func add(_ address: UInt) {
      unsafe addresses[count] = address
      unsafe count += 1
    }

    func contains(_ address: UInt) -> Bool {
      unsafe UnsafeBufferPointer(start: addresses, count: count).contains(address)
    }
  }

  // MARK: entries

  /// Returns the key of the branch for stacks that differ from an entry's at this slot, by this
  /// word.
  @inline(__always)
  private static func branchKey(
    of entry: UnsafeMutablePointer<Entry>, at mismatch: Mismatch, _ memory: UnsafeMutableRawPointer
  ) -> (word: UInt, origin: UInt) {
    let (word, position) = unsafe difference(at: mismatch, memory)
    // No frame of a program is in the upper half of the address space.
    return unsafe (word, 1 << 63 | UInt(entry.pointee.id) << 20 | position)
  }

  /// Returns the first of the `ways` entries in which a word and an origin may be.
  @inline(__always)
  static func homeSlot(
    _ word: UInt, _ origin: UInt, in memory: UnsafeMutableRawPointer
  ) -> UnsafeMutablePointer<Entry> {
    let mixed = (word &* 0x9E37_79B9_7F4A_7C15 ^ origin) &* 0xD6E8_FEB8_6659_FD93
    let mask = unsafe UInt(memory.assumingMemoryBound(to: Cache.self).pointee.entryMask)
    return unsafe (memory + Geometry.entryOffset + Int(mixed >> homeShift & mask))
      .assumingMemoryBound(to: Entry.self)
  }

  /// The bits of the largest cache's homes are the upper ones.
  private static let homeShift = UInt(64 - Geometry.largest.entryBits - 6)

  @inline(__always)
  private static func find(
    _ word: UInt, _ origin: UInt, in memory: UnsafeMutableRawPointer
  ) -> UnsafeMutablePointer<Entry>? {
    let first = unsafe homeSlot(word, origin, in: memory)
    for way in 0..<ways {
      let entry = unsafe first + way
      if unsafe entry.pointee.word == word && entry.pointee.origin == origin { return unsafe entry }
    }
    return nil
  }

  private static func hasFreeEntry(
    _ word: UInt, _ origin: UInt, in memory: UnsafeMutableRawPointer
  ) -> Bool {
    let first = unsafe homeSlot(word, origin, in: memory)
    return (0..<ways).contains { unsafe first[$0].origin == 0 }
  }

  /// Returns the entry to overwrite with a new one: an empty one, else one on probation, else any.
  private static func victim(
    _ word: UInt, _ origin: UInt, in memory: UnsafeMutableRawPointer
  ) -> UnsafeMutablePointer<Entry> {
    let first = unsafe homeSlot(word, origin, in: memory)
    for way in 0..<ways where unsafe first[way].origin == 0 { return unsafe first + way }
    for way in 0..<ways where unsafe first[way].id == Entry.probation { return unsafe first + way }
    return unsafe first + Int(word >> 4 & UInt(ways - 1))
  }

  // MARK: promotion

  /// Adds the inputs of the unwind to an entry, without the words that were compared on the way.
  private static func promote(
    _ entry: UnsafeMutablePointer<Entry>, _ id: StackID, _ stack: StackCapture.Stack,
    _ caller: CallSite, from frame: UInt, _ compared: Compared, _ memory: UnsafeMutableRawPointer
  ) {
    let cache = unsafe memory.assumingMemoryBound(to: Cache.self)
    unsafe entry.pointee.id = Entry.uncacheable
    let found = unsafe compared.slots
    guard let all = unsafe inputs(of: stack, at: caller, rules(in: memory), found) else { return }
    var kept = 0
    for index in 0..<all where unsafe !compared.contains(found[index].first) {
      unsafe found[kept] = found[index]
      kept += 1
    }
    let (links, count) = unsafe makeSlots(found, kept, from: frame)
    let first =
      unsafe UInt32(geometry(of: memory).slotOffset / MemoryLayout<Slot>.stride)
      + cache.pointee.slotsUsed
    let shared = unsafe findShared(found, count, before: first, memory)
    let ownCount = count - shared.count
    let fitsEntry = ownCount == 1
    let own = unsafe fitsEntry ? lastSlot(of: entry, memory) : first
    unsafe slot(own, memory).update(from: found, count: ownCount)
    if !fitsEntry {
      unsafe cache.pointee.slotsUsed += UInt32(ownCount)
      if shared.count == 0 { unsafe share(first, count, memory) }
    }
    let ownLinks = min(links, ownCount)
    let sharedLinks = links - ownLinks
    unsafe entry.pointee.slots.runs = [
      Run(first: own, links: UInt16(ownLinks), words: UInt16(ownCount - ownLinks)),
      Run(
        first: shared.first, links: UInt16(sharedLinks), words: UInt16(shared.count - sharedLinks)),
    ]
    unsafe cache.pointee.idsUsed += 1
    unsafe entry.pointee.stack = id
    unsafe entry.pointee.id = cache.pointee.idsUsed
  }

  private static func lastSlot(
    of entry: UnsafePointer<Entry>, _ memory: UnsafeMutableRawPointer
  ) -> UInt32 {
    let end = unsafe UnsafeRawPointer(entry + 1).assumingMemoryBound(to: Slot.self)
    return unsafe index(of: end, memory) - 1
  }

  /// Returns an empty cache in place of a full one, larger if it can be had.
  private static func growOrStartAnew(
    _ memory: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    if let larger = unsafe grow(memory) { return unsafe larger }
    unsafe startAnew(memory, memory.assumingMemoryBound(to: Cache.self).pointee.unloads)
    return unsafe memory
  }
}
