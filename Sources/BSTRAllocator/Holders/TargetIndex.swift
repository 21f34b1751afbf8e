// Tells words that may refer to a target from others, and finds the target. The inner loop of a
// search.

import CTracker
import Glibc
import TraceStore

/// The targets of one pass, by address.
struct TargetIndex: ~Copyable {
  /// A target's block.
  struct Entry: BitwiseCopyable {
    var start: UInt
    var end: UInt
    var target: UInt32
  }

  private var entries: PrivateArray<Entry>
  /// The lowest address of a target, and the distance to one past the highest.
  private var low: UInt = .max
  private var span: UInt = 0
  /// Bits by the hashes of parts of the address space: of 64 bytes for blocks of up to a page, of a
  /// page for larger ones.
  private var small: PrivateArray<UInt64>
  private var large: PrivateArray<UInt64>
  private var hasLarge = false
  private let smallShift: UInt64

  private static let largeBits: UInt64 = 15
  private static let maxSmallBits: UInt64 = 22
  private static let smallPart: UInt = 6
  private static let largePart: UInt = 12

  /// The bits of a word that are an address: Swift keeps others in the upper byte and the lowest
  /// three bits of references.
  private static let addressBits: UInt = 0x00FF_FFFF_FFFF_FFF8

  /// Creates the index of some targets; `nil` when there is no memory.
  init?(_ targets: borrowing PrivateArray<ScanTarget>, from first: Int) {
    var parts: UInt64 = 0
    for index in first..<targets.count where targets[index].byteCount <= Page.size {
      parts += UInt64(targets[index].byteCount >> Self.smallPart) + 2
    }
    var bits: UInt64 = 15
    while bits < Self.maxSmallBits, 1 << bits < parts * 32 { bits += 1 }
    guard let entries = PrivateArray<Entry>(capacity: max(1, targets.count - first)),
      let small = PrivateArray<UInt64>(capacity: 1 << (bits - 6)),
      let large = PrivateArray<UInt64>(capacity: 1 << (Self.largeBits - 6))
    else { return nil }
    self.entries = entries
    self.small = small
    self.large = large
    smallShift = 64 - bits
    self.small.fill(with: 0)
    self.large.fill(with: 0)
    var high: UInt = 0
    for index in first..<targets.count {
      let target = targets[index]
      self.entries.append(
        Entry(start: target.start, end: target.end, target: UInt32(index)))
      low = min(low, target.start & Self.addressBits)
      high = max(high, target.end)
      mark(target)
    }
    span = high > low ? high - low : 0
    self.entries.sort { $0.start < $1.start }
  }

  @inline(__always)
  private static func hash(_ part: UInt, _ shift: UInt64) -> Int {
    Int(truncatingIfNeeded: (UInt64(part) &* 0x9E37_79B9_7F4A_7C15) >> shift)
  }

  private mutating func mark(_ target: ScanTarget) {
    let isLarge = target.byteCount > Page.size
    if isLarge { hasLarge = true }
    let (size, shift) =
      isLarge ? (Self.largePart, 64 - Self.largeBits) : (Self.smallPart, smallShift)
    // A part of each large block is enough where they are so large that all bits would be set.
    let last = min((target.end - 1) >> size, target.start >> size + 1 << 16)
    for part in target.start >> size...last {
      let hash = Self.hash(part, shift)
      if isLarge {
        large[hash >> 6] |= 1 << UInt64(hash & 63)
      } else {
        small[hash >> 6] |= 1 << UInt64(hash & 63)
      }
    }
  }

  /// Returns the index of the next word that may refer to a target; `end` where there is none.
  @inline(__always)
  func nextCandidate(
    in words: UnsafePointer<UInt>, from start: Int, to end: Int
  ) -> Int {
    let (low, span, shift) = (low, span, smallShift)
    let (small, large) = unsafe (small.start, large.start)
    var index = start
    while index < end {
      let address = unsafe words[index] & Self.addressBits
      if address &- low < span {
        let hash = Self.hash(address >> Self.smallPart, shift)
        if unsafe small[hash >> 6] >> UInt64(hash & 63) & 1 != 0 { return index }
        if hasLarge {
          let hash = Self.hash(address >> Self.largePart, 64 - Self.largeBits)
          if unsafe large[hash >> 6] >> UInt64(hash & 63) & 1 != 0 { return index }
        }
      }
      index += 1
    }
    return end
  }

  /// Returns the target that a word refers to.
  ///
  /// - Complexity: logarithmic in the targets.
  func find(
    _ word: UInt, in targets: borrowing PrivateArray<ScanTarget>
  ) -> (target: UInt32, match: HolderMatch)? {
    let address = word & Self.addressBits
    var (from, to) = (0, entries.count)
    while from < to {
      let middle = (from + to) / 2
      if entries[middle].start <= address { from = middle + 1 } else { to = middle }
    }
    guard from > 0 else { return nil }
    let entry = entries[from - 1]
    guard address < entry.end else { return nil }
    let target = targets[Int(entry.target)]
    if word >> 56 != 0 {
      return address == target.start && target.text == 0 ? (entry.target, .tagged) : nil
    }
    if word == target.text { return (entry.target, .text) }
    if word == target.start { return (entry.target, .start) }
    if target.text == 0, address == target.start { return (entry.target, .tagged) }
    return word < target.end ? (entry.target, .interior) : nil
  }
}
