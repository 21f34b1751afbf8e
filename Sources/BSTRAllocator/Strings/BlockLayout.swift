// The layout of a block, and the checks that its bytes are as they were left. Does not lock: the
// caller makes sure that no other thread frees the block meanwhile.

import CTracker
import Glibc
import TraceStore

/// A string layout with the guard that the tracker adds.
///
/// ```
///  start        payloadOffset                                blockBytes
///    | 0 … | length |  characters  | 0 character |  guard  |
/// ```
///
/// The guard is at the end because a private copy of SysFreeString frees the block's start.
struct BlockLayout {
  /// The layout without the guard.
  let stringLayout: StringLayout
  private let hasGuard: Bool

  /// Makes a layout.
  ///
  /// - Parameter hasGuard: whether a guard is after the terminator of each string.
  @inline(__always)
  init(stringLayout: StringLayout, hasGuard: Bool) {
    self.stringLayout = stringLayout
    self.hasGuard = hasGuard
  }

  /// Makes the layout of a recorded string.
  @inline(__always)
  init(_ layout: StoredLayout) {
    self.init(stringLayout: StringLayout(layout), hasGuard: layout.hasGuard)
  }

  /// The bytes after the terminator: `guardSize`, or 0 without guards.
  @inline(__always)
  var guardBytes: Int { hasGuard ? Self.guardSize : 0 }

  /// The bytes of a guard: four characters of Windows' width.
  ///
  /// In many size classes of the heap the block takes no more memory for it.
  static let guardSize = StoreLayout.guardBytes

  /// Bytes of a block that are not as they were left.
  struct Corruption {
    /// The kind of event that reports them.
    var kind: EventKind
    /// The bytes from the first character to the first changed byte.
    var offset: Int
    /// The count of changed bytes.
    var count: Int
    /// The eight bytes from the first changed one on, as they were found; for a prefix its value.
    var found: UInt64
  }

  /// All corruption of one live block.
  struct BlockCorruption {
    /// Corruption of its prefix.
    var prefix: Corruption?
    /// Corruption of its trailer.
    var trailer: Corruption?

    var isEmpty: Bool { prefix == nil && trailer == nil }

    /// Calls `body` with each corruption.
    func forEach(_ body: (Corruption) -> Void) {
      if let prefix { body(prefix) }
      if let trailer { body(trailer) }
    }
  }

  /// Returns the bytes of a block whose payload has `byteCount` bytes.
  @inline(__always)
  func blockBytes(forPayload byteCount: Int) -> Int {
    stringLayout.blockBytes(forPayload: byteCount) &+ guardBytes
  }

  /// Returns the bytes from the first character to the guard.
  @inline(__always)
  private func guardOffset(_ byteCount: Int) -> Int {
    stringLayout.bytesWithTerminator(byteCount)
  }

  /// Writes the guard after a string of `byteCount` bytes; a no-op without guards.
  @inline(__always)
  func setGuard(of bstr: UnsafeMutableRawPointer, _ byteCount: Int) {
    if hasGuard {
      unsafe (bstr + guardOffset(byteCount)).storeBytes(of: Self.guardWord, as: UInt64.self)
    }
  }

  private static let guardWord = UInt64(StoreLayout.guardByte) &* 0x0101_0101_0101_0101
  private static let poisonWord = UInt64(StoreLayout.poisonByte) &* 0x0101_0101_0101_0101

  /// Writes the zeros between a string's last byte and its guard.
  @inline(__always)
  func terminate(_ bstr: UnsafeMutableRawPointer, _ byteCount: Int) {
    if byteCount & 1 == 0, stringLayout.olecharBytes == 2 {
      return unsafe (bstr + byteCount).storeBytes(of: 0, as: UInt16.self)
    }
    // A whole character and the rest of one: at most seven bytes.
    for index in byteCount..<guardOffset(byteCount) {
      unsafe (bstr + index).storeBytes(of: 0, as: UInt8.self)
    }
  }

  /// Returns whether the trailer is as it was left, on the fast path.
  @inline(__always)
  private func isTrailerIntact(_ bstr: UnsafeRawPointer, _ byteCount: Int) -> Bool {
    let end = guardOffset(byteCount)
    if hasGuard, unsafe ct_load64(bstr + end) != Self.guardWord { return false }
    if byteCount & 1 == 0, stringLayout.olecharBytes == 2 {
      return unsafe ct_load16(bstr + byteCount) == 0
    }
    return unsafe Self.changes(.overrun, bstr, byteCount..<end, expected: 0) == nil
  }

