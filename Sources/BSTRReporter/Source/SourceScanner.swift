// Splits a source file into tokens. Reads any bytes without failing: text that is none of the
// language gives tokens that make no blocks.

/// Scans C, C++ and Swift.
struct SourceScanner {
  private let bytes: [UInt8]
  private let language: SourceLanguage
  private var position = 0
  private var line = 1
  private var lineOfLastToken = 0
  private var tokens: [SourceToken] = []
  /// Whether lines are skipped, by their numbers.
  private var isSkipped: [Bool] = []

  /// Returns the tokens of a file.
  ///
  /// - Parameter skipped: lines whose tokens are left out.
  static func tokens(
    of bytes: [UInt8], _ language: SourceLanguage, skipping skipped: [Range<Int>] = []
  ) -> [SourceToken] {
    var scanner = SourceScanner(bytes, language)
    for lines in skipped {
      let missing = lines.upperBound - scanner.isSkipped.count
      scanner.isSkipped += Array(repeating: false, count: max(0, missing))
      for line in lines { scanner.isSkipped[line] = true }
    }
    scanner.run()
    return scanner.tokens
  }

  private init(_ bytes: [UInt8], _ language: SourceLanguage) {
    self.bytes = bytes
    self.language = language
  }

  /// The byte at a distance from the position; 0 behind the end.
  private func byte(_ distance: Int = 0) -> UInt8 {
    position + distance < bytes.count ? bytes[position + distance] : 0
  }

  private func isAt(_ text: StaticString) -> Bool {
    for index in 0..<text.utf8CodeUnitCount
    where byte(index) != text.utf8Start[index] { return false }
    return true
  }

  private mutating func skip(_ count: Int) {
    for _ in 0..<count where position < bytes.count {
      if bytes[position] == Ascii.newline { line += 1 }
      position += 1
    }
  }

  private mutating func run() {
    while position < bytes.count {
      switch byte() {
      case Ascii.newline, Ascii.space, Ascii.tab, Ascii.return, 0x0B, 0x0C: skip(1)
      case UInt8(ascii: "/") where byte(1) == UInt8(ascii: "/"): skipLine()
      case UInt8(ascii: "/") where byte(1) == UInt8(ascii: "*"): skipComment()
      case UInt8(ascii: "#") where line != lineOfLastToken && isDirective: skipDirective()
      case UInt8(ascii: "\""): string(hashes: 0)
      case UInt8(ascii: "#") where language == .swift: hashes()
      case UInt8(ascii: "'") where language != .swift: character()
      case let byte where Ascii.isDigit(byte): number()
      case let byte where Ascii.isOfWord(byte): word()
      default: mark()
      }
    }
  }

  private mutating func add(_ kind: SourceToken.Kind, _ text: String, at start: Int) {
    if start < isSkipped.count, isSkipped[start] { return }
    tokens.append(
      SourceToken(kind: kind, text: text, line: start, isFirstOnLine: start != lineOfLastToken))
    lineOfLastToken = start
  }

  /// Whether a directive is here: in Swift `#` begins macros and literals, too.
  private var isDirective: Bool {
    language != .swift
      || ["#if ", "#if(", "#elseif", "#else", "#endif", "#sourceLocation", "#warning", "#error"]
        .contains { bytes[position...].starts(with: $0.utf8) }
  }

  // MARK: words and marks

  private mutating func word() {
    let start = position
    while Ascii.isOfWord(byte()) { position += 1 }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    // Prefixes of literals.
    if language != .swift, byte() == UInt8(ascii: "\"") {
      if ["R", "LR", "uR", "UR", "u8R"].contains(text) { return rawString() }
      if ["L", "u", "U", "u8"].contains(text) { return string(hashes: 0) }
    }
    if language != .swift, byte() == UInt8(ascii: "'"), ["L", "u", "U", "u8"].contains(text) {
      return character()
    }
    add(.word, text, at: line)
  }

  private mutating func number() {
    let start = position
    // 1'000 in C++.
    while Ascii.isOfWord(byte()) || byte() == UInt8(ascii: ".") && Ascii.isDigit(byte(1))
      || byte() == UInt8(ascii: "'") && language == .cxx && Ascii.isOfWord(byte(1))
    {
      position += 1
    }
    let isZero = position == start + 1 && bytes[start] == UInt8(ascii: "0")
    add(.literal, isZero ? "0" : "", at: line)
  }

  private mutating func mark() {
    // What is no ASCII is of a word in Swift, and of none in a way out.
    let text = byte() < 0x80 ? String(UnicodeScalar(byte())) : ""
    add(.mark, text, at: line)
    position += 1
  }

  // MARK: comments and directives

