// The syntax of option values: parsing, and the description in help, errors and Docs/Options.md.

/// The accepted texts of an option's value, and their meaning.
public struct OptionSyntax<Value: Sendable>: Sendable {
  /// The placeholder of a value in help texts: `number`.
  let placeholder: String
  /// The accepted values, for an error's sentence: `a number from 1 to 256`.
  let accepted: String
  /// The same for a table: `1 to 256`.
  let summary: String
  /// Parses a text; `nil` for an invalid one.
  let read: @Sendable (Substring) -> Value?
  /// Returns the text of a value.
  let write: @Sendable (Value) -> String
}

/// An option that takes one of a few words.
public protocol OptionWord: RawRepresentable, CaseIterable, Sendable where RawValue == String {}

extension OptionSyntax where Value: OptionWord {
  /// One of a type's words.
  static var word: Self {
    let words = Value.allCases.map(\.rawValue)
    return Self(
      placeholder: words.joined(separator: "|"), accepted: words.joined(separator: " or "),
      summary: words.joined(separator: ", "), read: { Value(rawValue: String($0)) },
      write: { $0.rawValue })
  }
}

extension OptionSyntax<Bool> {
  /// `on` or `off`.
  static var onOff: Self {
    Self(
      placeholder: "on|off", accepted: "on or off", summary: "on, off",
      read: { $0 == "on" ? true : $0 == "off" ? false : nil }, write: { $0 ? "on" : "off" })
  }
}

extension OptionSyntax<Int> {
  /// Accepts a decimal number from a range.
  static func number(_ range: ClosedRange<Int>) -> Self {
    let isOpen = range.upperBound == .max
    let from = "from \(range.lowerBound)"
    return Self(
      placeholder: "number",
      accepted: "a number \(from)" + (isOpen ? "" : " to \(range.upperBound)"),
      summary: isOpen ? from : "\(range.lowerBound) to \(range.upperBound)",
      read: { text in Int(text).flatMap { range.contains($0) ? $0 : nil } }, write: { "\($0)" })
  }

  /// Accepts one of these numbers.
  static func oneOf(_ numbers: Int...) -> Self {
    let texts = numbers.map(String.init)
    return Self(
      placeholder: "number", accepted: texts.joined(separator: " or "),
      summary: texts.joined(separator: ", "),
      read: { text in Int(text).flatMap { numbers.contains($0) ? $0 : nil } }, write: { "\($0)" })
  }
}

extension OptionSyntax<String> {
  /// A file's path.
  static var path: Self {
    Self(
      placeholder: "file", accepted: "a path", summary: "a path",
      read: { $0.isEmpty ? nil : String($0) }, write: { $0 })
  }
}

extension OptionSyntax<[String]> {
  /// Patterns of function names.
  static var patterns: Self {
    Self(
      placeholder: "names", accepted: "names, separated by commas",
      summary: "names, with * for any characters, separated by commas",
      read: { text in
        let patterns = text.split(separator: ",").map(String.init)
        return patterns.isEmpty ? nil : patterns
      },
      write: { $0.joined(separator: ",") })
  }
}

extension OptionSyntax<GivenFunction> {
  /// A BSTR function with its address.
  static var function: Self {
    Self(
      placeholder: "name=module+offset",
      accepted: "a BSTR function and its address, as SysAllocStringLen=7zz+0x1234",
      summary: "NAME=MODULE+0xOFFSET", read: { GivenFunction($0) }, write: { $0.description })
  }
}

extension OptionSyntax<AllocationFailure> {
  /// The allocations that are to fail.
  static var failures: Self {
    Self(
      placeholder: "which",
      accepted: "a number from 1 (N or N+) or a percentage (P% or P%SEED)",
      summary: "N, N+, P%, P%SEED", read: { AllocationFailure($0) }, write: { $0.description })
  }
}