  /// Writes a string's trailer again.
  func restoreTrailer(_ record: BlockRecord) {
    guard let bstr = unsafe record.characters else {
      return
    }
    unsafe terminate(bstr, Int(record.byteLength))
    unsafe setGuard(of: bstr, Int(record.byteLength))
  }

  /// Returns whether a live block has no corruption, on the fast path.
  ///
  /// A prefix that is less than was allocated is that of a string that was shortened in place,
  /// which is legal as long as it stays inside the block.
  @inline(__always)
  func isIntact(_ record: UnsafePointer<BlockRecord>) -> Bool {
    guard let bstr = unsafe record.pointee.characters else {
      return true
    }
    let byteLength = unsafe record.pointee.byteLength
    let prefix = unsafe (bstr - 4).load(as: UInt32.self)
    return unsafe prefix <= byteLength && isTrailerIntact(bstr, Int(byteLength))
  }

  /// Returns the corruption of a live block.
  func corruption(of record: BlockRecord) -> BlockCorruption {
    var corruption = BlockCorruption()
    guard let bstr = unsafe record.characters else {
      return corruption
    }
    let prefix = unsafe (bstr - 4).load(as: UInt32.self)
    if prefix > record.byteLength {
      corruption.prefix = Corruption(
        kind: .prefixDamage, offset: -4, count: 4, found: UInt64(prefix))
    }
    unsafe corruption.trailer = trailerCorruption(bstr, Int(record.byteLength), .overrun)
    return corruption
  }

  /// Returns the corruption of terminator and guard.
  ///
  /// One character too many overwrites the terminator.
  private func trailerCorruption(
    _ bstr: UnsafeRawPointer, _ byteCount: Int, _ kind: EventKind
  ) -> Corruption? {
    let start = guardOffset(byteCount)
    var corruption = unsafe Self.changes(kind, bstr, byteCount..<start, expected: 0)
    let ofGuard = unsafe Self.changes(
      kind, bstr, start..<start + guardBytes, expected: StoreLayout.guardByte)
    if corruption == nil { corruption = ofGuard } else { corruption?.count += ofGuard?.count ?? 0 }
    return unsafe withFound(corruption, bstr, byteCount)
  }

  /// Adds the bytes that were found, up to the block's end, to a corruption.
  private func withFound(
    _ corruption: Corruption?, _ bstr: UnsafeRawPointer, _ byteCount: Int
  ) -> Corruption? {
    guard var corruption else { return nil }
    corruption.found = 0
    let end = min(corruption.offset + 8, guardOffset(byteCount) + guardBytes)
    for position in corruption.offset..<max(corruption.offset, end) {
      let byte = unsafe bstr.load(fromByteOffset: position, as: UInt8.self)
      corruption.found |= UInt64(byte) << (8 * UInt64(position - corruption.offset))
    }
    return corruption
  }

  /// Overwrites a freed string's length with 0 and its characters with poison.
  ///
  /// A read after the free sees no characters, and does not run past the block: the length is 0,
  /// and the trailer stays.
  ///
  /// - Parameter maxBytes: the limit of characters' bytes that are overwritten.
  @inline(__always)
  func poison(_ record: BlockRecord, atMost maxBytes: Int = .max) {
    guard let bstr = unsafe record.characters else {
      return
    }
    unsafe (bstr - 4).storeBytes(of: 0, as: UInt32.self)
    let byteCount = Int(record.byteLength)
    if Self.isInFewWords(byteCount) {
      Self.forEachWord(byteCount) {
        unsafe (bstr + $0).storeBytes(of: Self.poisonWord, as: UInt64.self)
      }
    } else {
      unsafe memset(bstr, Int32(StoreLayout.poisonByte), min(byteCount, maxBytes))
    }
  }

  /// Returns whether a block that was freed to the heap still has its poison and trailer, except
  /// for what the heap writes at both ends of free blocks.
  ///
  /// - Parameters:
  ///   - first: bytes from the block's start to the first that the heap has not written.
  ///   - last: bytes from the block's start to the end of those.
  /// - Returns: `nil` when too few bytes are left to decide, or they are not readable.
  func isPoisonIntact(of freed: FreedBlock, from first: Int, to last: Int) -> Bool? {
    let byteCount = Int(freed.record.byteLength)
    let address = UInt(freed.record.address)
    let isWhole = byteCount <= Self.maxPoisonBytes
    let written = isWhole ? guardOffset(byteCount) + guardBytes : Self.maxPoisonBytes
    let start = max(0, first - stringLayout.payloadOffset)
    let end = min(written, last - stringLayout.payloadOffset)
    guard start < end, end - start >= 2, ct_is_readable(address, end) else { return nil }
    for position in start..<end {
      let expected =
        position < byteCount
        ? StoreLayout.poisonByte
        : position < guardOffset(byteCount) ? 0 : StoreLayout.guardByte
      if ct_peek(address + UInt(position), 1) != UInt64(expected) { return false }
    }
    return true
  }

