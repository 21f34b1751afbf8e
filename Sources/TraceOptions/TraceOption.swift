// The one table of options: the parser of BSTRTRACE_OPTIONS, the command line's flags and help, the
// options that are passed on to children, and Docs/Options.md come from it. A new option is a
// property of TraceOptions and a row here; and a flag where it is to have one.

/// An option, spelt alike in `BSTRTRACE_OPTIONS` and as a long flag.
public struct TraceOption: Sendable {
  /// The part of a run that an option concerns.
  public enum Scope: Sendable {
    /// The recording, in the program and its children.
    case recording
    /// The report alone.
    case reporting
    /// How the command runs the program.
    case running
  }

  /// The property of `TraceOptions` that it sets.
  let path: any PartialKeyPath<TraceOptions> & Sendable
  /// The long flag without its dashes, and the key in `BSTRTRACE_OPTIONS`.
  public let name: String
  /// The part of a run that it concerns.
  public let scope: Scope
  /// The placeholder of a value in help texts.
  public let placeholder: String
  /// The accepted values, for an error's sentence.
  public let accepted: String
  /// The accepted values, for a table.
  public let summary: String
  /// The default, in words.
  public let defaultText: String
  /// The effect, for people, in one or two sentences.
  public let help: String
  /// Whether it may be given several times, each time with another value.
  public let isRepeatable: Bool
  /// Sets the value of a text; false for an invalid text.
  let read: @Sendable (Substring, inout TraceOptions) -> Bool

  /// Creates an option that has a value in any case.
  init<Value>(
    _ name: String, _ path: any WritableKeyPath<TraceOptions, Value> & Sendable,
    _ syntax: OptionSyntax<Value>, _ scope: Scope, default text: String? = nil, _ help: String
  ) {
    self.init(
      name, path, syntax, scope, text ?? syntax.write(TraceOptions()[keyPath: path]), help
    ) { $1[keyPath: path] = $0 }
  }

  /// Creates an option that may be given several times.
  init<Value>(
    _ name: String, _ path: any WritableKeyPath<TraceOptions, [Value]> & Sendable,
    each syntax: OptionSyntax<Value>, _ scope: Scope, default text: String, _ help: String
  ) {
    self.init(name, path, syntax, scope, text, help, isRepeatable: true) {
      $1[keyPath: path].append($0)
    }
  }

  /// Creates an option that may have no value.
  init<Value>(
    _ name: String, _ path: any WritableKeyPath<TraceOptions, Value?> & Sendable,
    _ syntax: OptionSyntax<Value>, _ scope: Scope, default text: String, _ help: String
  ) {
    self.init(name, path, syntax, scope, text, help) { $1[keyPath: path] = $0 }
  }

  private init<Value>(
    _ name: String, _ path: any PartialKeyPath<TraceOptions> & Sendable,
    _ syntax: OptionSyntax<Value>, _ scope: Scope, _ defaultText: String, _ help: String,
    isRepeatable: Bool = false, set: @escaping @Sendable (Value, inout TraceOptions) -> Void
  ) {
    self.path = path
    self.name = name
    self.scope = scope
    placeholder = syntax.placeholder
    accepted = syntax.accepted
    summary = syntax.summary
    self.defaultText = defaultText
    self.help = help
    self.isRepeatable = isRepeatable
    read = { text, options in
      guard let value = syntax.read(text) else { return false }
      set(value, &options)
      return true
    }
  }

  /// The option that sets a property.
  public static subscript(path: PartialKeyPath<TraceOptions>) -> TraceOption {
    guard let row = rows[path] else {
      preconditionFailure("TraceOption.all has no row for \(path)")
    }
    return all[row]
  }

  /// The index in `all` of each property's option.
  ///
  /// Immutable, and key paths of stored properties are: their type alone does not say so.
  nonisolated(unsafe) private static let rows = [PartialKeyPath<TraceOptions>: Int](
    uniqueKeysWithValues: zip(all.map { $0.path as PartialKeyPath }, all.indices))

