// Reads the common part of several functions' call frame information.

/// A common information entry: the call frame information that functions of a module share.
@safe
struct CIE {
  let codeFactor: UInt
  let dataFactor: Int
  /// Bytes of an address in the entries of functions.
  let addressBytes: Int
  let hasAugmentation: Bool
  let instructions: LEB128Reader

  /// Reads a CIE; `nil` for unsupported ones: of signal frames, and of other versions.
  init?(_ entry: UnsafeRawPointer) {
    let bytes = unsafe Int(entry.loadUnaligned(as: UInt32.self))
    guard bytes > 8, bytes < 1 << 20, unsafe (entry + 4).loadUnaligned(as: UInt32.self) == 0 else {
      return nil
    }
    var reader = unsafe LEB128Reader(entry + 8, entry + 4 + bytes)
    let version = reader.byte()
    guard version == 1 || version == 3 else { return nil }
    var augmentation = InlineArray<8, UInt8>(repeating: 0)
    var count = 0
    while true {
      let letter = reader.byte()
      if letter == 0 { break }
      guard count < 8 else { return nil }
      augmentation[count] = letter
      count += 1
    }
    codeFactor = reader.unsigned()
    dataFactor = reader.signed()
    let returnRegister = version == 1 ? UInt(reader.byte()) : reader.unsigned()
    guard Int(truncatingIfNeeded: returnRegister) == Architecture.returnAddress else { return nil }
    hasAugmentation = count > 0
    var encoding: UInt8 = 0
    if count > 0 {
      guard augmentation[0] == UInt8(ascii: "z") else { return nil }
      var rest = reader
      rest.skip(rest.number())
      _ = reader.number()
      for index in 1..<max(1, count) {
        switch augmentation[index] {
        case UInt8(ascii: "R"): encoding = reader.byte()
        case UInt8(ascii: "L"): _ = reader.byte()
        case UInt8(ascii: "P"):
          let personality = reader.byte()
          guard let size = Self.bytes(of: personality) else { return nil }
          reader.skip(size)
        default: return nil
        }
      }
      reader = rest
    }
    guard let size = Self.bytes(of: encoding) else { return nil }
    addressBytes = size
    instructions = reader
  }

  private static func bytes(of encoding: UInt8) -> Int? {
    switch encoding & 0x0F {
    case 0x00, 0x04, 0x0C: 8
    case 0x02, 0x0A: 2
    case 0x03, 0x0B: 4
    default: nil
    }
  }
}
