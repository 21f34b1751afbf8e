// Compares the words of cached stacks, which are stored in an order that is quick to compare. Does
// not know the stacks that they belong to.

import CTracker
import Glibc

extension UnwindCache {
  /// One cached frame, or one cached word, of a stack.
  ///
  /// The frame-pointer chain comes first, as links: each link has the two words of a frame, the
  /// first of which is the address of the caller's frame. Plain slots, of single words, follow.
  struct Slot {
    /// Of a link, the address of the caller's frame; of a plain slot, the word's address and
    /// `isWord`.
    var first: UInt
    /// Of a link, the return address; of a plain slot, the word's value.
    var second: UInt

    /// The bit that is set in a plain slot's address, so that a plain slot never equals a link.
    ///
    /// Addresses of both are multiples of 8.
    static let isWord: UInt = 1
  }

  /// Consecutive slots: links, and plain slots behind them.
  struct Run {
    /// The index of the first slot; 0 for no run.
    var first: UInt32 = 0
    var links: UInt16 = 0
    var words: UInt16 = 0
  }

  /// The slots of one stack in order: a run of its own, then a run that it shares with other
  /// stacks; either may be empty.
  ///
  /// Where the shared run has links, the own run has links only.
  struct Slots {
    var runs: InlineArray<2, Run> = [Run(), Run()]
  }

  /// A slot that differs from the stack.
  @unsafe struct Mismatch {
    var slot: UnsafePointer<Slot>
    /// The address of the link's frame; 0 for a plain slot.
    var frame: UInt
  }

  /// Finds the first slot that differs from the calling thread's stack.
  ///
  /// - Parameter frame: the address of the first link's frame.
  @inline(__always)
  static func firstMismatch(
    _ slots: UnsafePointer<Slots>, from frame: UInt, _ memory: UnsafeMutableRawPointer
  ) -> Mismatch? {
    var frame = frame
    var index = 0
    repeat {
      let run = unsafe slots.pointee.runs[index]
      var next = unsafe UnsafePointer(slot(run.first, memory))
      if run.links != 0, unsafe !matchChain(&next, run.links, &frame) {
        return unsafe Mismatch(slot: next, frame: frame)
      }
      if let slot = unsafe firstMismatch(next, run.words) {
        return unsafe Mismatch(slot: slot, frame: 0)
      }
      index += 1
    } while unsafe index < 2 && slots.pointee.runs[index].first != 0
    return nil
  }

  // Both compare many slots at a time while they can, and the rest without a loop, whose end a
  // processor would have to predict.

