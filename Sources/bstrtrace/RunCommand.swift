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
    abstract: "Run a program and report the BSTRs that nobody freed.",
    discussion: """
      The program needs no change: it must call the BSTR functions through a shared symbol, as \
      programs with plug-ins do. How it lays its BSTRs out is learnt from the program itself.

      The report is made when the program has really ended: what static destructors free is no \
      leak. It is complete after exit, _exit, abort, a crash or SIGKILL.

      Options of bstrtrace come before '--', the program and its arguments after it.
      """
  )

  @OptionGroup var options: ReportOptions

  @Option(name: .setting(.depth), help: .setting(.depth))
  var depth: Int?

  @Option(name: .setting(.olechar), help: .setting(.olechar))
  var olechar: Int?

  @Option(name: .setting(.payloadOffset), help: .setting(.payloadOffset))
  var payloadOffset: Int?

  @Flag(
    name: .setting(.followChildren), inversion: .prefixedNo, help: .setting(.followChildren))
  var followChildren: Bool?

  @Option(
    help: ArgumentHelp(
      "Keep what was recorded in this file, for 'bstrtrace report'. Without --redact it contains "
        + "strings of the program.", valueName: "file"),
    completion: .file())
  var keepStore: String?

  @Argument(
    parsing: .captureForPassthrough,
    help: ArgumentHelp("The program and its arguments.", valueName: "program"),
    completion: .shellCommand("compgen -c"))
  var program: [String] = []

  func validate() throws {
    for (setting, value) in [
      (Setting.depth, depth), (.olechar, olechar), (.payloadOffset, payloadOffset),
    ] {
      guard let value else { continue }
      var check = Settings()
      if let problem = check.parse("\(setting.name)=\(value)").first {
        throw ValidationError("--\(setting.name) \(value): \(problem.reason).")
      }
    }
    // Everything from the first word that is no flag of ours is captured, a misspelt flag too.
    if program.first == "--help" || program.first == "-h" { throw CleanExit.helpRequest(self) }
    if let first = program.first, first.hasPrefix("-"), first != "--" {
      throw ValidationError("Unknown option '\(first)'.")
    }
    if command.isEmpty {
      throw ValidationError("No program to run. Write it behind '--': bstrtrace run -- ./program")
    }
  }

  /// The program and its arguments, without the dashes that lead them in.
  private var command: ArraySlice<String> {
    program.first == "--" ? program.dropFirst() : program[...]
  }

  func run() throws {
    do {
      let environment = EnvironmentSettings.read()
      let target = try ReportTarget(options, environment)
      let keep = try keepStore.map(OutputFile.open)
      let program = try TracedProgram(command[command.startIndex])
      let run = try ProgramRun(
        program: program, arguments: Array(command), settings: settings(over: environment))
      let (images, damage) = run.collect()
      if let keep { try OutputFile.write(images.flatMap { $0.packed() }, to: keep) }
      let report = report(on: images, damage: damage, of: run, environment)
      try target.write(report)
      throw run.ownStatus.map { ExitCode($0) } ?? ExitStatus.of(report, options, environment)
    } catch let failure as ToolFailure {
      throw ExitStatus.fail(failure.message)
    } catch let failure as TracedProgram.Failure {
      throw ExitStatus.fail(failure.description, failure.status)
    }
  }

  private func settings(over environment: Settings) -> Settings {
    var settings = environment
    settings.depth = depth ?? settings.depth
    settings.olechar = olechar ?? settings.olechar
    settings.payloadOffset = payloadOffset ?? settings.payloadOffset
    settings.followChildren = followChildren ?? settings.followChildren
    if options.redact { settings.redact = true }
    return settings
  }

  private func report(
    on images: [StoreImage], damage: [String], of run: ProgramRun, _ environment: Settings
  ) -> Report {
    if images.isEmpty && damage.isEmpty {
      return Report(processes: [], damage: ["nothing was recorded: \(run.whyNothing)"])
    }
    var symbolicator = CachingSymbolicator(RuntimeSymbolicator())
    return Reporter(redact: options.redact || environment.redact == true)
      .report(on: images, symbolicator: &symbolicator, damage: damage)
  }
}
