// `bstrtrace sweep`: makes one allocation after the other fail, and lists what then goes wrong.

import ArgumentParser
import BSTRReporter
import FoundationEssentials
import Glibc
import TraceOptions

/// Runs a program once for each of its allocations, and makes that one fail.
struct SweepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep",
    abstract: "Make each BSTR allocation of a program fail in turn, and list what goes wrong.",
    discussion: """
      The program runs once as it is and then once for each allocation, which returns NULL: the \
      first in the first run, the second in the second, until a run has fewer. Error paths that \
      leak, free wrongly, crash or hang are listed with the place of the allocation.

      The program's own output is discarded unless --show-output is given. It must do the same in \
      every run for the numbers to mean the same.

      The exit status is 23, or that of --error-exitcode, when an allocation's failure led to \
      findings, a crash or a hang, or when there are findings without any failure; otherwise 0.
      """
  )

  @OptionGroup var recording: RecordingOptions

  @Option(help: "Start with this allocation.")
  var from = 1

  @Option(help: "Stop after so many runs.")
  var runs = 10_000

  @Option(help: "End a run that takes longer, in seconds; it counts as a hang.")
  var timeout = 60

  @Flag(help: "Let the program write to standard output and standard error.")
  var showOutput = false

  @OptionGroup var status: StatusOptions

  @OptionGroup var names: NameOptions

  @OptionGroup var traced: TracedCommand

  func validate() throws {
    for (name, value) in [("from", from), ("runs", runs), ("timeout", timeout)] where value < 1 {
      throw ValidationError("--\(name) must be at least 1, not \(value).")
    }
    try traced.validate(for: self)
  }

  func run() throws {
    do {
      let program = try TracedProgram(traced.words[0])
      var given = EnvironmentOptions.read()
        .overruled(by: recording.given).overruled(by: status.given)
      _ = given.addSeparateFunctions(of: program, debugFilesBelow: names.debug.debugPath)
      var sweep = Sweep(
        program: program, arguments: traced.words, given: given, timeout: timeout,
        showsOutput: showOutput, symbolicator: names.symbolicator())
      defer { NameOptions.complain(of: sweep.symbolicator) }
      let isClean = try sweep.runBaseline()
      var wrong = 0
      var tried = 0
      while tried < runs, let outcome = try sweep.failing(UInt64(from + tried)) {
        tried += 1
        if outcome.isWrong {
          wrong += 1
          try OutputFile.write(outcome.text, to: STDERR_FILENO)
        }
      }
      let end = tried == runs ? "; --runs ended it there" : ""
      try OutputFile.write(
        "SWEEP: bstrtrace: \(tried) allocations made to fail, \(wrong) with findings\(end)\n",
        to: STDERR_FILENO)
      throw wrong > 0 || !isClean
        ? ExitCode(Int32(TraceOptions(given).errorExitcode)) : ExitCode.success
    } catch let failure as ToolFailure {
      throw ExitStatus.fail(failure.message)
    } catch let failure as TracedProgram.Failure {
      throw ExitStatus.fail(failure.description, failure.status)
    }
  }
}

/// The exit status of a sweep.
struct StatusOptions: TableOptions {
  @Option(
    \.errorExitcode,
    help: ArgumentHelp(
      "Exit status when something went wrong; 0 makes it 0 in any case. (default: 23)",
      valueName: "number"))
  var errorExitcode: GivenText?
}

/// The runs of a sweep.
private struct Sweep {
  let program: TracedProgram
  let arguments: [String]
  let given: GivenOptions
  let timeout: Int
  let showsOutput: Bool
  private(set) var symbolicator: NameOptions.Symbolicator
  /// The faults without any failure: each failing run is compared with them.
  private var baselineStatus: Int32 = 0
  private var baselineFindings: Set<String> = []
  private var baselineLost = 0

