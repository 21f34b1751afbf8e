import CTracker
import Testing

/// Messages of the library itself, which may name what is the program's.
@Suite struct PrintableMessageTests {
  private func printable(_ text: String) -> String {
    var bytes = text.utf8.map { CChar(bitPattern: $0) }
    bytes.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      ct_make_printable(base, buffer.count)
    }
    return String(decoding: bytes.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  @Test func whatActsOnATerminalIsReplaced() {
    #expect(printable("a\u{1B}[31mb\n\r\tc\u{7F}") == "a?[31mb???c?")
    #expect(printable("\u{9B}2J") == "??2J")
    for code in Array(0x200B...0x200F) + Array(0x2028...0x202E) + Array(0x2060...0x206F) {
      guard let scalar = Unicode.Scalar(UInt32(code)) else { continue }
      #expect(printable("<\(scalar)>") == "<???>", "\(String(code, radix: 16))")
    }
  }

  @Test func everythingElseStays() {
    for text in [
      "a b.c", "größe\u{A0}", "\u{2010}\u{2027}\u{202F}\u{2030}\u{205F}\u{2070}", "名前", "\u{1F600}",
    ] {
      #expect(printable(text) == text)
    }
    // What is cut off in a character is nobody's.
    var cut: [CChar] = [CChar(bitPattern: 0xE2), CChar(bitPattern: 0x80)]
    ct_make_printable(&cut, 2)
    #expect(cut == [CChar(bitPattern: 0xE2), CChar(bitPattern: 0x80)])
  }
}
