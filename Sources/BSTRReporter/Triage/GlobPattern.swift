// Patterns of names: in tables of functions, in suppressions, and on the command line.

/// A pattern in which `*` stands for any characters.
struct GlobPattern: Sendable {
  private let pieces: [Substring]

  init(_ pattern: String) {
    pieces = pattern.split(separator: "*", omittingEmptySubsequences: false)
  }

  /// Returns whether the whole text matches.
  func matches(_ text: String) -> Bool {
    guard pieces.count > 1 else { return text == pieces[0] }
    var rest = text[...]
    for (index, piece) in pieces.enumerated() {
      if index == 0 {
        guard rest.hasPrefix(piece) else { return false }
        rest = rest.dropFirst(piece.count)
      } else if index == pieces.count - 1 {
        return rest.hasSuffix(piece)
      } else if !piece.isEmpty {
        guard let range = rest.firstRange(of: piece) else { return false }
        rest = rest[range.upperBound...]
      }
    }
    return true
  }

  /// Returns whether the whole text matches a pattern.
  static func matches(_ text: String, _ pattern: String) -> Bool {
    GlobPattern(pattern).matches(text)
  }
}