  /// The limit of bytes of a freed string that are poisoned when its memory is not quarantined.
  static let maxPoisonBytes = 4096

  /// Returns whether nothing was written to a freed block, on the fast path.
  ///
  /// - Parameter maxBytes: the longest payload that is checked: for a longer one false is returned.
  @inline(__always)
  func isPoisoned(_ freed: borrowing FreedBlock, atMost maxBytes: Int) -> Bool {
    let byteCount = Int(freed.record.byteLength)
    guard byteCount <= maxBytes,
      let bstr = unsafe freed.record.characters,
      unsafe (bstr - 4).load(as: UInt32.self) == 0
    else { return false }
    if Self.isInFewWords(byteCount) {
      var difference: UInt64 = 0
      Self.forEachWord(byteCount) {
        difference |= unsafe ct_load64(bstr + $0) ^ Self.poisonWord
      }
      if difference != 0 { return false }
    } else {
      var index = 0
      while index &+ 8 <= byteCount {
        if unsafe ct_load64(bstr + index) != Self.poisonWord { return false }
        index &+= 8
      }
      let rest = index..<byteCount
      if unsafe Self.changes(.writeAfterFree, bstr, rest, expected: StoreLayout.poisonByte) != nil {
        return false
      }
    }
    return unsafe isTrailerIntact(bstr, byteCount)
  }

  /// Returns whether `forEachWord` may be called for a string.
  @inline(__always)
  private static func isInFewWords(_ byteCount: Int) -> Bool {
    UInt(bitPattern: byteCount &- 8) <= 64 - 8
  }

  /// Calls `body` with the offsets of words of 8 bytes, which may overlap, that cover all bytes of
  /// a short string.
  ///
  /// Not a loop, which the compiler would make a call of `memset` that costs more.
  ///
  /// - Parameter byteCount: 8 to 64.
  @inline(__always)
  private static func forEachWord(_ byteCount: Int, _ body: (Int) -> Void) {
    body(0)
    body(byteCount &- 8)
    if byteCount <= 16 { return }
    body(8)
    body(byteCount &- 16)
    if byteCount <= 32 { return }
    body(16)
    body(24)
    body(byteCount &- 32)
    body(byteCount &- 24)
  }

  /// Returns the corruption of a freed block that was poisoned; `nil` when there is none.
  func corruption(ofPoisoned freed: FreedBlock) -> Corruption? {
    let record = freed.record
    guard !isPoisoned(freed, atMost: .max),
      let bstr = unsafe record.characters
    else { return nil }
    let prefix = unsafe (bstr - 4).load(as: UInt32.self)
    var corruption = unsafe Self.changes(
      .writeAfterFree, bstr, 0..<Int(record.byteLength), expected: StoreLayout.poisonByte)
    let trailer = unsafe trailerCorruption(bstr, Int(record.byteLength), .writeAfterFree)
    if corruption == nil { corruption = trailer } else { corruption?.count += trailer?.count ?? 0 }
    unsafe corruption = withFound(corruption, bstr, Int(record.byteLength))
    if prefix != 0 {
      let count = (corruption?.count ?? 0) + 4
      corruption = Corruption(
        kind: .writeAfterFree, offset: -4, count: count, found: UInt64(prefix))
    }
    return corruption
  }

  /// Returns the bytes of a range that are not the expected one; `nil` when all are.
  private static func changes(
    _ kind: EventKind, _ bstr: UnsafeRawPointer, _ range: Range<Int>, expected: UInt8
  ) -> Corruption? {
    var corruption: Corruption?
    let word = UInt64(expected) &* 0x0101_0101_0101_0101
    var index = range.lowerBound
    while index < range.upperBound {
      if index + 8 <= range.upperBound,
        unsafe (bstr + index).loadUnaligned(as: UInt64.self) == word
      {
        index += 8
        continue
      }
      if unsafe bstr.load(fromByteOffset: index, as: UInt8.self) != expected {
        if corruption == nil {
          corruption = Corruption(kind: kind, offset: index, count: 0, found: 0)
        }
        corruption?.count += 1
      }
      index += 1
    }
    return corruption
  }
}
