// Recognises a stack that was walked before, exactly and without walking it. Each thread has a
// cache of its own; nothing here locks.

import CTracker
import Glibc
import TraceStore

/// What stacks depend on, remembered for each place that calls us.
///
/// Why a match proves that a full walk would find the same frames: a walk starts with the caller's
/// return address, its stack pointer and its frame pointer. At each frame the call frame
/// information of the return address says where the next return address and the saved frame pointer
/// stand, counted from one of the two pointers; nothing else has a part in it, or the stack is not
/// remembered (`CFARule`). So if the start is the same, and all those words on the stack are, then
/// by induction every step is the same. Compared are the return addresses, and of the frame
/// pointers those from which a frame is counted. They are looked at from the inside out, each only
/// when all before it were the same or lie on the same page: no page is read that a walk would not
/// read. Call frame information changes only with modules: `dlclose` empties all caches.
///
/// Stacks that begin alike share what they have in common: where a word is another one, a branch
/// goes on from there, found by the word and the place.
///
/// A thread's memory, 3 MiB of addresses, of which the kernel provides what is used:
///
///     Cache     64 B    unloads, slots in use, ids given out entries   1 MiB   2^14 of 64 bytes,
///     and 4 more: an entry is in one of 4 from its home slots     2 MiB   2^17 of 16 bytes, filled
///     from the front; a full cache starts anew index    16 KiB   2^12 slot indices by the hash of
///     a slot and all behind it: shared outer frames work     16 KiB   slots of the stack that is
///     being inserted
///
/// An entry fills a cache line:
///
///     word  8 | origin 8 | stack 4 | id 4 | own run 8 | shared run 8 | branches 8 | slot 16
///
/// Its slots are two runs, of first index, links and plain slots: those that it alone has, in the
/// memory's slots or, if it is one, in the entry itself; and those that it has in common with
/// others. A link is a frame that is chained by its frame pointer: (caller's frame, return
/// address). A plain slot is any other word that the unwind read: (address | 1, value). Two stacks
/// that diverge at the second frame and end alike:
///
///     root    word: return address of the call      own          shared
///             origin: frame                    ──▶ [link|link] ──▶ [link|link|plain]
///                                                        │            ▲
///                                                        │ another    │
///                                                        │ word       │
///     branch  word: what is there instead                ▼            │
///             origin: root's id, slot's index  ──▶ [link] ────────────┘
enum UnwindCache {
  /// A stack, or the rest of one from where it differs from another.
  struct Entry {
    /// The caller's return address; of a branch, the word that differs.
    var word: UInt = 0
    /// The caller's frame, its stack pointer after the call; of a branch, from what it branches and
    /// where.
    var origin: UInt = 0
    var stack: StackID = .none
    /// What branches know it by: no two have had the same.
    ///
    /// `probation` of one whose slots are found out when it comes again, `uncacheable` of one that
    /// has a frame that we do not follow.
    var id = Entry.probation
    var slots = Slots()
    /// Of what no branch leads to: the branch at whose end a stack was found last, how often in a
    /// row, and how often that was worth beginning with it.
    var lastBranch: UInt32 = 0
    var streak: UInt16 = 0
    var reroots: UInt16 = 0
    /// At its end room for the slot that it has alone, if it is one: then all of it is on one cache
    /// line.
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
    /// The count of unloads that all entries belong to.
    var unloads: UInt32
    /// How many slots entries have, apart from those in the entries.
    var slotsUsed: UInt32
    var names: UInt32
  }

  static let entryBits = 14
  /// Neighbouring entries that a word and an origin may stand in.
  static let ways = 4
  static let maxSlots = 1 << 17
  /// A frame has two words, and the caller's frame pointer comes before them.
  static let maxSlotsOfStack = 2 * StackCapture.maxDepth + 2
  private static let maxBranches = 32
  /// As many times in a row that a stack is found behind branches, it is worth a walk to begin with
  /// it: twice as many each time, and not for ever, for that cuts the other branches off.
  static let longStreak: UInt16 = 1 << 12
  private static let maxReroots: UInt16 = 4

