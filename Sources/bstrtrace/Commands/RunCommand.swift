// `bstrtrace run`: runs a program with the tracker in it, and reports.

import ArgumentParser
import BSTRReporter
import Glibc
import TraceOptions
import TraceStore

/// Runs a program and reports what it leaked.
struct RunCommand: ParsableCommand, TableOptions {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run a program and report BSTRs that were leaked, freed wrongly or corrupted.",
    discussion: """
      The program needs no change: it must call the BSTR functions through a shared symbol, as \
      programs with plug-ins do. How it lays its BSTRs out is detected in the program itself.

      The report is made when the program has really ended: what static destructors free is no \
      leak. It is complete after exit, _exit, abort, a crash or SIGKILL.

      Options of bstrtrace come before '--', the program and its arguments after it.
      """
  )

  @OptionGroup var options: ReportOptions

  @OptionGroup var recording: RecordingOptions

  // Not in RecordingOptions: a sweep itself chooses which allocations fail.
  @Option(\.failAllocation) var failAllocation: GivenText?

  @Option(
    help: ArgumentHelp(
      "Keep what was recorded in this file, for 'bstrtrace report'. Without --redact it contains "
        + "strings of the program.", valueName: "file"),
    completion: .file())
  var keepStore: String?

  @OptionGroup var traced: TracedCommand

  func validate() throws { try traced.validate(for: self) }

  func run() throws {
    do {
      var given = EnvironmentOptions.read()
        .overruled(by: recording.given).overruled(by: self.given)
        .overruled(by: options.allGiven)
      let traceOptions = TraceOptions(given)
      let target = try ReportTarget(traceOptions)
      let triage = try Triage(options.triage, traceOptions)
      let keep = try keepStore.map(OutputFile.openReport)
      let program = try TracedProgram(traced.words[0])
      let separate = given.addSeparateFunctions(
        of: program, debugFilesBelow: options.names.debug.debugPath)
      let run = try ProgramRun(program: program, arguments: traced.words, given: given)
      let (stores, damage) = run.collect()
      if let keep { try OutputFile.write(StoreFile.bytes(of: stores), to: keep) }
      var report = report(on: stores, damage: damage, of: run, traceOptions, separate)
      try triage.apply(to: &report)
      try target.write(report, of: stores)
      throw run.ownStatus.map { ExitCode($0) } ?? ExitStatus.of(report, traceOptions, triage)
    } catch let failure as ToolFailure {
      throw ExitStatus.fail(failure.message)
    } catch let failure as TracedProgram.Failure {
      throw ExitStatus.fail(failure.description, failure.status)
    }
  }

  private func report(
    on stores: [StoreReference], damage: [String], of run: ProgramRun,
    _ traceOptions: TraceOptions, _ separate: SeparateFamilies?
  ) -> Report {
    if stores.isEmpty && damage.isEmpty {
      return Report(processes: [], damage: ["nothing was recorded: \(run.missingStoreReason)"])
    }
    var symbolicator = options.names.symbolicator()
    defer { NameOptions.complain(of: symbolicator) }
    return options.report(
      on: stores, damage: damage, traceOptions, separate, symbolicator: &symbolicator)
  }
}
