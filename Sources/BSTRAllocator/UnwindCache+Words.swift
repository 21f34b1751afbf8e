// The words of remembered stacks, in an order that is quickly compared. Does not know whose they are.

import CTracker
import Glibc

extension UnwindCache {
  /// A word on the stack: where it stands, and what it held.
  struct Slot {
    var address: UInt
    var value: UInt
  }

  // Remembered slots stand in fours, from the inside out; where one is not full it repeats its first slot. All
  // words of a four lie on one page of memory: what can be read of one can be read of all. The outer fours of
  // many stacks are the same, and stand in memory once.
  static let four = 4

  /// A word on the stack that is another one than was remembered.
  struct Mismatch {
    /// How many slots come before.
    var index: Int
    var word: UInt
  }

  @inline(__always)
  static func firstMismatch(_ first: UnsafePointer<Slot>, _ fours: Int) -> Mismatch? {
    let end = unsafe first + four &* fours
    var place = unsafe first
    repeat {
      let difference =
        difference(unsafe place[0]) | difference(unsafe place[1])
        | difference(unsafe place[2]) | difference(unsafe place[3])
      if difference != 0 {
        while self.difference(unsafe place.pointee) == 0 { unsafe place += 1 }
        let word = unsafe place.pointee.value ^ self.difference(place.pointee)
        return unsafe Mismatch(index: place - first, word: word)
      }
      unsafe place += four
    } while unsafe place != end
    return nil
  }

  @inline(__always)
  private static func difference(_ slot: Slot) -> UInt {
    unsafe UnsafePointer<UInt>(bitPattern: slot.address).unsafelyUnwrapped.pointee ^ slot.value
  }

  /// The first slot of a four.
  @inline(__always)
  static func slots(
    _ four: UInt16, _ memory: UnsafeMutableRawPointer
  ) -> UnsafeMutablePointer<Slot> {
    unsafe (memory + fourOffset).assumingMemoryBound(to: Slot.self) + Self.four &* Int(four)
  }

  /// Writes slots in fours, the outermost at the end, so that stacks that differ inside have equal ones.
  ///
  /// - Returns: how many there are; `nil` for too many.
  static func writeInFours(
    _ slots: UnsafePointer<Slot>, _ count: Int, before end: UnsafeMutablePointer<Slot>
  ) -> Int? {
    // How many places are taken, from the end.
    var taken = 0
    for index in (0..<count).reversed() {
      let slot = unsafe slots[index]
      while taken % four != 0,
        unsafe (end - taken).pointee.address / 4096 != slot.address / 4096
      {
        unsafe (end - taken - 1).pointee = (end - taken).pointee
        taken += 1
      }
      if taken == four * mostFoursOfStack { return nil }
      unsafe (end - taken - 1).pointee = slot
      taken += 1
    }
    while taken % four != 0 {
      unsafe (end - taken - 1).pointee = (end - taken).pointee
      taken += 1
    }
    return taken / four
  }

  // MARK: sharing

  /// The fours that others have, too, of `count` fours: as many of the outer ones as can be found.
  static func findShared(
    _ count: Int, before end: UnsafePointer<Slot>, used: Int, _ memory: UnsafeMutableRawPointer
  ) -> (first: UInt16, count: Int) {
    var found: (first: UInt16, count: Int) = (0, 0)
    var hash: UInt64 = 0
    for number in 1..<count + 1 {
      let start = unsafe end - four * number
      unsafe hash = Self.hash(start, hash)
      let place = unsafe index(hash, memory).pointee
      guard place != 0, Int(place) - 1 + number <= used,
        unsafe memcmp(slots(place - 1, memory), start, number * fourBytes) == 0
      else { break }
      found = (place - 1, number)
    }
    return found
  }

  /// Lets others find `count` fours that end a stack, or as many of the outer ones as they have, too.
  static func share(_ first: UInt16, _ count: Int, _ memory: UnsafeMutableRawPointer) {
    var hash: UInt64 = 0
    for number in 1..<count + 1 {
      let place = first + UInt16(count - number)
      unsafe hash = Self.hash(slots(place, memory), hash)
      unsafe index(hash, memory).pointee = place + 1
    }
  }

  /// The place in the index: 0 for none, or 1 more than a four's number.
  private static func index(
    _ hash: UInt64, _ memory: UnsafeMutableRawPointer
  ) -> UnsafeMutablePointer<UInt16> {
    unsafe (memory + indexOffset).assumingMemoryBound(to: UInt16.self)
      + Int(hash >> (64 - UInt64(indexBits)))
  }

  /// The hash of a four and what lies behind it, whose hash is `outer`.
  private static func hash(_ slots: UnsafePointer<Slot>, _ outer: UInt64) -> UInt64 {
    var hash = outer &+ 1
    for index in 0..<four {
      let slot = unsafe slots[index]
      hash = (hash ^ UInt64(slot.address)) &* 0x9E37_79B9_7F4A_7C15
      hash = (hash ^ hash >> 32 ^ UInt64(slot.value)) &* 0xD6E8_FEB8_6659_FD93
    }
    return hash
  }
}
