// The tokens of a source file: what is left of it without comments, and with literals closed.

/// A token.
struct SourceToken {
  /// The kind of a token.
  enum Kind {
    /// An identifier or a keyword.
    case word
    /// A number, a character or a string.
    case literal
    /// One character of an operator, a bracket or a separator.
    case mark
  }

  var kind: Kind
  /// The word or mark; "0" for that number, "" for other literals.
  var text: String
  /// The line that it begins on, from 1.
  var line: Int
  /// Whether it is the first one on its line.
  var isFirstOnLine: Bool

  /// Returns whether it is this word or mark.
  static func == (token: SourceToken, text: String) -> Bool { token.text == text }

  /// Returns whether it is another one.
  static func != (token: SourceToken, text: String) -> Bool { token.text != text }
}
