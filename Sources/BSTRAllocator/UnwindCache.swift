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
/// looked at from the inside out, a page's only after all before it were the same: no page is read that a walk
/// would not read. Call frame information changes only with modules: `dlclose` empties all caches.
///
/// Stacks that begin alike share what they have in common: where a word is another one, a branch goes on from
/// there, found by the word and the place.
enum UnwindCache {
  /// A stack, or the rest of one from where it differs from another.
  private struct Entry {
    /// The caller's return address; of a branch, the word that differs.
    var word: UInt = 0
    /// The caller's frame, its stack pointer after the call; of a branch, from what it branches and where.
    var origin: UInt = 0
    var stack: StackID = .none
    /// What branches know it by: no two have had the same.
    var name: UInt32 = 0
    /// The first of the fours that it has alone, and of those behind them that it shares.
    var own: UInt16 = 0
    var shared: UInt16 = 0
    var ownCount: UInt8 = 0
    var sharedCount: UInt8 = 0
    var state = State.seen
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
    /// The count of unloads that all entries belong to.
    var unloads: UInt32
    var foursUsed: UInt32
    var names: UInt32
  }

  private static let groupBits = 12
  /// Entries that a word and an origin may stand in.
  private static let ways = 4
  static let mostFours = 1 << 15
  static let mostFoursOfStack = 255
  private static let mostBranches = 32

