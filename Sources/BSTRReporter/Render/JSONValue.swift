// JSON that is written as it is made: for formats with so many parts that an encoder takes seconds.

/// A JSON value.
enum JSONValue {
  case string(String)
  case number(Int)
  case bool(Bool)
  case array([JSONValue])
  /// Keys with their values, in the order in which they are written; those without one are left
  /// out.
  case object([Entry])
  /// Values that were written before.
  case text([UInt8])

  /// A key with its value.
  ///
  /// No tuple: through one in an enumeration's case the compiler finds a circular reference, in
  /// some builds of some files.
  struct Entry {
    var key: String
    var value: JSONValue?
  }

  /// The bytes of the value, without spaces; nothing in them acts on a terminal.
  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    append(to: &bytes)
    return bytes
  }

  /// Appends the value to a text.
  func append(to bytes: inout [UInt8]) {
    switch self {
    case .string(let text): Self.append(text, to: &bytes)
    case .number(let number): bytes += "\(number)".utf8
    case .bool(let isTrue): bytes += (isTrue ? "true" : "false").utf8
    case .text(let text): bytes += text
    case .array(let values):
      bytes.append(UInt8(ascii: "["))
      for (index, value) in values.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        value.append(to: &bytes)
      }
      bytes.append(UInt8(ascii: "]"))
    case .object(let entries):
      var separator = UInt8(ascii: "{")
      for entry in entries {
        guard let value = entry.value else { continue }
        bytes.append(separator)
        Self.append(entry.key, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        value.append(to: &bytes)
        separator = UInt8(ascii: ",")
      }
      if separator == UInt8(ascii: "{") { bytes.append(separator) }
      bytes.append(UInt8(ascii: "}"))
    }
  }

  private static func append(_ text: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    let isPlain = text.utf8.allSatisfy {
      (0x20..<0x7F).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
    }
    bytes += isPlain ? Array(text.utf8) : Array(Printable.escapedInJSON(escaped(text)).utf8)
    bytes.append(UInt8(ascii: "\""))
  }

  /// Returns a text with the escapes that JSON insists on (RFC 8259, clause 7).
  private static func escaped(_ text: String) -> String {
    text.unicodeScalars.reduce(into: "") { result, scalar in
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case "\0"..<" ", "\u{7F}":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
  }
}

// MARK: literals

extension JSONValue: ExpressibleByStringLiteral {
  init(stringLiteral value: String) { self = .string(value) }
}

extension JSONValue: ExpressibleByBooleanLiteral {
  init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension JSONValue: ExpressibleByArrayLiteral {
  init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
}

extension JSONValue: ExpressibleByDictionaryLiteral {
  init(dictionaryLiteral elements: (String, JSONValue?)...) {
    self = .object(elements.map { Entry(key: $0.0, value: $0.1) })
  }
}
