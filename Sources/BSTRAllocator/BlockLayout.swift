// What stands where in a block, and whether it still does. Does not lock; the caller sees to it that
// nobody releases the block meanwhile.

import CTracker
import Glibc
import TraceStore

/// A program's layout with what the tracker adds to it.
///
/// ```
///  start        payloadOffset                                blockBytes
///    | 0 … | length |  characters  | 0 character |  guard  |
/// ```
///
/// The guard is at the end because a private copy of SysFreeString releases the block's start.
struct BlockLayout {
  let profile: Profile
  /// Bytes behind the terminator: `guardSize`, or 0 without guards.
  let guardBytes: Int

  /// Four characters of Windows' width.
  ///
  /// In many size classes of the heap it takes no more memory.
  static let guardSize = 8

  /// Bytes in a block whose memory was written to by somebody who should not have.
  struct Damage {
    var kind: EventKind
    /// From the first character to the first changed byte.
    var offset: Int
    /// Changed bytes.
    var count: Int
    /// The first of them as they were found; for a prefix what it says.
    var found: UInt64
  }

  /// Bytes of a block whose payload has `byteCount` bytes.
  func blockBytes(forPayload byteCount: Int) -> Int {
    profile.blockBytes(forPayload: byteCount) + guardBytes
  }

  /// Bytes from the first character to the guard.
  private func guardOffset(_ byteCount: Int) -> Int {
    profile.blockBytes(forPayload: byteCount) - profile.payloadOffset
  }

  /// Writes the guard behind a string of `byteCount` bytes.
  func setGuard(of bstr: UnsafeMutableRawPointer, _ byteCount: Int) {
    if guardBytes > 0 {
      unsafe memset(
        bstr + guardOffset(byteCount), Int32(StoreLayout.guardByte), guardBytes)
    }
  }

  /// What is wrong with a live block, or `nil`.
  ///
  /// A prefix that says less than was allocated is a string that was shortened in place, which is
  /// legal as long as it stays inside the block.
  func damage(of record: BlockRecord) -> Damage? {
    guard let bstr = unsafe UnsafeRawPointer(bitPattern: UInt(record.address)) else { return nil }
    let prefix = unsafe (bstr - 4).loadUnaligned(as: UInt32.self)
    if prefix > record.byteLength {
      return Damage(kind: .prefixDamage, offset: -4, count: 4, found: UInt64(prefix))
    }
    return unsafe damageBehind(bstr, Int(record.byteLength), .overrun)
  }

  /// What is wrong with the terminator and the guard.
  ///
  /// One character too many lands on the terminator.
  private func damageBehind(
    _ bstr: UnsafeRawPointer, _ byteCount: Int, _ kind: EventKind
  ) -> Damage? {
    let start = guardOffset(byteCount)
    var damage = unsafe Self.changes(kind, bstr, byteCount..<start, expected: 0)
    let behind = unsafe Self.changes(
      kind, bstr, start..<start + guardBytes, expected: StoreLayout.guardByte)
    if damage == nil { damage = behind } else { damage?.count += behind?.count ?? 0 }
    return damage
  }

  /// Makes a released string an empty one with nothing sensible behind it.
  ///
  /// A reader that comes too late sees no characters, and does not run past the block: the length is
  /// 0 and there is a terminator.
  ///
  /// - Parameter most: bytes that are written at most.
  func poison(_ record: BlockRecord, atMost most: Int = .max) {
    guard let bstr = unsafe UnsafeMutableRawPointer(bitPattern: UInt(record.address)) else {
      return
    }
    unsafe (bstr - 4).storeBytes(of: 0, as: UInt32.self)
    let byteCount = Int(record.byteLength)
    unsafe memset(bstr, Int32(StoreLayout.poisonByte), min(byteCount, most))
    if byteCount > most { return }
    unsafe memset(bstr + byteCount, 0, guardOffset(byteCount) - byteCount)
    if record.serial != 0 { unsafe setGuard(of: bstr, byteCount) }
  }

  /// What was written to a released block, or `nil`.
  func damage(ofPoisoned freed: FreedBlock) -> Damage? {
    let record = freed.record
    guard let bstr = unsafe UnsafeRawPointer(bitPattern: UInt(record.address)) else { return nil }
    let prefix = unsafe (bstr - 4).loadUnaligned(as: UInt32.self)
    var damage = unsafe Self.changes(
      .writeAfterFree, bstr, 0..<Int(record.byteLength), expected: StoreLayout.poisonByte)
    // Other copies' blocks have no guard.
    let layout = freed.isForeign ? BlockLayout(profile: profile, guardBytes: 0) : self
    let behind = unsafe layout.damageBehind(bstr, Int(record.byteLength), .writeAfterFree)
    if damage == nil { damage = behind } else { damage?.count += behind?.count ?? 0 }
    if prefix != 0 {
      let count = (damage?.count ?? 0) + 4
      damage = Damage(kind: .writeAfterFree, offset: -4, count: count, found: UInt64(prefix))
    }
    return damage
  }

  /// The bytes of a range that are not what they should be.
  private static func changes(
    _ kind: EventKind, _ bstr: UnsafeRawPointer, _ range: Range<Int>, expected: UInt8
  ) -> Damage? {
    var damage: Damage?
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
        if damage == nil { damage = Damage(kind: kind, offset: index, count: 0, found: 0) }
        damage?.count += 1
      }
      index += 1
    }
    if let first = damage?.offset {
      for position in first..<min(first + 8, range.upperBound) {
        let byte = unsafe bstr.load(fromByteOffset: position, as: UInt8.self)
        damage?.found |= UInt64(byte) << (8 * UInt64(position - first))
      }
    }
    return damage
  }
}
