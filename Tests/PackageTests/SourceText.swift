import Foundation

/// A file of the package, searched by its bytes: by characters that takes seconds for all of them.
struct SourceText {
  private let bytes: Data

  /// Reads a file.
  init(_ file: URL) throws { bytes = try Data(contentsOf: file) }

  /// Whether a text is in it.
  func contains(_ text: String) -> Bool { bytes.range(of: Data(text.utf8)) != nil }

  /// The words of ASCII letters, digits and underscores.
  var words: Set<String> {
    var words: Set<String> = []
    var word: [UInt8] = []
    for byte in bytes {
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x5F, 0x61...0x7A: word.append(byte)
      case _ where !word.isEmpty:
        words.insert(String(decoding: word, as: UTF8.self))
        word.removeAll(keepingCapacity: true)
      default: break
      }
    }
    words.insert(String(decoding: word, as: UTF8.self))
    return words
  }

  /// The lines.
  var lines: [String] {
    bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
  }
}
