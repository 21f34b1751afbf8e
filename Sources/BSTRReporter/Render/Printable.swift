// Text of the traced program, made safe to print on a terminal.

/// Makes text harmless to a terminal and to the lines around it.
///
/// Paths, names of functions and modules, arguments and notes are the program's, and may contain
/// anything.
public enum Printable {
  /// Returns the text with escapes in place of control characters, characters that change the
  /// direction or form of the text around them, ends of lines, and invalid characters: "\n",
  /// "\u{1b}".
  ///
  /// Backslashes stay: paths and messages are no literals.
  public static func escaped(_ text: String) -> String {
    // Nearly every text is harmless, and is returned as it is.
    if text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) { return text }
    return text.unicodeScalars.reduce(into: "") { $0 += escaped($1.value) }
  }

  /// Returns the text with one character in place of each run of those that are escaped elsewhere.
  static func replacing(_ text: String, with substitute: Character) -> String {
    var result = ""
    var isInRun = false
    for scalar in text.unicodeScalars {
      let isHarmless = isHarmless(scalar)
      if isHarmless {
        result.unicodeScalars.append(scalar)
      } else if !isInRun {
        result.append(substitute)
      }
      isInRun = !isHarmless
    }
    return result
  }

  /// Returns a JSON text with JSON's escapes for characters that its strings may contain as they
  /// are, and a terminal would act on.
  ///
  /// Control characters of ASCII are escaped already, or are the ends of its lines.
  static func escapedInJSON(_ text: String) -> String {
    var result = ""
    var rest = text[...]
    // In runs: nearly all of it is ASCII.
    while let index = rest.utf8.firstIndex(where: { $0 >= 0x7F }) {
      result += rest[..<index]
      let scalar = text.unicodeScalars[index]
      rest = rest[text.unicodeScalars.index(after: index)...]
      if isHarmless(scalar) {
        result.unicodeScalars.append(scalar)
        continue
      }
      for unit in String(Character(scalar)).utf16 {
        let digits = String(unit, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }
    }
    return result.isEmpty ? text : result + rest
  }

  /// Returns one character, escaped where it is not harmless; any scalar value may be given.
  static func escaped(_ code: UInt32) -> String {
    switch code {
    case 0x0A: return "\\n"
    case 0x0D: return "\\r"
    case 0x09: return "\\t"
    default: break
    }
    guard let scalar = Unicode.Scalar(code), isHarmless(scalar) else {
      return "\\u{\(String(code, radix: 16))}"
    }
    return String(Character(scalar))
  }

  /// Returns whether a code point is a character, and acts neither on a terminal nor on the text
  /// around it.
  private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return (0x20..<0x7F).contains(scalar.value) }
    return switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: false
    default: true
    }
  }
}

/// One line of text for people: what is interpolated cannot act on a terminal, nor begin another
/// line.
struct TextLine: ExpressibleByStringInterpolation {
  private var parts: [(text: String, isStrong: Bool)]

  /// Creates a line of text that may contain anything.
  init(_ text: String) { parts = [(text, false)] }

  init(stringLiteral value: String) { self.init(value) }

  init(stringInterpolation: Interpolation) { parts = stringInterpolation.parts }

  /// Appends the line to a text, with nothing in it that acts on a terminal, but for the colour of
  /// its strong parts.
  func append(to text: inout String, colour: Bool) {
    for part in parts {
      let isColoured = part.isStrong && colour
      if isColoured { text += "\u{1B}[1;31m" }
      text += Printable.escaped(part.text)
      if isColoured { text += "\u{1B}[0m" }
    }
  }

  /// Collects the parts of a line.
  struct Interpolation: StringInterpolationProtocol {
    fileprivate var parts: [(text: String, isStrong: Bool)] = []

    init(literalCapacity: Int, interpolationCount: Int) {}

    mutating func appendLiteral(_ literal: String) { parts.append((literal, false)) }

    mutating func appendInterpolation(_ value: some CustomStringConvertible) {
      parts.append(("\(value)", false))
    }

    mutating func appendInterpolation(strong text: String) { parts.append((text, true)) }

    mutating func appendInterpolation(_ line: TextLine) { parts += line.parts }
  }
}
