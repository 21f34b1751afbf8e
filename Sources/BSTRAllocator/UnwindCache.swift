// Recognises a stack that was walked before, exactly and without walking it. Each thread has a cache of
// its own; nothing here locks.

import CTracker
import Glibc
import TraceStore

/// What stacks depend on, remembered for each place that calls us.
///
/// Why a match proves that a full walk would find the same frames: a walk starts with the caller's return
/// address, its stack pointer and its frame pointer. At each frame the call frame information of the return
/// address says where the next return address and the saved frame pointer stand, counted from one of the two
/// pointers; nothing else has a part in it, or the stack is not remembered (`FrameRule`). So if the start is
/// the same, and all those words on the stack are, then by induction every step is the same. Compared are
/// the return addresses, and of the frame pointers those from which a frame is counted. The words are
/// looked at from the inside out, each only after all before it were the same: nothing is read that a walk
/// would not read. Call frame information changes only with modules: `dlclose` empties all caches.
///
/// Stacks that begin alike share what they have in common: where a word is another one, a branch goes on from
/// there, found by the word and the place.
enum UnwindCache {
  /// A word on the stack: how far from the caller's frame it stands, and what it held.
  private struct Slot {
    var offset: UInt
    var value: UInt
  }

  /// A stack, or the rest of one from where it differs from another.
  private struct Entry {
    /// The caller's return address; of a branch, the word that differs.
    var word: UInt = 0
    /// The caller's frame, its stack pointer after the call; of a branch, from what it branches and where.
    var origin: UInt = 0
    /// The first of its slots.
    var slots: UInt32 = 0
    var count: UInt32 = 0
    var stack: StackID = .none
    /// What branches know it by: no two have had the same.
    var name: UInt32 = 0
    var generation: UInt32 = 0
    var state: State = .seen
  }

  private enum State: UInt8 {
    /// Walked once: it may never come again.
    case seen
    /// Its slots are known.
    case known
    /// It has a frame that we do not follow.
    case odd
  }

  private struct Cache {
    /// Entries of other generations are empty; 0 is none.
    var generation: UInt32
    var unloads: UInt32
    var slotsUsed: UInt32
    var names: UInt32
  }

  private static let groupBits = 12
  /// Entries that a word and an origin may stand in.
  private static let ways = 4
  private static let mostSlots = 1 << 17
  private static let mostBranches = 32

  private static let entryOffset = MemoryLayout<Cache>.stride
  private static let slotOffset =
    entryOffset + (ways << groupBits) * MemoryLayout<Entry>.stride
  private static let bytes = slotOffset + mostSlots * MemoryLayout<Slot>.stride

  /// The number of the stack that a call is made from, when it is one that was walked before.
  ///
  /// - Complexity: linear in the stack's frames, about a nanosecond each.
  @inline(__always)
  static func stack(at caller: CallSite, unloads: UInt32) -> StackID? {
    guard let memory = unsafe ct_thread().pointee.unwind_cache, caller.frame != 0 else {
      return nil
    }
    let cache = unsafe memory.assumingMemoryBound(to: Cache.self)
    guard unsafe cache.pointee.unloads == unloads else { return nil }
    let frame = caller.frame &+ 16
    var word = caller.returnAddress
    var origin = frame
    while true {
      guard let entry = unsafe find(word, origin, in: memory), unsafe entry.pointee.state == .known
      else { return nil }
      let mismatch = unsafe firstMismatch(entry, frame, memory)
      if unsafe mismatch == entry.pointee.count { return unsafe entry.pointee.stack }
      (word, origin) = unsafe branch(of: entry, at: mismatch, frame, memory)
    }
  }

  /// Remembers a stack that was walked: the first time that there is one from there, the next time what it
  /// depends on.
  ///
  /// - Parameters:
  ///   - id: its number.
  ///   - stack: what libunwind found.
  static func learn(
    _ id: StackID, _ stack: StackCapture.Stack, at caller: CallSite, unloads: UInt32
  ) {
    // A walk that did not reach the caller says nothing of the next one.
    guard unsafe !(stack.truncated && stack.addresses.count == 1) else { return }
    guard let words = unsafe UnsafePointer<UInt>(bitPattern: caller.frame),
      unsafe words[1] == caller.returnAddress, let memory = unsafe memory()
    else { return }
    let cache = unsafe memory.assumingMemoryBound(to: Cache.self)
    // Each frame adds two slots at most, and there is one for the caller's frame pointer.
    let needed = unsafe 2 * stack.addresses.count + 1
    if unsafe cache.pointee.unloads != unloads || cache.pointee.generation == 0
      || Int(cache.pointee.slotsUsed) + needed > mostSlots
    {
      unsafe cache.pointee.unloads = unloads
      unsafe cache.pointee.generation += 1
      unsafe cache.pointee.slotsUsed = 0
    }
    let frame = caller.frame &+ 16
    var word = caller.returnAddress
    var origin = frame
    var path = unsafe Path()
    while unsafe path.count < mostBranches {
      guard let entry = unsafe find(word, origin, in: memory) else {
        let generation = unsafe cache.pointee.generation
        unsafe place(word, origin, in: memory).pointee = Entry(
          word: word, origin: origin, stack: id, generation: generation)
        return
      }
      switch unsafe entry.pointee.state {
      case .odd: return
      case .seen:
        return unsafe promote(entry, id, stack, frame, path, memory)
      case .known:
        let mismatch = unsafe firstMismatch(entry, frame, memory)
        if unsafe mismatch == entry.pointee.count { return }
        unsafe path.add(slots(of: entry, memory), mismatch + 1)
        (word, origin) = unsafe branch(of: entry, at: mismatch, frame, memory)
      }
    }
  }

