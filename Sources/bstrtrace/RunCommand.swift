// `bstrtrace run`: runs a program with the tracker in it, and reports.

import ArgumentParser
import BSTRReporter
import Glibc
import TraceOptions
import TraceStore

/// Runs a program and reports what it leaked.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run a program and report BSTRs that were leaked, freed wrongly or damaged.",
    discussion: """
      The program needs no change: it must call the BSTR functions through a shared symbol, as \
      programs with plug-ins do. How it lays its BSTRs out is learnt from the program itself.

      The report is made when the program has really ended: what static destructors free is no \
      leak. It is complete after exit, _exit, abort, a crash or SIGKILL.

      Options of bstrtrace come before '--', the program and its arguments after it.
      """
  )

  @OptionGroup var options: ReportOptions

  @OptionGroup var recording: RecordingOptions

  @Option(
    name: .setting(.failAllocation), help: .setting(.failAllocation),
    transform: { text in
      var settings = Settings()
      let problem = settings.parse("\(Setting.failAllocation.name)=\(text)").first
      guard let failure = settings.failAllocation else {
        throw ValidationError("\(problem?.reason ?? "expected which allocations").")
      }
      return failure
    })
  var failAllocation: AllocationFailure?

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
      let environment = EnvironmentSettings.read()
      let target = try ReportTarget(options, environment)
      let triage = try Triage(options.triage, environment)
      let keep = try keepStore.map(OutputFile.open)
      let program = try TracedProgram(traced.words[0])
      let run = try ProgramRun(
        program: program, arguments: traced.words, settings: settings(over: environment))
      let (images, damage) = run.collect()
      if let keep { try OutputFile.write(images.flatMap { $0.packed() }, to: keep) }
      var report = report(on: images, damage: damage, of: run, environment)
      try triage.apply(to: &report)
      try target.write(report)
      throw run.ownStatus.map { ExitCode($0) }
        ?? ExitStatus.of(report, options, environment, triage)
    } catch let failure as ToolFailure {
      throw ExitStatus.fail(failure.message)
    } catch let failure as TracedProgram.Failure {
      throw ExitStatus.fail(failure.description, failure.status)
    }
  }

  private func settings(over environment: Settings) -> Settings {
    var settings = recording.settings(over: environment)
    if options.redact { settings.redact = true }
    settings.failAllocation = failAllocation ?? settings.failAllocation
    return settings
  }

  private func report(
    on images: [StoreImage], damage: [String], of run: ProgramRun, _ environment: Settings
  ) -> Report {
    if images.isEmpty && damage.isEmpty {
      return Report(processes: [], damage: ["nothing was recorded: \(run.whyNothing)"])
    }
    var symbolicator = options.names.symbolicator()
    defer { NameOptions.complain(of: symbolicator) }
    return options.reporter(environment)
      .report(on: images, symbolicator: &symbolicator, damage: damage)
  }
}
