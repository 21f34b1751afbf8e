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
    // Both ends first: they tell most texts apart without a search.
    guard text.hasPrefix(pieces[0]) else { return false }
    var rest = text.dropFirst(pieces[0].count)
    guard let last = pieces.last, rest.hasSuffix(last) else { return false }
    rest = rest.dropLast(last.count)
    for piece in pieces[1..<pieces.count - 1] where !piece.isEmpty {
      guard let range = rest.firstRange(of: piece) else { return false }
      rest = rest[range.upperBound...]
    }
    return true
  }

  /// Returns whether the whole text matches a pattern.
  static func matches(_ text: String, _ pattern: String) -> Bool {
    GlobPattern(pattern).matches(text)
  }
}
