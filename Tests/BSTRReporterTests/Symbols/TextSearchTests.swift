import TestSupport
import Testing

@testable import BSTRReporter

/// Several texts are found at once, wherever they stand.
@Suite struct TextSearchTests {
  private static func isFound(_ texts: [String], in memory: [UInt8]) -> Bool {
    let search = TextSearch(anyOf: texts)
    return memory.withUnsafeBytes { search.isFound(in: $0) }
  }

  @Test(arguments: [
    ("SysAllocString", true), ("_Z13SysFreeStringPw", true), ("\0SysReAllocStringLen\0", true),
    ("SysFreeStrin", false), ("", false), ("S", false), ("SysSysFreeString", true),
    ("SysFreeStrinSysFreeString", true), ("SysReAllocStrin\0g", false),
  ])
  func namesAreFound(text: String, isFound: Bool) {
    let names = ["SysAllocString", "SysFreeString", "SysReAllocString"]
    #expect(Self.isFound(names, in: Array(text.utf8)) == isFound)
    let far = Array(repeating: UInt8(0x53), count: 4099)
    #expect(Self.isFound(names, in: far + Array(text.utf8)) == isFound)
    #expect(Self.isFound(names, in: Array(text.utf8) + far) == isFound)
  }

  /// Against a search that looks everywhere, over two letters, so that much is alike.
  @Test func nothingIsPassedOver() {
    var random = SeededGenerator(seed: 14)
    for _ in 0..<5_000 {
      func letters(_ count: ClosedRange<Int>) -> [UInt8] {
        (0..<Int.random(in: count, using: &random)).map { _ in
          UInt8.random(in: 0x61...0x62, using: &random)
        }
      }
      let texts = (1...3).map { _ in String(decoding: letters(2...7), as: UTF8.self) }
      let memory = letters(0...40)
      let isThere = texts.contains { String(decoding: memory, as: UTF8.self).contains($0) }
      #expect(Self.isFound(texts, in: memory) == isThere, "\(texts) \(memory)")
    }
  }
}
