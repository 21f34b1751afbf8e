// The words of remembered stacks, in an order that is quickly compared. Does not know whose they
// are.

import CTracker
import Glibc

extension UnwindCache {
  /// What is remembered of one frame, or of one word.
  ///
  /// Frames that are chained by their frame pointers come first, as links: each link has the two
  /// words that stand in a frame, and the first says where the next frame is. Words that stand
  /// alone follow.
  struct Slot {
    /// Of a link, where the caller's frame is; of a word, its address and `isWord`.
    var first: UInt
    /// Of a link, where it returns to; of a word, what it held.
    var second: UInt

    /// Set in a word's address, so that the slots of a word and a link are never the same.
    ///
    /// Addresses of both are multiples of 8.
    static let isWord: UInt = 1
  }

  /// Slots that follow one another: links, and words behind them.
  struct Run {
    /// The first one's number; 0 for no run.
    var first: UInt32 = 0
    var links: UInt16 = 0
    var words: UInt16 = 0
  }

  /// Slots in their order: those that one stack has alone, then those that others have, too; either
  /// may be none.
  ///
  /// Where others have links, all that come before are links.
  struct Slots {
    var runs: InlineArray<2, Run> = [Run(), Run()]
  }

  /// A slot that is not as remembered.
  @unsafe struct Mismatch {
    var slot: UnsafePointer<Slot>
    /// The frame that the link is of; 0 where it is a word.
    var frame: UInt
  }

  /// The first slot that is not as remembered.
  ///
  /// - Parameter frame: of the first link.
  @inline(__always)
  static func firstMismatch(
    _ slots: UnsafePointer<Slots>, from frame: UInt, _ memory: UnsafeMutableRawPointer
  ) -> Mismatch? {
    var frame = frame
    for index in 0..<2 {
      let run = unsafe slots.pointee.runs[index]
      if run.first == 0 { break }
      var place = unsafe UnsafePointer(slot(run.first, memory))
      if unsafe !matchChain(&place, run.links, &frame) {
        return unsafe Mismatch(slot: place, frame: frame)
      }
      if unsafe !passWords(&place, run.words) { return unsafe Mismatch(slot: place, frame: 0) }
    }
    return nil
  }

  // Both compare many at a time as long as they can, and then without a loop, whose end a processor
  // would have to guess.

  /// Passes links that are as remembered.
  ///
  /// - Returns: false when it has stopped at one that is not.
  @inline(__always)
  private static func matchChain(
    _ slot: inout UnsafePointer<Slot>, _ count: UInt16, _ frame: inout UInt
  ) -> Bool {
    var left = UInt32(count)
    while left >= 8 {
      guard unsafe matchChain(&slot, &frame, count: 8) else { return false }
      left &-= 8
    }
    if left & 4 != 0 {
      guard unsafe matchChain(&slot, &frame, count: 4) else { return false }
    }
    if left & 2 != 0 {
      guard unsafe passLink(&slot, &frame), unsafe passLink(&slot, &frame) else { return false }
    }
    if left & 1 != 0 {
      guard unsafe passLink(&slot, &frame) else { return false }
    }
    return true
  }

  /// Passes a number of links at once where they lie on one page.
  ///
  /// - Parameter count: a constant.
  @inline(__always)
  private static func matchChain(
    _ slot: inout UnsafePointer<Slot>, _ frame: inout UInt, count: Int
  ) -> Bool {
    let areSame = unsafe slot.withMemoryRebound(to: UInt.self, capacity: 2 * count) {
      unsafe ct_are_links(frame, $0, Int32(count))
    }
    if areSame {
      frame = unsafe slot[count - 1].first
      unsafe slot += count
      return true
    }
    // One is not, or they lie on two pages.
    for _ in 0..<count {
      guard unsafe passLink(&slot, &frame) else { return false }
    }
    return true
  }

  /// Passes words that are as remembered.
  @inline(__always)
  private static func passWords(_ slot: inout UnsafePointer<Slot>, _ count: UInt16) -> Bool {
    var left = UInt32(count)
    while left >= 4 {
      guard unsafe passWord(&slot), unsafe passWord(&slot), unsafe passWord(&slot),
        unsafe passWord(&slot)
      else { return false }
      left &-= 4
    }
    if left & 2 != 0 {
      guard unsafe passWord(&slot), unsafe passWord(&slot) else { return false }
    }
    if left & 1 != 0 {
      guard unsafe passWord(&slot) else { return false }
    }
    return true
  }

  @inline(__always)
  private static func passLink(_ slot: inout UnsafePointer<Slot>, _ frame: inout UInt) -> Bool {
    guard unsafe isLink(slot.pointee, frame) else { return false }
    frame = unsafe slot.pointee.first
    unsafe slot += 1
    return true
  }

  @inline(__always)
  private static func passWord(_ slot: inout UnsafePointer<Slot>) -> Bool {
    guard unsafe isWord(slot.pointee) else { return false }
    unsafe slot += 1
    return true
  }

  @inline(__always)
  private static func isLink(_ slot: Slot, _ frame: UInt) -> Bool {
    word(frame) == slot.first && word(frame &+ 8) == slot.second
  }

  @inline(__always)
  private static func isWord(_ slot: Slot) -> Bool {
    word(slot.first &- Slot.isWord) == slot.second
  }

  @inline(__always)
  private static func word(_ address: UInt) -> UInt {
    unsafe UnsafePointer<UInt>(bitPattern: address).unsafelyUnwrapped.pointee
  }