  private mutating func skipLine() {
    while position < bytes.count, byte() != Ascii.newline {
      // In C a backslash continues the line.
      skip(byte() == UInt8(ascii: "\\") && language != .swift && byte(1) == Ascii.newline ? 2 : 1)
    }
  }

  private mutating func skipComment() {
    var depth = 0
    repeat {
      if isAt("/*"), depth == 0 || language == .swift {
        depth += 1
        skip(2)
      } else if isAt("*/") {
        depth -= 1
        skip(2)
      } else {
        skip(1)
      }
    } while depth > 0 && position < bytes.count
  }

  private mutating func skipDirective() {
    while position < bytes.count, byte() != Ascii.newline {
      if isAt("/*") {
        skipComment()
      } else if byte() == UInt8(ascii: "\\"), byte(1) == Ascii.return, byte(2) == Ascii.newline {
        skip(3)
      } else {
        skip(byte() == UInt8(ascii: "\\") && byte(1) == Ascii.newline ? 2 : 1)
      }
    }
  }

  // MARK: literals

  private mutating func character() {
    let start = line
    skip(1)
    while position < bytes.count, byte() != Ascii.newline, byte() != UInt8(ascii: "'") {
      skip(byte() == UInt8(ascii: "\\") ? 2 : 1)
    }
    if byte() == UInt8(ascii: "'") { skip(1) }
    add(.literal, "", at: start)
  }

  /// Skips a raw string with its `#`, or `#` that are none of a string's.
  private mutating func hashes() {
    var count = 0
    while byte(count) == UInt8(ascii: "#") { count += 1 }
    if byte(count) == UInt8(ascii: "\"") {
      string(hashes: count)
    } else {
      add(.mark, "#", at: line)
      skip(count)
    }
  }

  /// Skips a string from its first quotation mark, or from the `#` in front of it, on.
  private mutating func string(hashes: Int) {
    let start = line
    skip(hashes)
    let isLong = language == .swift && isAt("\"\"\"")
    skip(isLong ? 3 : 1)
    while position < bytes.count {
      if byte() == UInt8(ascii: "\""), !isLong || isAt("\"\"\"") {
        let quotes = isLong ? 3 : 1
        if (0..<hashes).allSatisfy({ byte(quotes + $0) == UInt8(ascii: "#") }) {
          skip(quotes + hashes)
          break
        }
        skip(1)
      } else if byte() == UInt8(ascii: "\\") {
        let escape = (1...max(1, hashes)).allSatisfy {
          hashes == 0 || byte($0) == UInt8(ascii: "#")
        }
        if language == .swift, escape, byte(1 + hashes) == UInt8(ascii: "(") {
          skip(1 + hashes)
          skipInterpolation()
        } else {
          skip(escape ? 2 + hashes : 1)
        }
      } else if byte() == Ascii.newline, !isLong {
        break
      } else {
        skip(1)
      }
    }
    add(.literal, "", at: start)
  }

  /// Skips `(…)` in a Swift string.
  ///
  /// What is in there leaves no function.
  private mutating func skipInterpolation() {
    var depth = 0
    let count = tokens.count
    repeat {
      switch byte() {
      case UInt8(ascii: "("):
        depth += 1
        skip(1)
      case UInt8(ascii: ")"):
        depth -= 1
        skip(1)
      case UInt8(ascii: "\"") where nesting < Self.maxNesting:
        nesting += 1
        string(hashes: 0)
        nesting -= 1
      default: skip(1)
      }
    } while depth > 0 && position < bytes.count
    tokens.removeSubrange(count...)
  }

  /// Strings in interpolations of strings; in other text than Swift there may be any number.
  private var nesting = 0
  private static let maxNesting = 16

  /// Skips `"delimiter(…)delimiter"`.
  private mutating func rawString() {
    let start = line
    skip(1)
    let first = position
    while position < bytes.count, position - first <= 16, byte() != UInt8(ascii: "(") { skip(1) }
    let end = Array(")".utf8) + bytes[first..<position] + Array("\"".utf8)
    while position < bytes.count {
      if byte() == end[0], bytes[position...].starts(with: end) {
        skip(end.count)
        break
      }
      skip(1)
    }
    add(.literal, "", at: start)
  }
}

/// Characters of source files.
enum Ascii {
  static let newline = UInt8(ascii: "\n")
  static let `return` = UInt8(ascii: "\r")
  static let space = UInt8(ascii: " ")
  static let tab = UInt8(ascii: "\t")

  static func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }

  /// Returns whether a byte is of an identifier, of which all that is no ASCII is.
  static func isOfWord(_ byte: UInt8) -> Bool {
    isDigit(byte) || byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
      || byte == UInt8(ascii: "_") || byte >= 0x80
  }
}
