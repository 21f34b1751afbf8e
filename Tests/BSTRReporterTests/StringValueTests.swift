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
    #expect(value([0xD83D, 0x41], width: 2).escaped == "\\u{d83d}A")
    #expect(value([0xDE00], width: 2).escaped == "\\u{de00}")
    #expect(value([0x1F600], width: 4).escaped == "\u{1F600}")
    #expect(value([0x11_0000], width: 4).escaped == "\\u{110000}")
  }

  @Test func nothingActsOnTheTerminal() {
    let shown = value([0x1B, 0x5B, 0x6D, 0, 0x0A, 0x22, 0x5C, 0x202E, 0x7F, 0x85], width: 2)
    #expect(shown.escaped == "\\u{1b}[m\\u{0}\\n\\\"\\\\\\u{202e}\\u{7f}\\u{85}")
  }

  @Test func cutStringsSaySo() {
    let shown = value([0x61, 0x62], width: 2, bytes: 200)
    #expect(shown == StringValue(escaped: "ab", characterCount: 100, isCut: true))
    // Half a character at the end is not shown.
    #expect(
      StringValue(StoredValue(bytes: [0x61, 0, 0x62], byteLength: 3), olecharBytes: 2)
        == StringValue(escaped: "a", characterCount: 1, isCut: false))
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
