// Recognises a stack that was walked before, exactly and without walking it. Each thread has a cache of
// its own; nothing here locks.

import CTracker
import Glibc
import TraceStore

/// What a stack depends on, remembered for each place that calls us.
///
/// Why a match proves that a full walk would find the same frames: a walk starts with the caller's return
/// address, its stack pointer and its frame pointer. At each frame the call frame information of the return
/// address says where the next return address and the saved frame pointer stand, counted from one of the two
/// pointers; nothing else has a part in it, or the stack is not remembered (`FrameRule`). So if the start is
/// the same, and all those words on the stack are, then by induction every step is the same. Compared are
/// the return addresses, and of the frame pointers those from which a frame is counted. The words are
/// looked at from the inside out, each only after all before it were the same: nothing is read that a walk
/// would not read. Call frame information changes only with modules: `dlclose` empties all caches.
enum UnwindCache {
  /// A word on the stack: how far from the caller's frame it stands, and what it held.
  private struct Slot {
    var offset: UInt
    var value: UInt
  }

  private struct Entry {
    var returnAddress: UInt = 0
    /// The caller's stack pointer after the call.
    var frame: UInt = 0
    var framePointer: UInt = 0
    var slots: UInt32 = 0
    var count: UInt32 = 0
    var stack: StackID = .none
    var unloads: UInt32 = 0
    var state: State = .empty
  }

  private enum State: UInt8 {
    case empty
    /// Walked once: it may never come again.
    case seen
    /// Its slots are known.
    case known
    /// The same, and the frame pointer has no part in it.
    case knownWithoutFramePointer
    /// It has a frame that we do not follow.
    case odd
  }

  private static let entryBits = 12
  private static let entries = 1 << entryBits
  private static let mostSlots = 1 << 17

  private struct Cache {
    var slotsUsed: UInt32
    var unloads: UInt32
    var padding: UInt64
  }

  private static let entryOffset = MemoryLayout<Cache>.stride
  private static let slotOffset = entryOffset + entries * MemoryLayout<Entry>.stride
  private static let bytes = slotOffset + mostSlots * MemoryLayout<Slot>.stride

  /// The number of the stack that a call is made from, when it is one that was walked before.
  ///
  /// - Complexity: linear in the stack's frames, about a nanosecond each.
  @inline(__always)
  static func stack(at caller: CallSite, unloads: UInt32) -> StackID? {
    guard let memory = unsafe ct_thread().pointee.unwind_cache,
      let words = unsafe UnsafePointer<UInt>(bitPattern: caller.frame)
    else { return nil }
    let frame = caller.frame &+ 16
    let entry = unsafe Self.entry(caller.returnAddress, frame, in: memory)
    guard unsafe entry.pointee.returnAddress == caller.returnAddress,
      unsafe entry.pointee.frame == frame, unsafe entry.pointee.unloads == unloads
    else { return nil }
    switch unsafe entry.pointee.state {
    case .known: guard unsafe entry.pointee.framePointer == words[0] else { return nil }
    case .knownWithoutFramePointer: break
    case .empty, .seen, .odd: return nil
    }
    let slots =
      unsafe (memory + slotOffset).assumingMemoryBound(to: Slot.self)
      + Int(entry.pointee.slots)
    let base = unsafe UnsafeRawPointer(bitPattern: frame).unsafelyUnwrapped
    let count = unsafe Int(entry.pointee.count)
    var index = 0
    while index < count {
      let slot = unsafe slots[index]
      guard unsafe (base + Int(bitPattern: slot.offset)).load(as: UInt.self) == slot.value else {
        return nil
      }
      index += 1
    }
    return unsafe entry.pointee.stack
  }

