// The one table of what can be set: the source of the parser of BSTRTRACE_OPTIONS, of the command
// line's help texts and of Docs/Options.md. Does not hold values: that is Settings.

/// Something a user can set, spelt alike in `BSTRTRACE_OPTIONS` and as a long flag.
public enum Setting: UInt8, CaseIterable, Sendable {
  /// How many frames of each stack are kept.
  case depth
  /// How much is recorded of each string.
  case level
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
  /// Whether the first fault ends the program.
  case haltOnError
  /// Whether releases of other copies' BSTRs are findings.
  case foreign
  /// Whether bytes behind each string are watched.
  case guards
  /// The bytes of released strings that are held back.
  case quarantine
  /// The released strings that are held back.
  case quarantineBlocks
  /// The allocations that are made to fail.
  case failAllocation
  /// Functions that act for their callers.
  case wrappers
  /// The file of suppression rules.
  case suppressions
  /// Whether rules that are unused, expired or exceeded count as findings.
  case strictSuppressions
  /// Whether the report ends with rules for what was found.
  case printSuppressions
  /// Whether fresh characters are filled with nonsense.
  case fill
  /// The allocation at which a debugger is to stop.
  case breakOn
  /// Whether each recognised stack is walked, too.
  case verifyStacks

  /// The values a setting accepts.
  public enum Values: Sendable {
    /// A decimal number from the range.
    case integer(ClosedRange<Int>)
    /// One of these numbers.
    case oneOf([Int])
    /// `on` or `off`.
    case onOff
    /// `report` or `ignore`.
    case reportOrIgnore
    /// `text` or `json`.
    case format
    /// A file's path.
    case path
    /// Which allocations are to fail.
    case failures
    /// Patterns of function names, separated by commas.
    case patterns
    /// `leaks` or `full`.
    case level
  }

  /// The long flag without its dashes, and the key in `BSTRTRACE_OPTIONS`.
  public var name: StaticString {
    switch self {
    case .depth: "depth"
    case .level: "level"
    case .olechar: "olechar"
    case .payloadOffset: "payload-offset"
    case .followChildren: "follow-children"
    case .track: "track"
    case .redact: "redact"
    case .format: "format"
    case .output: "output"
    case .errorExitcode: "error-exitcode"
    case .haltOnError: "halt-on-error"
    case .foreign: "foreign"
    case .guards: "guards"
    case .quarantine: "quarantine"
    case .quarantineBlocks: "quarantine-blocks"
    case .failAllocation: "fail-allocation"
    case .wrappers: "wrappers"
    case .suppressions: "suppressions"
    case .strictSuppressions: "strict-suppressions"
    case .printSuppressions: "print-suppressions"
    case .fill: "fill"
    case .breakOn: "break-on"
    case .verifyStacks: "verify-stacks"
    }
  }

  /// What may be written behind the name.
  public var values: Values {
    switch self {
    case .depth: .integer(1...256)
    case .olechar: .oneOf([2, 4])
    case .payloadOffset: .oneOf([4, 8])
    case .followChildren, .track, .redact, .haltOnError, .guards, .fill, .strictSuppressions,
      .printSuppressions, .verifyStacks:
      .onOff
    case .quarantine: .integer(0...1 << 40)
    case .quarantineBlocks: .integer(0...16_320)
    case .failAllocation: .failures
    case .breakOn: .integer(1...Int.max)
    case .wrappers: .patterns
    case .level: .level
    case .foreign: .reportOrIgnore
    case .format: .format
    case .output, .suppressions: .path
    case .errorExitcode: .integer(0...255)
    }
  }

  /// What holds when nothing is set, in words.
  public var defaultText: StaticString {
    switch self {
    case .depth: "64"
    case .level: "full"
    case .olechar, .payloadOffset: "learnt from the program (2 and 8 where it has none of its own)"
    case .followChildren: "on"
    case .track: "on under bstrtrace run and in debug builds, off in release builds"
    case .redact: "off"
    case .format: "text"
    case .output: "standard error"
    case .errorExitcode: "23"
    case .haltOnError: "off"
    case .foreign: "ignore"
    case .guards: "on"
    case .quarantine: "4194304"
    case .quarantineBlocks: "1024"
    case .failAllocation: "none"
    case .wrappers: "those of Docs/Ownership.md"
    case .suppressions: "none"
    case .strictSuppressions, .printSuppressions, .verifyStacks: "off"
    case .fill: "off"
    case .breakOn: "none"
    }
  }

  /// What it does, for people, in one or two sentences.
  public var help: StaticString {
    switch self {
    case .depth:
      "Keep this many frames of each stack, innermost first."
    case .level:
      "What is recorded of each string: leaks (where it was allocated) or full (where it was freed, too, with guards and quarantine)."
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
    case .haltOnError:
      "Abort at the first fault, so that a debugger stops there."
    case .foreign:
      "Report frees, through the traced functions, of BSTRs that another copy of them allocated."
    case .guards:
      "Put eight bytes behind each string, and report when they were written to."
    case .quarantine:
      "Hold back at most so many bytes of freed strings, to notice writes to them; 0 holds none."
    case .quarantineBlocks:
      "Hold back at most so many freed strings."
    case .failAllocation:
      "Make allocations return NULL: the Nth (N), all from the Nth (N+), or a percentage (P% or P%SEED)."
    case .breakOn:
      "Raise SIGTRAP at the allocation with this serial number, so that a debugger stops there."
    case .suppressions:
      "Leave out findings that match a rule of this file (Docs/Suppressions.md)."
    case .strictSuppressions:
      "Fail when a suppression rule matched nothing, has expired or matched more than it accepts."
    case .printSuppressions:
      "End the report with rules that would silence what was found, ready for a file."
    case .verifyStacks:
      "Walk every stack in full that was recognised, and say whether it was the same. For who doubts it."
    case .fill:
      "Fill strings that are allocated without characters with 0xCD in place of zeros."
    case .wrappers:
      "Functions that allocate or free for their callers, in addition to the known: Text*,release_*."
    }
  }
}