  /// A slot by its number: 16 bytes each from the start of the memory.
  @inline(__always)
  static func slot(
    _ number: UInt32, _ memory: UnsafeMutableRawPointer
  ) -> UnsafeMutablePointer<Slot> {
    unsafe memory.assumingMemoryBound(to: Slot.self) + Int(number)
  }

  /// The number of a slot in the memory.
  static func number(
    of slot: UnsafePointer<Slot>, _ memory: UnsafeMutableRawPointer
  ) -> UInt32 {
    unsafe UInt32(slot - UnsafePointer(Self.slot(0, memory)))
  }

  /// The word that is another one, and where it stands: twice the slot's number, and 1 more for the
  /// second word of a link.
  static func difference(
    at mismatch: Mismatch, _ memory: UnsafeMutableRawPointer
  ) -> (word: UInt, place: UInt) {
    let place = unsafe 2 * UInt(number(of: mismatch.slot, memory))
    let slot = unsafe mismatch.slot.pointee
    let frame = unsafe mismatch.frame
    if frame == 0 { return (word(slot.first &- Slot.isWord), place) }
    let next = word(frame)
    return next == slot.first ? (word(frame &+ 8), place + 1) : (next, place)
  }

  /// Calls `body` with the address of each word that is compared before a mismatch, and of a word
  /// that is one.
  ///
  /// Of a link that is one, with neither of its words: where stacks branch, it is compared again.
  static func forEachAddress(
    _ slots: Slots, before mismatch: Mismatch, from frame: UInt, _ memory: UnsafeMutableRawPointer,
    _ body: (UInt) -> Void
  ) {
    var frame = frame
    /// Whether the mismatch is in there.
    func pass(_ run: Run) -> Bool {
      for index in 0..<UInt32(run.links) + UInt32(run.words) {
        let slot = unsafe slot(run.first + index, memory)
        let isMismatch = unsafe slot == mismatch.slot
        if index < run.links {
          if isMismatch { return true }
          body(frame)
          body(frame &+ 8)
          frame = unsafe slot.pointee.first
        } else {
          unsafe body(slot.pointee.first &- Slot.isWord)
          if isMismatch { return true }
        }
      }
      return false
    }
    for index in 0..<2 where pass(slots.runs[index]) { return }
  }

  // MARK: making

  /// Turns words into slots, in place.
  ///
  /// - Parameters:
  ///   - words: addresses and values, from the inside out.
  ///   - frame: where the first link would be of; 0 where there is none.
  /// - Returns: how many links there are, and how many slots.
  static func makeSlots(
    _ words: UnsafeMutablePointer<Slot>, _ count: Int, from frame: UInt
  ) -> (links: Int, all: Int) {
    var frame = frame
    var used = 0
    var next = 0
    // Callers lie above: `ct_are_links` relies on it.
    while next + 1 < count, unsafe words[next].first == frame,
      unsafe words[next + 1].first == frame &+ 8, unsafe words[next].second > frame
    {
      frame = unsafe words[next].second
      unsafe words[used] = Slot(first: frame, second: words[next + 1].second)
      used += 1
      next += 2
    }
    let links = used
    while next < count {
      unsafe words[used] = Slot(
        first: words[next].first | Slot.isWord, second: words[next].second)
      used += 1
      next += 1
    }
    return (links, used)
  }

  // MARK: sharing

  /// How many of the outer slots of a stack others have, too, and where.
  ///
  /// - Parameter end: the first slot that nobody has.
  static func findShared(
    _ slots: UnsafePointer<Slot>, _ count: Int, before end: UInt32,
    _ memory: UnsafeMutableRawPointer
  ) -> (first: UInt32, count: Int) {
    var found: (first: UInt32, count: Int) = (0, 0)
    var hash: UInt64 = 0
    for number in 1..<count + 1 {
      let start = unsafe slots + (count - number)
      unsafe hash = Self.hash(start.pointee, hash)
      let place = unsafe index(hash, memory).pointee
      guard place != 0, Int(place) + number <= Int(end) else { break }
      // Most often it goes on where the last one was found.
      let same = place == found.first &- 1 && number > 1 ? 1 : number
      guard
        unsafe memcmp(slot(place, memory), start, same * MemoryLayout<Slot>.stride) == 0
      else { break }
      found = (place, number)
    }
    return found
  }

  /// Lets others find a stack's slots, or as many of the outer ones as they have, too.
  ///
  /// - Parameter first: not 0.
  static func share(_ first: UInt32, _ count: Int, _ memory: UnsafeMutableRawPointer) {
    var hash: UInt64 = 0
    for number in 1..<count + 1 {
      let place = first + UInt32(count - number)
      unsafe hash = Self.hash(slot(place, memory).pointee, hash)
      unsafe index(hash, memory).pointee = place
    }
  }

  private static func index(
    _ hash: UInt64, _ memory: UnsafeMutableRawPointer
  ) -> UnsafeMutablePointer<UInt32> {
    unsafe (memory + indexOffset).assumingMemoryBound(to: UInt32.self)
      + Int(hash >> (64 - UInt64(indexBits)))
  }

  /// The hash of a slot and what lies behind it, whose hash is `outer`.
  private static func hash(_ slot: Slot, _ outer: UInt64) -> UInt64 {
    let hash = (outer &+ 1 ^ UInt64(slot.first)) &* 0x9E37_79B9_7F4A_7C15
    return (hash ^ hash >> 32 ^ UInt64(slot.second)) &* 0xD6E8_FEB8_6659_FD93
  }
}