  /// The slots that were compared on the way to a branch.
  @unsafe private struct Path {
    var count = 0
    private var runs = unsafe InlineArray<32, UnsafeBufferPointer<Slot>?>(repeating: nil)

    init() {}

    mutating func add(_ slots: UnsafeMutablePointer<Slot>, _ count: UInt32) {
      let run = unsafe UnsafeBufferPointer(start: slots, count: Int(count))
      unsafe runs[self.count] = unsafe run
      unsafe self.count += 1
    }

    func contains(_ offset: UInt) -> Bool {
      for index in unsafe 0..<count {
        guard let run = unsafe runs[index] else { continue }
        if unsafe run.contains(where: { $0.offset == offset }) { return true }
      }
      return false
    }
  }

  // MARK: comparing

  @inline(__always)
  private static func firstMismatch(
    _ entry: UnsafeMutablePointer<Entry>, _ frame: UInt, _ memory: UnsafeMutableRawPointer
  ) -> UInt32 {
    let slots = unsafe slots(of: entry, memory)
    let base = unsafe UnsafeRawPointer(bitPattern: frame).unsafelyUnwrapped
    let count = unsafe entry.pointee.count
    var index: UInt32 = 0
    while index < count {
      let slot = unsafe slots[Int(index)]
      if unsafe (base + Int(bitPattern: slot.offset)).load(as: UInt.self) != slot.value { break }
      index &+= 1
    }
    return index
  }

  /// Where the stacks stand that differ from an entry's at a slot as this one does.
  private static func branch(
    of entry: UnsafeMutablePointer<Entry>, at mismatch: UInt32, _ frame: UInt,
    _ memory: UnsafeMutableRawPointer
  ) -> (word: UInt, origin: UInt) {
    let slot = unsafe slots(of: entry, memory)[Int(mismatch)]
    let base = unsafe UnsafeRawPointer(bitPattern: frame).unsafelyUnwrapped
    let word = unsafe (base + Int(bitPattern: slot.offset)).load(as: UInt.self)
    // No frame of a program lies in the upper half of the address space.
    return unsafe (word, 1 << 63 | UInt(entry.pointee.name) << 20 | UInt(mismatch))
  }

  @inline(__always)
  private static func slots(
    of entry: UnsafeMutablePointer<Entry>, _ memory: UnsafeMutableRawPointer
  ) -> UnsafeMutablePointer<Slot> {
    unsafe (memory + slotOffset).assumingMemoryBound(to: Slot.self) + Int(entry.pointee.slots)
  }

  @inline(__always)
  private static func group(
    _ word: UInt, _ origin: UInt, in memory: UnsafeMutableRawPointer
  ) -> UnsafeMutablePointer<Entry> {
    let mixed = (word &* 0x9E37_79B9_7F4A_7C15 ^ origin) &* 0xD6E8_FEB8_6659_FD93
    let index = Int(mixed >> UInt(64 - groupBits)) * ways
    return unsafe (memory + entryOffset).assumingMemoryBound(to: Entry.self) + index
  }

  @inline(__always)
  private static func find(
    _ word: UInt, _ origin: UInt, in memory: UnsafeMutableRawPointer
  ) -> UnsafeMutablePointer<Entry>? {
    let generation = unsafe memory.assumingMemoryBound(to: Cache.self).pointee.generation
    let group = unsafe group(word, origin, in: memory)
    for way in 0..<ways {
      let entry = unsafe group + way
      if unsafe entry.pointee.word == word && entry.pointee.origin == origin
        && entry.pointee.generation == generation
      {
        return unsafe entry
      }
    }
    return nil
  }