  /// All options, in the order of the page, in which they are also read: `level` sets the defaults
  /// of later ones.
  public static let all: [TraceOption] = [
    TraceOption(
      "depth", \.depth, .number(1...256), .recording,
      "Keep this many frames of each stack, innermost first."),
    TraceOption(
      "level", \.level, .word, .recording,
      "What is recorded of each string: leaks (where it was allocated) or full (where it was freed, too, with guards and quarantine)."
    ),
    TraceOption(
      "olechar", \.olechar, .oneOf(2, 4), .recording, default: detected,
      "Bytes of one OLECHAR: 2 (char16_t, as on Windows) or 4 (wchar_t, as in 7-Zip)."),
    TraceOption(
      "payload-offset", \.payloadOffset, .oneOf(4, 8), .recording, default: detected,
      "Bytes from the start of a block to its first character: 8 (as on Windows) or 4 (as in 7-Zip)."
    ),
    TraceOption(
      "inside", \.inside, .onOff, .recording,
      "Replace the BSTR functions that a module has inside it, hidden or static, by its symbol table (Docs/Reach.md). For preloaded programs."
    ),
    TraceOption(
      "function", \.functions, each: .function, .recording, default: "none",
      "Replace this BSTR function of a module, which no symbol shows: MODULE is the name or path of its file, or its build-id, OFFSET the address that a symbol would have (st_value, as nm prints it), in hexadecimal (Docs/Reach.md). May be given again. For preloaded programs."
    ),
    TraceOption(
      "follow-children", \.followChildren, .onOff, .recording,
      "Trace the processes that the program starts, too. Each gets an entry of its own."),
    TraceOption(
      "track", \.track, .onOff, .recording,
      default: "on under bstrtrace run and in debug builds, off in release builds",
      "Record allocations. Off, the BSTR functions work and nothing else happens."),
    TraceOption(
      "redact", \.redact, .onOff, .recording,
      "Keep the characters of strings out of stores and reports: BSTRs hold passwords."),
    TraceOption(
      "format", \.format, .word, .reporting, default: "by the ending of output, or else text",
      "Shape of the report: "
        + ReportFormat.allCases.map { "\($0.rawValue) \($0.purpose)" }.joined(separator: ", ")
        + " (Docs/ReportFormat.md)."),
    TraceOption(
      "output", \.outputs, each: .path, .reporting, default: "standard error",
      "Write the report to this file, in the format of its ending (\(endings)); - is standard output, %p in the path the pid. May be given again."
    ),
    TraceOption(
      "source-root", \.sourceRoot, .path, .reporting, default: "GITHUB_WORKSPACE, if that is set",
      "Look below this folder for source files that are not at their recorded path, and name those below it "
        + "relative to it, in SARIF and for GitHub."),
    TraceOption(
      "github", \.github, .onOff, .reporting,
      default: "on for the command line where GITHUB_ACTIONS is true",
      "Annotate lines in the log of a GitHub Actions job, and list the findings in its summary."),
    TraceOption(
      "group-by", \.groupBy, .word, .reporting,
      "What is one finding: fault (all that leads to the function to blame, wherever that was called) or stack (one whole stack)."
    ),
    TraceOption(
      "per-process", \.perProcess, .onOff, .reporting,
      "Show what was found in several processes at each of them, and not once for all."),
    TraceOption(
      "error-exitcode", \.errorExitcode, .number(0...255), .reporting,
      "Exit status when the program ended with 0 and there are findings; 0 keeps the program's own."
    ),
    TraceOption(
      "halt-on-error", \.haltOnError, .onOff, .recording,
      "Abort at the first fault, so that a debugger stops there."),
    TraceOption(
      "foreign", \.foreign, .word, .recording,
      "Report frees, through the traced functions, of BSTRs that another copy of them allocated."),
    TraceOption(
      "guards", \.guards, .onOff, .recording,
      "Put eight bytes behind each string, and report when they were written to."),
    TraceOption(
      "quarantine", \.quarantine, .number(0...1 << 40), .recording,
      "Quarantine at most N bytes of freed strings, to notice writes to them; 0 disables the quarantine."
    ),
    TraceOption(
      "quarantine-blocks", \.quarantineBlocks, .number(0...16_320), .recording,
      "Quarantine at most N freed strings."),
    TraceOption(
      "fail-allocation", \.failAllocation, .failures, .recording, default: "none",
      "Make allocations return NULL: the Nth (N), all from the Nth (N+), or a percentage (P% or P%SEED)."
    ),
    TraceOption(
      "wrappers", \.wrappers, .patterns, .reporting, default: "those of Docs/Ownership.md",
      "Functions that allocate or free for their callers, in addition to the known: Text*,release_*."
    ),
    TraceOption(
      "suppressions", \.suppressions, .path, .reporting, default: "none",
      "Leave out findings that match a rule of this file (Docs/Suppressions.md)."),
    TraceOption(
      "strict-suppressions", \.strictSuppressions, .onOff, .reporting,
      "Fail when a suppression rule matched nothing, has expired or matched more than it accepts."),
    TraceOption(
      "print-suppressions", \.printSuppressions, .onOff, .reporting,
      "End the report with rules that would silence what was found, ready for a file."),
    TraceOption(
      "fill", \.fill, .onOff, .recording,
      "Fill strings that are allocated without characters with 0xCD in place of zeros."),
    TraceOption(
      "break-on", \.breakOn, .number(1...Int.max), .recording, default: "none",
      "Raise SIGTRAP at the allocation with this serial number, so that a debugger stops there."),
    TraceOption(
      "store-dir", \.storeDir, .path, .running,
      default: "TMPDIR, or else /tmp, or /var/tmp where /tmp is memory",
      "Write what is recorded, one store for each process, to a new folder in this one until the run ends."
    ),
    TraceOption(
      "holders", \.holders, .onOff, .recording,
      "When the program calls exit or returns from main, look for what still refers to strings that were not freed, and show it with each leak (Docs/Ownership.md)."
    ),
    TraceOption(
      "holders-limit", \.holdersLimit, .number(1...1 << 30), .recording,
      "Do not look for holders in a process with more than N MiB of resident memory."),
    TraceOption(
      "verify-stacks", \.verifyStacks, .onOff, .recording,
      "Re-unwind every unwind-cache hit and count mismatches (slow; for verification)."),
  ]

  private static let endings =
    (ReportFormat.allCases.map(\.ending) + [TraceOptions.storeEnding])
    .map { ".\($0)" }.joined(separator: ", ")

  private static let detected = "detected in the program (2 and 8 where it has none of its own)"
}
