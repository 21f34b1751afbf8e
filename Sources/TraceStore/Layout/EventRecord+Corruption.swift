// The bytes that events of corruption are about: those that belong in a block, and those found
// there.

extension EventRecord {
  /// Returns the byte that belongs at an offset from the first character of a string that is
  /// overwritten; `nil` behind the block.
  ///
  /// Characters of a freed string, then a whole zero character, then the guard.
  ///
  /// - Parameter olecharBytes: the width of a character, where the string's layout is not known.
  public func intactByte(at offset: Int, olecharBytes: Int) -> UInt8? {
    let width = layout.isKnown ? layout.olecharBytes : max(1, olecharBytes)
    let byteCount = Int(byteLength)
    let end = ((byteCount + width - 1) / width + 1) * width
    if offset < byteCount { return StoreLayout.poisonByte }
    if offset < end { return 0 }
    return offset < end + StoreLayout.guardBytes ? StoreLayout.guardByte : nil
  }

  /// Replaces what was found in a corrupted block by what was there before, because it may be
  /// characters of a string.
  ///
  /// Where bytes were changed, and how many, is still known. A no-op for other events. Never
  /// allocates.
  ///
  /// - Parameter olecharBytes: as for `intactByte`.
  public mutating func redactFound(olecharBytes: Int) {
    switch EventKind(rawValue: kind) {
    case .prefixDamage: found = UInt64(byteLength)
    case .overrun, .writeAfterFree:
      found = 0
      for index in 0..<8 {
        let byte = intactByte(at: Int(offset) + index, olecharBytes: olecharBytes) ?? 0
        found |= UInt64(byte) << (8 * UInt64(index))
      }
    default: break
    }
  }
}
