// Conversion between BSTRs and Swift's strings, for both widths of a character: UTF-16 where an
// OLECHAR has 2 bytes, UTF-32 where it has 4.

import CBSTR

extension OwnedBSTR {
  /// Creates a BSTR with the characters of `text`, zeros included.
  ///
  /// - Throws: `BSTRError.outOfMemory`.
  /// - Complexity: O(n), with one allocation.
  public init(_ text: String) throws(BSTRError) {
    if OLECHARWidth.ofProcess == .four {
      let scalars = text.unicodeScalars
      try self.init(UInt32.self, scalars.count, scalars.lazy.map(\.value))
    } else {
      try self.init(UInt16.self, text.utf16.count, text.utf16)
    }
  }

  /// Creates a BSTR with these UTF-16 units, unpaired surrogates included.
  ///
  /// Where characters have 4 bytes, pairs become one character.
  ///
  /// - Throws: `BSTRError.outOfMemory`.
  public init(utf16 units: some Collection<UInt16>) throws(BSTRError) {
    if OLECHARWidth.ofProcess == .four {
      let characters = Surrogates.joined(units)
      try self.init(UInt32.self, characters.count, characters)
    } else {
      try self.init(UInt16.self, units.count, units)
    }
  }

  /// Creates a BSTR of a count of characters.
  private init<Unit: FixedWidthInteger & BitwiseCopyable>(
    _: Unit.Type, _ count: Int, _ units: some Sequence<Unit>
  ) throws(BSTRError) {
    guard let length = UINT(exactly: count), let bstr = unsafe SysAllocStringLen(nil, length) else {
      throw .outOfMemory
    }
    let characters = unsafe UnsafeMutableRawBufferPointer(
      start: bstr, count: count * MemoryLayout<Unit>.stride)
    for (index, unit) in units.enumerated().prefix(count) {
      unsafe characters.storeBytes(
        of: unit, toByteOffset: index * MemoryLayout<Unit>.stride, as: Unit.self)
    }
    unsafe self.init(owning: bstr)
  }
}

extension BorrowedBSTR {
  /// The string's UTF-16, unpaired surrogates included.
  ///
  /// Where characters have 4 bytes, those beyond 16 bits become pairs, and invalid ones U+FFFD.
  ///
  /// - Complexity: O(n).
  public var utf16: [UInt16] {
    if OLECHARWidth.ofProcess == .four { return Surrogates.split(units(UInt32.self)) }
    return units(UInt16.self)
  }

  /// Returns the whole characters.
  fileprivate func units<Unit: FixedWidthInteger & BitwiseCopyable>(_: Unit.Type) -> [Unit] {
    unsafe withUnsafeBytes { bytes in
      (0..<bytes.count / MemoryLayout<Unit>.stride).map {
        unsafe bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Unit>.stride, as: Unit.self)
      }
    }
  }
}

extension String {
  /// Creates a string with the characters of a BSTR; invalid ones, such as an unpaired surrogate,
  /// become U+FFFD.
  public init(_ bstr: borrowing OwnedBSTR) { self.init(bstr.borrowed) }

  /// Creates a string with the characters of a borrowed BSTR; invalid ones, such as an unpaired
  /// surrogate, become U+FFFD.
  public init(_ bstr: BorrowedBSTR) {
    if OLECHARWidth.ofProcess == .four {
      self.init(decoding: bstr.units(UInt32.self), as: UTF32.self)
    } else {
      self.init(decoding: bstr.units(UInt16.self), as: UTF16.self)
    }
  }

  /// Creates a string with the characters of a BSTR, or `nil` when one of them is invalid.
  public init?(validating bstr: borrowing OwnedBSTR) { self.init(validating: bstr.borrowed) }

  /// Creates a string with the characters of a borrowed BSTR, or `nil` when one of them is invalid.
  public init?(validating bstr: BorrowedBSTR) {
    guard bstr.byteCount % OLECHARWidth.ofProcess.rawValue == 0 else { return nil }
    if OLECHARWidth.ofProcess == .four {
      self.init(validating: bstr.units(UInt32.self), as: UTF32.self)
    } else {
      self.init(validating: bstr.units(UInt16.self), as: UTF16.self)
    }
  }
}

/// Bytes of a character of this process's BSTRs.
private enum OLECHARWidth: Int {
  case two = 2
  case four = 4

  static var ofProcess: OLECHARWidth { bstrtrace_olechar_bytes() == 4 ? .four : .two }
}

/// UTF-16's surrogates, which `String` would not keep when they are unpaired.
private enum Surrogates {
  /// Returns characters of 4 bytes for units of 2: pairs become one, and the unpaired stay as they
  /// are.
  static func joined(_ units: some Collection<UInt16>) -> [UInt32] {
    var characters: [UInt32] = []
    characters.reserveCapacity(units.count)
    for unit in units {
      if UTF16.isTrailSurrogate(unit), let lead = characters.last, lead & 0xFFFF_FC00 == 0xD800 {
        characters[characters.count - 1] =
          0x1_0000 + (lead & 0x3FF) << 10 + UInt32(unit & 0x3FF)
      } else {
        characters.append(UInt32(unit))
      }
    }
    return characters
  }

  /// Returns units of 2 bytes for characters of 4.
  static func split(_ characters: [UInt32]) -> [UInt16] {
    characters.flatMap { character -> [UInt16] in
      if let unit = UInt16(exactly: character) { return [unit] }
      guard let scalar = Unicode.Scalar(character) else { return [0xFFFD] }
      return Array(String(Character(scalar)).utf16)
    }
  }
}