  init(
    program: TracedProgram, arguments: [String], given: GivenOptions, timeout: Int,
    showsOutput: Bool, symbolicator: NameOptions.Symbolicator
  ) {
    self.symbolicator = symbolicator
    self.program = program
    self.arguments = arguments
    self.given = given
    self.timeout = timeout
    self.showsOutput = showsOutput
  }

  /// The end of one run.
  struct Outcome {
    /// Whether something went wrong that does not go wrong in the baseline.
    var isWrong: Bool
    /// The description, for people.
    var text: String
  }

  /// Runs the program as it is.
  ///
  /// - Returns: whether nothing is wrong with it.
  mutating func runBaseline() throws -> Bool {
    let run = try self.run(failing: nil)
    let report = report(on: run)
    if run.hasTimedOut {
      throw ToolFailure(
        "the program took longer than \(timeout) s even without a failed allocation: use --timeout")
    }
    if report.allocations == 0 {
      throw ToolFailure("the program allocated no BSTR: there is nothing to make fail")
    }
    baselineStatus = run.ownStatus ?? 0
    baselineFindings = Set(report.findings.map(Self.key))
    baselineLost = Self.lost(report)
    if baselineStatus != 0 || !baselineFindings.isEmpty {
      try OutputFile.write(
        "bstrtrace: without a failed allocation, the program ends with \(baselineStatus) and has "
          + "\(baselineFindings.count) findings; only what is new is listed\n", to: STDERR_FILENO)
    }
    return baselineFindings.isEmpty
  }

  /// Runs the program with one allocation failing; `nil` when it has not that many.
  mutating func failing(_ number: UInt64) throws -> Outcome? {
    let run = try self.run(failing: number)
    var report = report(on: run)
    let failures = report.processes.flatMap { process in process.injectedFailures }
    guard let failure = failures.first else { return nil }
    var reasons: [String] = []
    if run.hasTimedOut {
      reasons.append("it did not end within \(timeout) s")
    } else if let signal = run.signal, run.ownStatus != baselineStatus {
      reasons.append("it was killed by signal \(signal)")
    } else if Self.lost(report) > baselineLost {
      reasons.append("a process that it started was killed")
    }
    for index in report.processes.indices {
      report.processes[index].findings.removeAll { baselineFindings.contains(Self.key($0)) }
      report.processes[index].notes = []
    }
    // A run that was cut short had no time to free anything.
    if !reasons.isEmpty {
      for index in report.processes.indices {
        report.processes[index].findings.removeAll { $0.kind == .leak }
      }
    }
    var text = "FAILED ALLOCATION \(number)\(Printable.escaped(failure.locationClause))\n"
    for reason in reasons { text += "   Then \(reason).\n" }
    if !report.findings.isEmpty { text += TextRenderer().render(report) + "\n" }
    return Outcome(isWrong: !reasons.isEmpty || !report.findings.isEmpty, text: text)
  }

  /// Returns the count of processes that ended without recording it, as those do that a signal
  /// kills.
  private static func lost(_ report: Report) -> Int {
    report.processes.count { $0.end == .unknown }
  }

  private func run(failing number: UInt64?) throws -> ProgramRun {
    var given = given
    given.setFailure(at: number)
    return try ProgramRun(
      program: program, arguments: arguments, given: given, timeout: timeout,
      discardsOutput: !showsOutput)
  }

  private mutating func report(on run: ProgramRun) -> Report {
    let (stores, damage) = run.collect()
    let options = TraceOptions(given)
    return Reporter(redact: options.redact, wrappers: Wrappers(adding: options.wrappers))
      .report(on: stores, symbolicator: &symbolicator, damage: damage)
  }

  /// Returns the key by which two findings of different runs are the same.
  private static func key(_ finding: Finding) -> String {
    let frames = [finding.detected, finding.freed, finding.allocated]
      .map { ($0?.frames ?? []).map { "\($0.name) \($0.location)" }.joined(separator: "<") }
    return "\(finding.kind.id) \(finding.detail ?? "") \(frames.joined(separator: "|"))"
  }
}
