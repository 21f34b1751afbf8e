// Text of the traced program inside markup (XML and HTML).

/// Makes text harmless to markup and to the text around it.
enum Markup {
  /// Returns the text as the content of an element or of a quoted attribute.
  ///
  /// Characters that act on the text around them, and those that XML cannot have, are shown as
  /// `Printable` shows them.
  static func escaped(_ text: String) -> String {
    let printable = Printable.escaped(text)
    guard printable.utf8.contains(where: { special.contains($0) }) else { return printable }
    var result = ""
    for character in printable.unicodeScalars {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }

  private static let special = Set("&<>\"'".utf8)
}