  // On a cache line of its own.
  private static let entryOffset = 64
  static let fourBytes = four * MemoryLayout<Slot>.stride
  static let fourOffset =
    (entryOffset + (ways << groupBits) * MemoryLayout<Entry>.stride + fourBytes - 1) / fourBytes
    * fourBytes
  // Behind the fours: where they are found by what they and those behind them are, and room to work.
  static let indexBits = 12
  static let indexOffset = fourOffset + mostFours * fourBytes
  private static let workOffset = indexOffset + MemoryLayout<UInt16>.stride << indexBits
  private static let bytes =
    workOffset + (2 * StackCapture.deepest + 1) * MemoryLayout<Slot>.stride
    + mostFoursOfStack * fourBytes

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
      guard let mismatch = unsafe firstMismatch(entry, memory) else {
        return unsafe entry.pointee.stack
      }
      (word, origin) = unsafe branch(of: entry, at: mismatch)
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
    if unsafe cache.pointee.unloads != unloads
      || Int(cache.pointee.foursUsed) + mostFoursOfStack > mostFours || cache.pointee.names == .max
    {
      // Zeroed: all entries are empty. The kernel does it, but for memory that the program has locked.
      if unsafe madvise(memory, bytes, MADV_DONTNEED) != 0 { unsafe memset(memory, 0, bytes) }
      unsafe cache.pointee.unloads = unloads
    }
    let frame = caller.frame &+ 16
    var word = caller.returnAddress
    var origin = frame
    var path = unsafe Path()
    while unsafe path.count < mostBranches {
      guard let entry = unsafe find(word, origin, in: memory) else {
        unsafe place(word, origin, in: memory).pointee = Entry(
          word: word, origin: origin, stack: id)
        return
      }
      switch unsafe entry.pointee.state {
      case .odd: return
      case .seen: return unsafe promote(entry, id, stack, frame, path, memory)
      case .known:
        guard let mismatch = unsafe firstMismatch(entry, memory) else { return }
        unsafe path.add(entry, mismatch.index + 1, memory)
        (word, origin) = unsafe branch(of: entry, at: mismatch)
      }
    }
  }

  /// The slots that were compared on the way to a branch.
  @unsafe private struct Path {
    var count = 0
    private var parts = unsafe InlineArray<64, UnsafeBufferPointer<Slot>?>(repeating: nil)

    init() {}

    mutating func add(
      _ entry: UnsafePointer<Entry>, _ slots: Int, _ memory: UnsafeMutableRawPointer
    ) {
      let own = unsafe min(slots, four * Int(entry.pointee.ownCount))
      unsafe parts[2 * count] = unsafe UnsafeBufferPointer(
        start: UnwindCache.slots(entry.pointee.own, memory), count: own)
      unsafe parts[2 * count + 1] = unsafe UnsafeBufferPointer(
        start: UnwindCache.slots(entry.pointee.shared, memory), count: slots - own)
      unsafe count += 1
    }

    func contains(_ address: UInt) -> Bool {
      for index in unsafe 0..<2 * count {
        guard let part = unsafe parts[index] else { continue }
        if unsafe part.contains(where: { $0.address == address }) { return true }
      }
      return false
    }
  }

  // MARK: comparing

  @inline(__always)
  private static func firstMismatch(
    _ entry: UnsafeMutablePointer<Entry>, _ memory: UnsafeMutableRawPointer
  ) -> Mismatch? {
    let own = Int(unsafe entry.pointee.ownCount)
    if own != 0, let mismatch = unsafe firstMismatch(slots(entry.pointee.own, memory), own) {
      return mismatch
    }
    let shared = Int(unsafe entry.pointee.sharedCount)
    guard shared != 0,
      var mismatch = unsafe firstMismatch(slots(entry.pointee.shared, memory), shared)
    else { return nil }
    mismatch.index += four * own
    return mismatch
  }

  /// Where the stacks stand that differ from an entry's at a slot as this one does.
  @inline(__always)
  private static func branch(
    of entry: UnsafeMutablePointer<Entry>, at mismatch: Mismatch
  ) -> (word: UInt, origin: UInt) {
    // No frame of a program lies in the upper half of the address space.
    unsafe (mismatch.word, 1 << 63 | UInt(entry.pointee.name) << 20 | UInt(mismatch.index))
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
    let group = unsafe group(word, origin, in: memory)
    for way in 0..<ways {
      let entry = unsafe group + way
      if unsafe entry.pointee.word == word && entry.pointee.origin == origin { return unsafe entry }
    }
    return nil
  }

  /// A place for a new entry: an empty one, or that of another, rather one that was seen once.
  private static func place(
    _ word: UInt, _ origin: UInt, in memory: UnsafeMutableRawPointer
  ) -> UnsafeMutablePointer<Entry> {
    let group = unsafe group(word, origin, in: memory)
    for way in 0..<ways where unsafe group[way].origin == 0 { return unsafe group + way }
    for way in 0..<ways where unsafe group[way].state == .seen {
      return unsafe group + way
    }
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
    let found = unsafe (memory + workOffset).assumingMemoryBound(to: Slot.self)
    guard let all = unsafe dependencies(of: stack, frame, found) else { return }
    var kept = 0
    for index in 0..<all where unsafe !path.contains(found[index].address) {
      unsafe found[kept] = found[index]
      kept += 1
    }
    let end = unsafe found + 2 * StackCapture.deepest + 1 + four * mostFoursOfStack
    guard let count = unsafe writeInFours(found, kept, before: end) else { return }
    let (shared, sharedCount) = unsafe findShared(
      count, before: end, used: Int(cache.pointee.foursUsed), memory)
    let own = unsafe cache.pointee.foursUsed
    let ownCount = count - sharedCount
    unsafe slots(UInt16(own), memory).update(from: end - four * count, count: four * ownCount)
    if sharedCount == 0 { unsafe share(UInt16(own), count, memory) }
    unsafe cache.pointee.foursUsed = own + UInt32(ownCount)
    unsafe cache.pointee.names += 1
    unsafe entry.pointee.name = cache.pointee.names
    unsafe entry.pointee.stack = id
    unsafe entry.pointee.own = UInt16(own)
    unsafe entry.pointee.ownCount = UInt8(ownCount)
    unsafe entry.pointee.shared = shared
    unsafe entry.pointee.sharedCount = UInt8(sharedCount)
    unsafe entry.pointee.state = .known
  }

  private static func memory() -> UnsafeMutableRawPointer? {
    let thread = unsafe ct_thread()
    if unsafe thread.pointee.unwind_cache == nil {
      unsafe thread.pointee.unwind_cache = PrivateMemory.map(bytes)
    }
    return unsafe thread.pointee.unwind_cache
  }
}
