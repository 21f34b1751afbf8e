// The one table of what can be set: the source of the parser of BSTRTRACE_OPTIONS, of the command
// line's help texts and of Docs/Options.md. Does not hold values: that is Settings.

/// Something a user can set, spelt alike in `BSTRTRACE_OPTIONS` and as a long flag.
public enum Setting: UInt8, CaseIterable, Sendable {
  /// How many frames of each stack are kept.
  case depth
  /// The bytes of one OLECHAR.
  case olechar
  /// The bytes between the start of a block and its first character.
  case payloadOffset
  /// Whether children of the program are traced.
  case followChildren
  /// Whether anything is recorded at all.
  case track
  /// Whether strings are kept out of stores and reports.
  case redact
  /// The shape of the report.
  case format
  /// The file the report goes to.
  case output
  /// The exit status that says that there are findings.
  case errorExitcode

  /// The values a setting accepts.
  public enum Values: Sendable {
    /// A decimal number from the range.
    case integer(ClosedRange<Int>)
    /// One of these numbers.
    case oneOf([Int])
    /// `on` or `off`.
    case onOff
    /// `text` or `json`.
    case format
    /// A file's path.
    case path
  }

  /// The long flag without its dashes, and the key in `BSTRTRACE_OPTIONS`.
  public var name: StaticString {
    switch self {
    case .depth: "depth"
    case .olechar: "olechar"
    case .payloadOffset: "payload-offset"
    case .followChildren: "follow-children"
    case .track: "track"
    case .redact: "redact"
    case .format: "format"
    case .output: "output"
    case .errorExitcode: "error-exitcode"
    }
  }

  /// What may be written behind the name.
  public var values: Values {
    switch self {
    case .depth: .integer(1...256)
    case .olechar: .oneOf([2, 4])
    case .payloadOffset: .oneOf([4, 8])
    case .followChildren, .track, .redact: .onOff
    case .format: .format
    case .output: .path
    case .errorExitcode: .integer(0...255)
    }
  }

  /// What holds when nothing is set, in words.
  public var defaultText: StaticString {
    switch self {
    case .depth: "64"
    case .olechar, .payloadOffset: "learnt from the program (2 and 8 where it has none of its own)"
    case .followChildren: "on"
    case .track: "on under bstrtrace run and in debug builds, off in release builds"
    case .redact: "off"
    case .format: "text"
    case .output: "standard error"
    case .errorExitcode: "23"
    }
  }

  /// What it does, for people, in one or two sentences.
  public var help: StaticString {
    switch self {
    case .depth:
      "Keep this many frames of each stack, innermost first."
    case .olechar:
      "Bytes of one OLECHAR: 2 (char16_t, as on Windows) or 4 (wchar_t, as in 7-Zip)."
    case .payloadOffset:
      "Bytes from the start of a block to its first character: 8 (as on Windows) or 4 (as in 7-Zip)."
    case .followChildren:
      "Trace the processes that the program starts, too. Each gets an entry of its own."
    case .track:
      "Record allocations. Off, the BSTR functions work and nothing else happens."
    case .redact:
      "Keep the characters of strings out of stores and reports: BSTRs hold passwords."
    case .format:
      "Shape of the report: text for people, json for programs (Docs/ReportFormat.md)."
    case .output:
      "Write the report to this file."
    case .errorExitcode:
      "Exit status when the program ended with 0 and there are findings; 0 keeps the program's own."
    }
  }
}
