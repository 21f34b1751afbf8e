import Testing
import TraceStore

@testable import BSTRReporter

/// Strings as reports show them.
@Suite struct StringValueTests {
  private func value(_ units: [UInt32], width: Int, bytes: Int? = nil) -> StringValue {
    let kept = units.flatMap { unit in (0..<width).map { UInt8(unit >> (8 * UInt32($0)) & 0xFF) } }
    return StringValue(
      StoredValue(bytes: kept, byteLength: bytes ?? kept.count), olecharBytes: width)
  }

  @Test(arguments: [2, 4]) func plainTextIsItself(width: Int) {
    let shown = value([0x53, 0xE9, 0x4E2D], width: width)
    #expect(shown == StringValue(escaped: "Sé中", characterCount: 3, isCut: false))
  }

  @Test func surrogatesArePairedOrEscaped() {
    #expect(value([0xD83D, 0xDE00], width: 2).escaped == "\u{1F600}")
    #expect(value([0xD83D, 0x41, 0x42, 0x43], width: 2).escaped == "\\u{d83d}ABC")
    #expect(value([0x41, 0x42, 0x43, 0xDE00], width: 2).escaped == "ABC\\u{de00}")
    #expect(value([0x1F600], width: 4).escaped == "\u{1F600}")
    #expect(
      value([0x11_0000, 1, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46], width: 4).escaped
        == "\\u{110000}\\u{1}ABCDEF")
  }

  @Test func nothingActsOnTheTerminal() {
    let shown = value([0x1B, 0x5B, 0x6D, 0, 0x0A, 0x22, 0x5C, 0x202E, 0x7F, 0x85], width: 2)
    #expect(shown.escaped == "\\u{1b}[m\\u{0}\\n\\\"\\\\\\u{202e}\\u{7f}\\u{85}")
  }

  @Test func cutStringsSaySo() {
    let shown = value([0x61, 0x62], width: 2, bytes: 200)
    #expect(shown == StringValue(escaped: "ab", characterCount: 100, isCut: true))
    // Half a character at the end of what was kept is not shown.
    #expect(
      StringValue(StoredValue(bytes: [0x61, 0, 0x62], byteLength: 4), olecharBytes: 2)
        == StringValue(escaped: "a", characterCount: 2, isCut: true))
  }

  @Test func bytesAreShownAsBytes() {
    func shown(_ bytes: [UInt8], width: Int, of count: Int? = nil) -> StringValue {
      StringValue(StoredValue(bytes: bytes, byteLength: count ?? bytes.count), olecharBytes: width)
    }
    // 7-Zip's signature in a program with four bytes for a character.
    let signature = shown([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], width: 4)
    #expect(signature.kind == .bytes)
    #expect(signature.escaped == "37 7a bc af 27 1c")
    #expect(signature.byteCount == 6)
    // PK is no character of that width either.
    #expect(shown([0x50, 0x4B, 3, 4], width: 4).escaped == "50 4b 03 04")
    // No whole characters.
    #expect(shown([0x61, 0, 0x62], width: 2).escaped == "61 00 62")
    let long = shown(Array(repeating: 0xFF, count: 64), width: 2, of: 100)
    #expect(long.escaped == Array(repeating: "ff", count: 32).joined(separator: " "))
    #expect(long.isCut)
    #expect(shown([], width: 2).kind == .text)
    #expect(shown(Array(repeating: 0, count: 20), width: 2).kind == .text)
  }

  @Test(arguments: [2, 4]) func aGUIDIsShownAsOne(width: Int) {
    // One of 7-Zip's, and one of RFC 9562's.
    for (bytes, text) in [
      (
        [0x69, 0x0F, 0x17, 0x23, 0xC1, 0x40, 0x8A, 0x27, 0x10, 0, 0, 1, 0x10, 7, 0, 0],
        "{23170F69-40C1-278A-1000-000110070000}"
      ),
      (
        [
          0x6B, 0xA7, 0xB8, 0x10, 0x9D, 0xAD, 0x11, 0xD1, 0x80, 0xB4, 0, 0xC0, 0x4F, 0xD4, 0x30,
          0xDC,
        ],
        "{10B8A76B-AD9D-D111-80B4-00C04FD430DC}"
      ),
    ] as [([UInt8], String)] {
      let shown = StringValue(StoredValue(bytes: bytes, byteLength: 16), olecharBytes: width)
      #expect(shown.kind == .guid)
      #expect(shown.escaped == text)
    }
    let text = value(Array("eight ch".utf16.map { UInt32($0) }), width: 2)
    #expect(text == StringValue(escaped: "eight ch", characterCount: 8, isCut: false))
  }

  /// Eight characters of two bytes, or four of four, have the size of a GUID.
  @Test(arguments: [2, 4]) func aTextWithAStrangeCharacterIsText(width: Int) {
    for (text, escaped) in [
      ("na\u{1}e=42!", "na\\u{1}e=42!"), ("при\u{E000}вет!", "при\\u{e000}вет!"),
      ("caf\u{E9}", "café"), ("ab\u{2}", "ab\\u{2}"), ("k\u{7}ey", "k\\u{7}ey"),
    ] {
      let codes = text.unicodeScalars.map(\.value)
      let shown = value(codes, width: width)
      #expect(shown == StringValue(escaped: escaped, characterCount: codes.count, isCut: false))
    }
    // Half of it is none.
    #expect(value([0x41, 1], width: width).kind == .bytes)
  }

  @Test func aGUIDWithOneStrangeUnitIsAGUID() {
    // IUnknown's, and one whose other units are Chinese and Korean characters.
    for (bytes, text) in [
      (
        [1, 0, 0, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46],
        "{00000001-0000-0000-C000-000000000046}"
      ),
      (
        [1, 0, 0x10, 0x4E, 0x11, 0x4F, 0x12, 0x50, 0x13, 0x51, 0x14, 0x52, 0x15, 0x53, 0x16, 0x54],
        "{4E100001-4F11-5012-1351-145215531654}"
      ),
    ] as [([UInt8], String)] {
      let shown = StringValue(StoredValue(bytes: bytes, byteLength: 16), olecharBytes: 2)
      #expect(shown.kind == .guid)
      #expect(shown.escaped == text)
    }
  }

  @Test func namesLoseTheirParameters() {
    func plain(_ name: String) -> String? {
      Frame(function: name, module: "m", offset: 1).plainName
    }
    #expect(plain("f") == "f")
    #expect(plain("N::f(int, void (*)(char))") == "N::f")
    #expect(plain("(anonymous namespace)::f(int)") == "(anonymous namespace)::f")
    #expect(plain("(anonymous namespace)::f") == "(anonymous namespace)::f")
    #expect(plain("f(int) const") == "f")
  }
}
