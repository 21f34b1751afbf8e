// The program's bytes into text that can be shown.

import TraceStore

extension StringValue {
  /// The kept beginning of a string, in its own character width.
  ///
  /// - Parameter olecharBytes: the width where the string's is not known.
  init(_ value: StoredValue, olecharBytes: Int) {
    let width = value.layout.isKnown ? value.layout.olecharBytes : olecharBytes
    var text = ""
    let bytes = value.bytes
    let units = width == 0 ? 0 : bytes.count / width
    func unit(_ index: Int) -> UInt32 {
      (0..<width).reduce(0) { $0 | UInt32(bytes[index * width + $1]) << (8 * UInt32($1)) }
    }
    var index = 0
    while index < units {
      var code = unit(index)
      if width == 2, code & 0xFC00 == 0xD800, index + 1 < units,
        unit(index + 1) & 0xFC00 == 0xDC00
      {
        code = 0x10000 + (code & 0x3FF) << 10 + unit(index + 1) & 0x3FF
        index += 1
      }
      text += Self.escape(code)
      index += 1
    }
    self.init(
      escaped: text, characterCount: width == 0 ? 0 : value.byteLength / width,
      isCut: bytes.count < value.byteLength)
  }

  private static func escape(_ code: UInt32) -> String {
    switch code {
    case 0x22: return "\\\""
    case 0x5C: return "\\\\"
    case 0x0A: return "\\n"
    case 0x0D: return "\\r"
    case 0x09: return "\\t"
    default: break
    }
    // What is no character, or would act on the terminal or the text around it.
    guard let scalar = Unicode.Scalar(code), code >= 0x20,
      ![.control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned]
        .contains(scalar.properties.generalCategory)
    else { return "\\u{\(String(code, radix: 16))}" }
    return String(Character(scalar))
  }
}
