// The values of all options for one process, after the given ones have been read. Reads no
// environment itself, so that both sides of the store can use it.

/// The amount that is recorded of each string.
public enum RecordingLevel: String, OptionWord {
  /// The stack that allocated it.
  case leaks
  /// The stack that freed it, too, with guards and quarantine.
  case full
}

/// The handling of frees of strings that another copy of the functions allocated.
public enum ForeignFrees: String, OptionWord {
  /// They are findings.
  case report
  /// They are counted.
  case ignore
}

/// What makes strings one finding.
public enum FindingGrouping: String, OptionWord {
  /// The fault: the functions up to the one that is to blame.
  case fault
  /// The whole stack.
  case stack
}

/// The value of every option.
///
/// `TraceOption.all` has the syntax and effect of each. Optional are those that may have no value:
/// it is then detected, or depends on the build, or there is none.
public struct TraceOptions: Sendable {
  /// The amount that is recorded of each string.
  ///
  /// Leaks alone need neither guards nor a quarantine: this is set before those, which are then on
  /// only where they are given.
  public var level = RecordingLevel.full {
    didSet {
      guard level == .leaks else { return }
      guards = false
      quarantine = 0
      quarantineBlocks = 0
    }
  }
  /// Frames kept of each stack.
  public var depth = 64
  /// Bytes of one OLECHAR, 2 or 4; `nil` to detect it.
  public var olechar: Int?
  /// Bytes from a block's start to its first character, 4 or 8; `nil` to detect it.
  public var payloadOffset: Int?
  /// Whether functions inside of modules are replaced.
  public var inside = false
  /// BSTR functions that are inside of modules, by their addresses.
  public var functions: [GivenFunction] = []
  /// Whether child processes are traced.
  public var followChildren = true
  /// Whether anything is recorded; `nil` where the build and `bstrtrace run` decide.
  public var track: Bool?
  /// Whether characters of strings stay out of stores and reports.
  public var redact = false
  /// The format of the report; `nil` where the ending of each output chooses it.
  public var format: ReportFormat?
  /// The paths of the report's files; none for standard error.
  public var outputs: [String] = []
  /// The folder that source files are named relative to; `nil` for none.
  public var sourceRoot: String?
  /// Whether the report goes to the log and the summary of a GitHub Actions job; `nil` where
  /// `bstrtrace` finds that out.
  public var github: Bool?
  /// What makes strings one finding.
  public var groupBy = FindingGrouping.fault
  /// Whether a finding of several processes is shown at each of them.
  public var perProcess = false
  /// The exit status for findings, 0 for none.
  public var errorExitcode = 23
  /// Whether the first fault ends the program.
  public var haltOnError = false
  /// The handling of frees of foreign strings.
  public var foreign = ForeignFrees.ignore
  /// Whether each string has a guard of 8 bytes behind its terminator.
  public var guards = true
  /// The maximum of quarantined bytes.
  public var quarantine = 4 << 20
  /// The maximum of quarantined strings.
  public var quarantineBlocks = 1024
  /// The allocations that are made to fail; `nil` for none.
  public var failAllocation: AllocationFailure?
  /// Patterns of functions that allocate or free for their callers, beside the known ones.
  public var wrappers: [String] = []
  /// The path of the file of suppression rules; `nil` for none.
  public var suppressions: String?
  /// Whether rules that are unused, expired or exceeded count as findings.
  public var strictSuppressions = false
  /// Whether the report ends with rules for what was found.
  public var printSuppressions = false
  /// Whether strings that are allocated without characters are filled with 0xCD.
  public var fill = false
  /// The serial number of the allocation that raises SIGTRAP; `nil` for none.
  public var breakOn: Int?
  /// The folder that a run's stores are written in; `nil` for the usual one.
  public var storeDir: String?
  /// Whether what holds leaked strings is looked for when the process begins to end.
  public var holders = false
  /// The resident memory of a process, in MiB, above which that is not looked for.
  public var holdersLimit = 1024
  /// Whether each unwind-cache hit is unwound again and compared.
  public var verifyStacks = false

  /// Everything as by default.
  public init() {}

  /// Everything as by default, but for what was given.
  public init(_ given: GivenOptions) {
    self.init()
    for option in TraceOption.all {
      for text in given[option] { _ = option.read(text[...], &self) }
    }
  }
}