  // On a cache line of its own, as each of the entries is.
  static let entryOffset = 64
  static let slotOffset = entryOffset + (1 << entryBits + ways) * MemoryLayout<Entry>.stride
  // Behind the slots: where they are found by what they and those behind them are, and room to
  // work.
  static let indexBits = 12
  static let indexOffset = slotOffset + maxSlots * MemoryLayout<Slot>.stride
  private static let workOffset = indexOffset + MemoryLayout<UInt32>.stride << indexBits
  static let bytes = workOffset + 2 * maxSlotsOfStack * MemoryLayout<Slot>.stride

  /// The number of the stack that a call is made from, when it is one that was walked before, or
  /// `none`.
  ///
  /// A call whose frame is not known, 0, is never remembered.
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

  /// A function of its own, so that the usual case needs few registers.
  @inline(never)
  private static func stack(
    branchingFrom root: UnsafeMutablePointer<Entry>, at mismatch: Mismatch,
    _ memory: UnsafeMutableRawPointer
  ) -> StackID {
    var entry = unsafe root
    var mismatch = unsafe mismatch
    while true {
      let (word, origin) = unsafe branch(of: entry, at: mismatch, memory)
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

  /// Whether the stack that was found behind a branch has taken the place of what the branches
  /// start from.
  ///
  /// That is forgotten then: the stack is walked once more, and found at once from then on.
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

  /// Remembers a stack that was walked: the first time that there is one from there, the next time
  /// what it depends on.
  ///
  /// - Parameters:
  ///   - id: its number.
  ///   - stack: what libunwind found.
  static func insert(
    _ id: StackID, _ stack: StackCapture.Stack, at caller: CallSite, unloads: UInt32
  ) {
    // A walk that did not reach the caller says nothing of the next one.
    guard unsafe stack.reachesCaller else { return }
    guard let words = unsafe UnsafePointer<UInt>(bitPattern: caller.frame),
      unsafe words[1] == caller.returnAddress, let memory = unsafe memory()
    else { return }
    let cache = unsafe memory.assumingMemoryBound(to: Cache.self)
    if unsafe cache.pointee.unloads != unloads
      || Int(cache.pointee.slotsUsed) + maxSlotsOfStack > maxSlots
      || cache.pointee.names == Entry.uncacheable - 1
    {
      // Zeroed: all entries are empty. The kernel does it, but for memory that the program has
      // locked.
      if unsafe madvise(memory, bytes, MADV_DONTNEED) != 0 { unsafe memset(memory, 0, bytes) }
      unsafe cache.pointee.unloads = unloads
    }
    var word = caller.returnAddress
    var origin = caller.frame
    var frame = caller.frame
    let work = unsafe (memory + workOffset).assumingMemoryBound(to: UInt.self)
    var compared = unsafe Compared(addresses: work)
    for _ in 0..<maxBranches {
      guard let entry = unsafe find(word, origin, in: memory) else {
        unsafe place(word, origin, in: memory).pointee = Entry(
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
        (word, origin) = unsafe branch(of: entry, at: mismatch, memory)
        frame = unsafe mismatch.frame
      }
    }
  }

  /// The words that were compared on the way to a branch.
  @unsafe private struct Compared {
    /// Room for twice `maxSlotsOfStack`.
    let addresses: UnsafeMutablePointer<UInt>
    private(set) var count = 0

    init(addresses: UnsafeMutablePointer<UInt>) {
      unsafe self.addresses = unsafe addresses
    }

    mutating func add(_ address: UInt) {
      unsafe addresses[count] = address
      unsafe count += 1
    }

    func contains(_ address: UInt) -> Bool {
      unsafe UnsafeBufferPointer(start: addresses, count: count).contains(address)
    }
  }

  // MARK: comparing

  /// Where the stacks stand that differ from an entry's at a slot as this one does.
  @inline(__always)
  private static func branch(
    of entry: UnsafeMutablePointer<Entry>, at mismatch: Mismatch, _ memory: UnsafeMutableRawPointer
  ) -> (word: UInt, origin: UInt) {
    let (word, place) = unsafe difference(at: mismatch, memory)
    // No frame of a program lies in the upper half of the address space.
    return unsafe (word, 1 << 63 | UInt(entry.pointee.id) << 20 | place)
  }

  @inline(__always)
  static func firstPlace(
    _ word: UInt, _ origin: UInt, in memory: UnsafeMutableRawPointer
  ) -> UnsafeMutablePointer<Entry> {
    let mixed = (word &* 0x9E37_79B9_7F4A_7C15 ^ origin) &* 0xD6E8_FEB8_6659_FD93
    let index = Int(mixed >> UInt(64 - entryBits))
    return unsafe (memory + entryOffset).assumingMemoryBound(to: Entry.self) + index
  }

  @inline(__always)
  private static func find(
    _ word: UInt, _ origin: UInt, in memory: UnsafeMutableRawPointer
  ) -> UnsafeMutablePointer<Entry>? {
    let first = unsafe firstPlace(word, origin, in: memory)
    for way in 0..<ways {
      let entry = unsafe first + way
      if unsafe entry.pointee.word == word && entry.pointee.origin == origin { return unsafe entry }
    }
    return nil
  }

  /// A place for a new entry: an empty one, or that of another, rather one that was seen once.
  private static func place(
    _ word: UInt, _ origin: UInt, in memory: UnsafeMutableRawPointer
  ) -> UnsafeMutablePointer<Entry> {
    let first = unsafe firstPlace(word, origin, in: memory)
    for way in 0..<ways where unsafe first[way].origin == 0 { return unsafe first + way }
    for way in 0..<ways where unsafe first[way].id == Entry.probation { return unsafe first + way }
    return unsafe first + Int(word >> 4 & UInt(ways - 1))
  }

  // MARK: finding out

  /// Finds out what a stack depends on, apart from what was compared on the way.
  private static func promote(
    _ entry: UnsafeMutablePointer<Entry>, _ id: StackID, _ stack: StackCapture.Stack,
    _ caller: CallSite, from frame: UInt, _ compared: Compared, _ memory: UnsafeMutableRawPointer
  ) {
    let cache = unsafe memory.assumingMemoryBound(to: Cache.self)
    unsafe entry.pointee.id = Entry.uncacheable
    let found = unsafe (memory + workOffset).assumingMemoryBound(to: Slot.self) + maxSlotsOfStack
    guard let all = unsafe dependencies(of: stack, at: caller, found) else { return }
    var kept = 0
    for index in 0..<all where unsafe !compared.contains(found[index].first) {
      unsafe found[kept] = found[index]
      kept += 1
    }
    let (links, count) = unsafe makeSlots(found, kept, from: frame)
    let first = unsafe UInt32(slotOffset / MemoryLayout<Slot>.stride) + cache.pointee.slotsUsed
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
    unsafe cache.pointee.names += 1
    unsafe entry.pointee.stack = id
    unsafe entry.pointee.id = cache.pointee.names
  }

  private static func lastSlot(
    of entry: UnsafePointer<Entry>, _ memory: UnsafeMutableRawPointer
  ) -> UInt32 {
    let end = unsafe UnsafeRawPointer(entry + 1).assumingMemoryBound(to: Slot.self)
    return unsafe number(of: end, memory) - 1
  }

  private static func memory() -> UnsafeMutableRawPointer? {
    let thread = unsafe ct_thread()
    if unsafe thread.pointee.unwind_cache == nil {
      unsafe thread.pointee.unwind_cache = PrivateMemory.map(bytes)
    }
    return unsafe thread.pointee.unwind_cache
  }
}