  /// Remembers a stack that was walked: the first time that there is one, the second time what it depends
  /// on.
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
    if unsafe cache.pointee.unloads != unloads {
      unsafe forgetAll(memory)
      unsafe cache.pointee.unloads = unloads
    }
    let frame = caller.frame &+ 16
    let entry = unsafe Self.entry(caller.returnAddress, frame, in: memory)
    let isKnown =
      unsafe entry.pointee.returnAddress == caller.returnAddress && entry.pointee.frame == frame
      && entry.pointee.unloads == unloads
    let isSame = unsafe isKnown && entry.pointee.stack == id
    if !isSame {
      // Another stack from the same place: it takes the entry when it comes twice.
      unsafe entry.pointee = Entry(
        returnAddress: caller.returnAddress, frame: frame, stack: id, unloads: unloads, state: .seen
      )
      return
    }
    guard unsafe entry.pointee.state != .odd else { return }
    unsafe promote(entry, stack, framePointer: words[0], memory)
  }

  /// Finds out what a stack depends on.
  private static func promote(
    _ entry: UnsafeMutablePointer<Entry>, _ stack: StackCapture.Stack, framePointer: UInt,
    _ memory: UnsafeMutableRawPointer
  ) {
    let cache = unsafe memory.assumingMemoryBound(to: Cache.self)
    // Each frame adds two slots at most.
    if unsafe Int(cache.pointee.slotsUsed) + 2 * stack.addresses.count > mostSlots {
      let kept = unsafe entry.pointee
      unsafe forgetAll(memory)
      unsafe entry.pointee = kept
    }
    let first = unsafe cache.pointee.slotsUsed
    let slots = unsafe (memory + slotOffset).assumingMemoryBound(to: Slot.self) + Int(first)
    unsafe entry.pointee.state = .odd
    guard
      let (count, needsFramePointer) = unsafe dependencies(
        of: stack, entry.pointee.frame, framePointer, slots)
    else { return }
    unsafe cache.pointee.slotsUsed += UInt32(count)
    unsafe entry.pointee.slots = first
    unsafe entry.pointee.count = UInt32(count)
    unsafe entry.pointee.framePointer = framePointer
    unsafe entry.pointee.state = needsFramePointer ? .known : .knownWithoutFramePointer
  }

  /// The words that a stack depends on, from the inside out.
  ///
  /// - Returns: how many there are, and whether the caller's frame pointer is one more; `nil` when a frame is
  ///   odd, or the stack is not as libunwind found it.
  private static func dependencies(
    of stack: StackCapture.Stack, _ start: UInt, _ framePointer: UInt,
    _ slots: UnsafeMutablePointer<Slot>
  ) -> (Int, Bool)? {
    let addresses = unsafe stack.addresses
    var count = 0
    var needsFramePointer = false
    var stackPointer = start
    var framePointer = framePointer
    // Which slot the frame pointer was taken from; those that no frame is counted from are taken out again.
    var source: Int?
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
        if let source { unsafe slots[source].offset &= ~unneeded } else { needsFramePointer = true }
        frame = framePointer &+ UInt(bitPattern: rule.offset)
      } else {
        frame = stackPointer &+ UInt(bitPattern: rule.offset)
      }
      // Stacks grow down: callers are above.
      guard frame > stackPointer, frame &- start < largestStack, frame % 8 == 0
      else { return nil }
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
    return unsafe (withoutUnneeded(slots, count), needsFramePointer)
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

  @inline(__always)
  private static func entry(
    _ returnAddress: UInt, _ frame: UInt, in memory: UnsafeMutableRawPointer
  ) -> UnsafeMutablePointer<Entry> {
    let mixed = (returnAddress ^ frame << 7) &* 0x9E37_79B9_7F4A_7C15
    let index = Int(mixed >> UInt(64 - entryBits))
    return unsafe (memory + entryOffset).assumingMemoryBound(to: Entry.self) + index
  }

  private static func memory() -> UnsafeMutableRawPointer? {
    let thread = unsafe ct_thread()
    if unsafe thread.pointee.unwind_cache == nil {
      unsafe thread.pointee.unwind_cache = PrivateMemory.map(bytes)
    }
    return unsafe thread.pointee.unwind_cache
  }

  private static func forgetAll(_ memory: UnsafeMutableRawPointer) {
    unsafe memset(memory, 0, slotOffset)
  }
}