  /// A place for a new entry: an empty one, or that of another, rather one that was seen once.
  private static func place(
    _ word: UInt, _ origin: UInt, in memory: UnsafeMutableRawPointer
  ) -> UnsafeMutablePointer<Entry> {
    let generation = unsafe memory.assumingMemoryBound(to: Cache.self).pointee.generation
    let group = unsafe group(word, origin, in: memory)
    for way in 0..<ways where unsafe group[way].generation != generation {
      return unsafe group + way
    }
    for way in 0..<ways where unsafe group[way].state == .seen { return unsafe group + way }
    return unsafe group + Int(word >> 4 & UInt(ways - 1))
  }

  // MARK: finding out

  /// Finds out what a stack depends on, apart from what was compared on the way.
  private static func promote(
    _ entry: UnsafeMutablePointer<Entry>, _ id: StackID, _ stack: StackCapture.Stack, _ frame: UInt,
    _ path: Path, _ memory: UnsafeMutableRawPointer
  ) {
    let cache = unsafe memory.assumingMemoryBound(to: Cache.self)
    unsafe entry.pointee.state = .odd
    unsafe entry.pointee.slots = cache.pointee.slotsUsed
    let slots = unsafe slots(of: entry, memory)
    guard let all = unsafe dependencies(of: stack, frame, slots) else { return }
    var kept = 0
    for index in 0..<all where unsafe !path.contains(slots[index].offset) {
      unsafe slots[kept] = slots[index]
      kept += 1
    }
    unsafe cache.pointee.slotsUsed += UInt32(kept)
    unsafe cache.pointee.names += 1
    unsafe entry.pointee.name = cache.pointee.names
    unsafe entry.pointee.count = UInt32(kept)
    unsafe entry.pointee.stack = id
    unsafe entry.pointee.state = .known
  }

  /// The words that a stack depends on, from the inside out.
  ///
  /// - Returns: how many there are; `nil` when a frame is odd, or the stack is not as libunwind found it.
  private static func dependencies(
    of stack: StackCapture.Stack, _ start: UInt, _ slots: UnsafeMutablePointer<Slot>
  ) -> Int? {
    let addresses = unsafe stack.addresses
    // The caller's frame pointer stands where the exported function has saved it.
    guard var framePointer = word(at: start &- 16) else { return nil }
    unsafe slots[0] = Slot(offset: (0 &- 16) | unneeded, value: framePointer)
    var count = 1
    var stackPointer = start
    // Which slot the frame pointer was taken from; those that no frame is counted from are taken out again.
    var source = 0
    for index in addresses.indices {
      guard let rule = unsafe FrameRule.of(addresses[index]) else { return nil }
      let isLast = index == addresses.count - 1
      if isLast, unsafe stack.truncated { break }
      if rule.isOutermost {
        guard isLast else { return nil }
        break
      }
      let frame: UInt
      if rule.isFromFramePointer {
        unsafe slots[source].offset &= ~unneeded
        frame = framePointer &+ UInt(bitPattern: rule.offset)
      } else {
        frame = stackPointer &+ UInt(bitPattern: rule.offset)
      }
      // Stacks grow down: callers are above.
      guard frame > stackPointer, frame &- start < largestStack, frame % 8 == 0 else { return nil }
      if let offset = rule.framePointerOffset {
        let place = frame &+ UInt(bitPattern: offset)
        // Below the frame: inside what a walk has passed already.
        guard offset < -8, place >= start, let value = word(at: place) else { return nil }
        unsafe slots[count] = Slot(offset: (place &- start) | unneeded, value: value)
        framePointer = value
        source = count
        count += 1
      }
      guard let next = word(at: frame &- 8) else { return nil }
      // Where libunwind has stopped, what stopped it must be there again.
      guard isLast ? next == 0 : unsafe next == addresses[index + 1] else { return nil }
      unsafe slots[count] = Slot(offset: frame &- 8 &- start, value: next)
      count += 1
      stackPointer = frame
    }
    return unsafe withoutUnneeded(slots, count)
  }

  /// The lowest bit of an offset, which is a multiple of 8: that no frame is counted from this word.
  private static let unneeded: UInt = 1
  private static let largestStack: UInt = 1 << 32

  private static func withoutUnneeded(_ slots: UnsafeMutablePointer<Slot>, _ count: Int) -> Int {
    var kept = 0
    for index in 0..<count where unsafe slots[index].offset & unneeded == 0 {
      unsafe slots[kept] = slots[index]
      kept += 1
    }
    return kept
  }

  private static func word(at address: UInt) -> UInt? {
    guard address % 8 == 0 else { return nil }
    return unsafe UnsafePointer<UInt>(bitPattern: address)?.pointee
  }

  private static func memory() -> UnsafeMutableRawPointer? {
    let thread = unsafe ct_thread()
    if unsafe thread.pointee.unwind_cache == nil {
      unsafe thread.pointee.unwind_cache = PrivateMemory.map(bytes)
    }
    return unsafe thread.pointee.unwind_cache
  }
}
