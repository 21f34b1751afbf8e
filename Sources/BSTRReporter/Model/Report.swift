// The input of all renderers: processes with their findings.

/// A report over one or more processes.
public struct Report: Sendable {
  /// The processes, in the order in which they started.
  public var processes: [ProcessReport]
  /// Faults of the stores themselves, in sentences.
  public var damage: [String]

  /// The symbolizer that named functions and lines; `nil` when nothing had to be named.
  public var symbolizer: NameSource?

  /// The reason why no BSTR function was called, in sentences; `nil` when one was.
  public var explanation: String?

  /// The effect of suppression rules, in their order; none without rules.
  public var suppressions: [Suppressions.Use] = []

  /// Findings that were left out because the baseline has them.
  public var inBaseline = 0

  /// A finding that is known already.
  public struct LeftOut: Sendable {
    /// The finding.
    public var finding: Finding
    /// The rule that silenced it; `nil` where the baseline has it.
    public var rule: SuppressionRule?
  }

  /// The findings that rules and the baseline took out, in their order.
  public var leftOut: [LeftOut] = []

  /// Findings that rules or the baseline took out.
  public var suppressed: Int { suppressions.reduce(inBaseline) { $0 + $1.findings } }

  /// Whether a suppression rule is unused, expired or exceeded.
  public var hasStaleSuppressions: Bool { suppressions.contains { $0.problem != nil } }

  /// The name of the scope that is reported on; `nil` for all of each process.
  public var scope: String?

  /// Creates a report.
  public init(processes: [ProcessReport], damage: [String] = [], explanation: String? = nil) {
    self.processes = processes
    self.damage = damage
    self.explanation = explanation
  }

  /// Every finding.
  public var findings: [Finding] { processes.flatMap(\.findings) }

  /// The count of BSTRs that were not freed.
  public var leakedBstrs: Int { leaks.reduce(0) { $0 + $1.count } }

  /// Their payload in bytes.
  public var leakedBytes: Int { leaks.reduce(0) { $0 + $1.bytes } }

  /// The leaks among the findings.
  public var leaks: [Finding] { findings.filter { $0.kind == .leak } }

  // Counts come from stores, which may be damaged: they wrap around rather than trap.

  /// The count of allocations in all processes.
  public var allocations: UInt64 { processes.reduce(0) { $0 &+ $1.totals.allocations } }

  /// The count of allocations of which nothing is known, because there was no room to record them.
  public var unrecorded: UInt64 { processes.reduce(0) { $0 &+ $1.totals.unrecorded } }

  /// What a reader must know besides the findings, in sentences, each once: what is damaged, why
  /// nothing was seen, whose strings are not seen, and notes on processes.
  var circumstances: [String] {
    let ofProcesses = processes.flatMap { process in
      process.coverage.map { $0.sentence(foreignFrees: process.totals.foreignFrees) }
        + process.notes
    }
    var seen: Set<String> = []
    return (damage + [explanation].compactMap(\.self) + ofProcesses)
      .filter { seen.insert($0).inserted }
  }

  /// The process that the user started: a script in front of a program becomes it by `exec`, so it
  /// is the last one with the first one's id.
  var mainProcess: Int? {
    processes.first.flatMap { first in processes.lastIndex { $0.pid == first.pid } }
  }

  /// Whether any process allocated or freed a BSTR.
  public var hasCalls: Bool { processes.contains(where: \.hasCalls) }
}

/// One process, or the part of one between two `exec`s.
public struct ProcessReport: Sendable {
  /// The end of a process.
  public enum End: Equatable, Sendable {
    /// An exit, with a status.
    case exit(Int)
    /// A signal.
    case signal(Int)
    /// Unknown: killed as another process's child, or replaced by `exec`.
    case unknown
    /// None yet.
    case running
  }

  /// The fate of a process whose end was not seen.
  public enum UnseenEnd: Sendable {
    /// It was killed, or became a program that is not recorded.
    case lost
    /// It became another program, which has a report of its own.
    case replaced
    /// It is making this report.
    case reporting
    /// It did not need the tracker, and its end was not looked at.
    case untraced
  }

  /// Counts over the process's life.
  public struct Totals: Equatable, Sendable {
    /// BSTRs allocated.
    public var allocations: UInt64
    /// BSTRs freed, in whatever way.
    public var frees: UInt64
    /// BSTRs of another copy of the functions that were freed through the traced ones.
    public var foreignFrees: UInt64
    /// BSTRs live at the end.
    public var live: UInt64
    /// Their payload in bytes.
    public var liveBytes: UInt64
    /// The maximum of live BSTRs at one time.
    public var peakLive: UInt64
    /// BSTRs that were declared never to be freed.
    public var immortals: UInt64
    /// Live BSTRs that the program asked to ignore.
    public var ignored: UInt64
    /// Allocations that could not be recorded.
    public var unrecorded: UInt64
  }

  /// An allocation that was made to fail.
  public struct InjectedFailure: Sendable {
    /// Its serial number, from 1.
    public var number: Int
    /// The frame of the function that called for it.
    public var frame: Frame?

    /// ", in main app.c:12", or nothing.
    public var locationClause: String {
      frame.map { ", in \($0.name)\($0.function == nil ? "" : " \($0.location)")" } ?? ""
    }
  }

  /// The process.
  public var pid: Int
  /// The process that started it.
  public var parentPid: Int
  /// Its program's path.
  public var executable: String
  /// Its arguments, the program's name first.
  public var arguments: [String]
  /// Its end.
  public var end: End
  /// Its fate where `end` is unknown.
  public var unseenEnd = UnseenEnd.lost
  /// Bytes of one OLECHAR, or `nil` when no BSTR function was called.
  public var olecharBytes: Int?
  /// Bytes from a block's start to its first character.
  public var payloadOffset: Int?
  /// Counts.
  public var totals: Totals
  /// The findings, heaviest first.
  public var findings: [Finding]
  /// The count of findings that are shown at an earlier process, which has the same.
  var findingsAbove = 0
  /// Allocations that were made to fail, as the options asked.
  public var injectedFailures: [InjectedFailure]
  /// The functions that produced and freed its strings, where a map was asked for.
  public var map: OwnershipMap?
  /// All its strings by their stacks, where a format shows them.
  public var profile: AllocationProfile?
  /// Facts that a reader needs to judge the findings, in sentences.
  public var notes: [String]
  /// Modules whose strings are not seen.
  public var coverage: [UnseenStrings] = []

  /// Whether every module that was loaded was checked for that.
  public var isCoverageComplete = false

  /// Whether any BSTR was allocated or freed.
  public var hasCalls: Bool {
    totals.allocations > 0 || totals.frees > 0 || totals.foreignFrees > 0 || !findings.isEmpty
  }

  /// The command line of the program.
  public var name: String { arguments.first.flatMap { $0.isEmpty ? nil : $0 } ?? executable }
}