  /// Matches links with the stack.
  ///
  /// - Returns: false when it has stopped at a link that differs.
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
      guard unsafe matchLink(&slot, &frame), unsafe matchLink(&slot, &frame) else { return false }
    }
    if left & 1 != 0 {
      guard unsafe matchLink(&slot, &frame) else { return false }
    }
    return true
  }

  /// Matches several links at once where they are on one page.
  ///
  /// - Parameter count: a constant.
  @inline(__always)
  private static func matchChain(
    _ slot: inout UnsafePointer<Slot>, _ frame: inout UInt, count: Int
  ) -> Bool {
    let isMatch = unsafe slot.withMemoryRebound(to: UInt.self, capacity: 2 * count) {
      unsafe ct_matches_chain(frame, $0, Int32(count))
    }
    if isMatch {
      frame = unsafe slot[count - 1].first
      unsafe slot += count
      return true
    }
    // One differs, or they are on two pages.
    for _ in 0..<count {
      guard unsafe matchLink(&slot, &frame) else { return false }
    }
    return true
  }

  /// Returns the first of `count` plain slots that differs from the stack; `nil` when none does.
  @inline(__always)
  private static func firstMismatch(
    _ slots: UnsafePointer<Slot>, _ count: UInt16
  ) -> UnsafePointer<Slot>? {
    unsafe UnsafeRawPointer(
      ct_first_mismatch(
        UnsafeRawPointer(slots).assumingMemoryBound(to: UInt.self), UInt32(count)))?
      .assumingMemoryBound(to: Slot.self)
  }

  @inline(__always)
  private static func matchLink(_ slot: inout UnsafePointer<Slot>, _ frame: inout UInt) -> Bool {
    guard unsafe isLink(slot.pointee, frame) else { return false }
    frame = unsafe slot.pointee.first
    unsafe slot += 1
    return true
  }

  @inline(__always)
  private static func isLink(_ slot: Slot, _ frame: UInt) -> Bool {
    word(frame) == slot.first && word(frame &+ 8) == slot.second
  }

  @inline(__always)
  private static func word(_ address: UInt) -> UInt {
    unsafe UnsafePointer<UInt>(bitPattern: address).unsafelyUnwrapped.pointee
  }

  /// Returns the slot with an index: 16 bytes each from the start of the memory.
  @inline(__always)
  static func slot(
    _ index: UInt32, _ memory: UnsafeMutableRawPointer
  ) -> UnsafeMutablePointer<Slot> {
    unsafe memory.assumingMemoryBound(to: Slot.self) + Int(index)
  }

  /// Returns the index of a slot in the memory.
  static func index(
    of slot: UnsafePointer<Slot>, _ memory: UnsafeMutableRawPointer
  ) -> UInt32 {
    unsafe UInt32(slot - UnsafePointer(Self.slot(0, memory)))
  }

  /// Returns the word of the stack that differs, and its position: twice the slot's index, and 1
  /// more for the second word of a link.
  static func difference(
    at mismatch: Mismatch, _ memory: UnsafeMutableRawPointer
  ) -> (word: UInt, position: UInt) {
    let position = unsafe 2 * UInt(index(of: mismatch.slot, memory))
    let slot = unsafe mismatch.slot.pointee
    let frame = unsafe mismatch.frame
    if frame == 0 { return (word(slot.first &- Slot.isWord), position) }
    let next = word(frame)
    return next == slot.first ? (word(frame &+ 8), position + 1) : (next, position)
  }

  /// Calls `body` with the address of each word that is compared before a mismatch, and of a plain
  /// slot that mismatches.
  ///
  /// For a link that mismatches, with neither of its words: at the divergence point it is compared
  /// again.
  static func forEachAddress(
    _ slots: Slots, before mismatch: Mismatch, from frame: UInt, _ memory: UnsafeMutableRawPointer,
    _ body: (UInt) -> Void
  ) {
    var frame = frame
    /// Returns whether the mismatch is in the run.
    func visit(_ run: Run) -> Bool {
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
    for index in 0..<2 where visit(slots.runs[index]) { return }
  }

  // MARK: making

  /// Turns words into slots, in place.
  ///
  /// - Parameters:
  ///   - words: addresses and values, from the innermost frame outwards.
  ///   - frame: the address of the first link's frame; 0 where the first slot is no link.
  /// - Returns: the counts of links, and of all slots.
  static func makeSlots(
    _ words: UnsafeMutablePointer<Slot>, _ count: Int, from frame: UInt
  ) -> (links: Int, all: Int) {
    var frame = frame
    var used = 0
    var next = 0
    // Callers are at higher addresses: `ct_matches_chain` relies on it.
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

  /// Finds the longest run of cached slots that equals the outer slots of a stack.
  ///
  /// - Parameter end: the index of the first unused slot.
  ///
  /// - Returns: the index of the run's first slot, and its count of slots.
  static func findShared(
    _ slots: UnsafePointer<Slot>, _ count: Int, before end: UInt32,
    _ memory: UnsafeMutableRawPointer
  ) -> (first: UInt32, count: Int) {
    var found: (first: UInt32, count: Int) = (0, 0)
    var hash: UInt64 = 0
    for length in 1..<count + 1 {
      let start = unsafe slots + (count - length)
      unsafe hash = Self.hash(start.pointee, hash)
      let candidate = unsafe sharedIndex(hash, memory).pointee
      // Another stack's slot, or one of this stack's, may have the cell: a longer run may be found.
      guard candidate != 0, Int(candidate) + length <= Int(end) else { continue }
      // Most often the slot is in front of the run that was found last.
      let unchecked = candidate == found.first &- 1 && length > 1 ? 1 : length
      guard
        unsafe memcmp(slot(candidate, memory), start, unchecked * MemoryLayout<Slot>.stride) == 0
      else { continue }
      found = (candidate, length)
    }
    return found
  }

  /// Indexes a stack's slots, so that other stacks can share the outer ones.
  ///
  /// - Parameter first: the index of the first slot; not 0.
  static func share(_ first: UInt32, _ count: Int, _ memory: UnsafeMutableRawPointer) {
    var hash: UInt64 = 0
    for length in 1..<count + 1 {
      let index = first + UInt32(count - length)
      unsafe hash = Self.hash(slot(index, memory).pointee, hash)
      unsafe sharedIndex(hash, memory).pointee = index
    }
  }

  /// Returns the location of the index of the shared slot with a hash.
  private static func sharedIndex(
    _ hash: UInt64, _ memory: UnsafeMutableRawPointer
  ) -> UnsafeMutablePointer<UInt32> {
    let geometry = unsafe geometry(of: memory)
    return unsafe (memory + geometry.indexOffset).assumingMemoryBound(to: UInt32.self)
      + Int(hash >> (64 - UInt64(geometry.indexBits)))
  }

  /// Returns the hash of a slot and of all slots behind it, whose hash is `outer`.
  private static func hash(_ slot: Slot, _ outer: UInt64) -> UInt64 {
    let hash = (outer &+ 1 ^ UInt64(slot.first)) &* 0x9E37_79B9_7F4A_7C15
    return (hash ^ hash >> 32 ^ UInt64(slot.second)) &* 0xD6E8_FEB8_6659_FD93
  }
}
