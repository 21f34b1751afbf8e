// Turns the program's bytes into text that can be shown, or into digits where they are no text.

import TraceStore

extension StringValue {
  /// Converts the kept beginning of a string, in its own character width.
  ///
  /// - Parameter olecharBytes: the width where the string's is not known.
  init(_ value: StoredValue, olecharBytes: Int) {
    let width = value.layout.isKnown ? value.layout.olecharBytes : olecharBytes
    let codes = Self.codes(of: value.bytes, width)
    let isCut = value.bytes.count < value.byteLength
    let characterCount = width == 0 ? 0 : value.byteLength / width
    if Self.isText(codes, value, width) {
      self.init(
        escaped: codes.map(Self.escape).joined(), characterCount: characterCount, isCut: isCut)
      return
    }
    let kept = value.bytes.prefix(Self.maxBytes)
    let isGUID = Self.hasSizeOfGUID(value)
    self.init(
      escaped: isGUID
        ? Self.guid(value.bytes) : kept.map { Hexadecimal.text([$0]) }.joined(separator: " "),
      characterCount: characterCount, isCut: kept.count < value.byteLength)
    kind = isGUID ? .guid : .bytes
    byteCount = value.byteLength
  }

  /// The maximum of bytes that are shown of a string which is no text.
  private static let maxBytes = 32

  /// Returns the code points of whole characters; an unpaired surrogate is a code point of its own.
  private static func codes(of bytes: [UInt8], _ width: Int) -> [UInt32] {
    let units = width == 0 ? 0 : bytes.count / width
    func unit(_ index: Int) -> UInt32 {
      (0..<width).reduce(0) { $0 | UInt32(bytes[index * width + $1]) << (8 * UInt32($1)) }
    }
    var codes: [UInt32] = []
    var index = 0
    while index < units {
      var code = unit(index)
      if width == 2, code & 0xFC00 == 0xD800, index + 1 < units,
        unit(index + 1) & 0xFC00 == 0xDC00
      {
        code = 0x10000 + (code & 0x3FF) << 10 + unit(index + 1) & 0x3FF
        index += 1
      }
      codes.append(code)
      index += 1
    }
    return codes
  }

  /// Returns whether a string holds text: whole characters, and at most one in four that no text
  /// has.
  ///
  /// Where it has the size of a GUID, or less than four characters, the others must be of one
  /// alphabet. Programs keep bytes in BSTRs, too: signatures, GUIDs, structures. Of bytes that
  /// happen to be characters this is not seen.
  private static func isText(_ codes: [UInt32], _ value: StoredValue, _ width: Int) -> Bool {
    guard width > 0, value.byteLength % width == 0 else { return value.byteLength == 0 }
    let strange = codes.count(where: isStrange)
    if strange == 0 { return true }
    if strange * 4 <= codes.count, !hasSizeOfGUID(value) { return true }
    return isOfOneAlphabet(codes)
  }

  /// Returns whether at least two of three characters are such that texts have them side by side.
  ///
  /// These are ASCII's and those of one more block of 256 in front of China's and Japan's
  /// characters, which most pairs of bytes happen to be.
  private static func isOfOneAlphabet(_ codes: [UInt32]) -> Bool {
    let letters = codes.filter { $0 != 0 && !isStrange($0) }
    let blocks = Set(letters.map { $0 >> 8 }).subtracting([0])
    return (codes.count - letters.count) * 3 <= codes.count
      && blocks.count <= 1 && blocks.allSatisfy { $0 < 0x2E }
  }

  private static func hasSizeOfGUID(_ value: StoredValue) -> Bool {
    value.byteLength == 16 && value.bytes.count == 16
  }

  /// Returns whether no text has this character: a noncharacter, an unassigned or private-use one,
  /// or a control character other than zero, escape and those between lines and columns.
  private static func isStrange(_ code: UInt32) -> Bool {
    guard let scalar = Unicode.Scalar(code) else { return true }
    switch scalar.properties.generalCategory {
    case .control: return ![0, 0x09, 0x0A, 0x0D, 0x1B].contains(code)
    case .privateUse, .unassigned: return true
    default: return false
    }
  }

  /// Returns "{23170F69-40C1-278A-1000-000110070000}": three little-endian integers and eight
  /// bytes.
  private static func guid(_ bytes: [UInt8]) -> String {
    let parts = [
      Array(bytes[0..<4].reversed()), bytes[4..<6].reversed(), bytes[6..<8].reversed(),
      Array(bytes[8..<10]), Array(bytes[10..<16]),
    ]
    return "{\(parts.map { Hexadecimal.text($0).uppercased() }.joined(separator: "-"))}"
  }

  private static func escape(_ code: UInt32) -> String {
    switch code {
    case 0x22: return "\\\""
    case 0x5C: return "\\\\"
    default: return Printable.escaped(code)
    }
  }
}
