// The flags that say what is recorded, and the program to record, shared by the subcommands that run
// one. Names and helps come from the table of settings.

import ArgumentParser
import TraceOptions

/// What to do about frees of other copies' BSTRs.
enum ForeignFrees: String, CaseIterable, ExpressibleByArgument {
  case report
  case ignore
}

/// How much to record.
enum RecordingLevel: String, CaseIterable, ExpressibleByArgument {
  case leaks
  case full
}

/// What to record.
struct RecordingOptions: ParsableArguments {
  @Option(name: .setting(.depth), help: .setting(.depth))
  var depth: Int?

  @Option(name: .setting(.level), help: .setting(.level))
  var level: RecordingLevel?

  @Option(name: .setting(.olechar), help: .setting(.olechar))
  var olechar: Int?

  @Option(name: .setting(.payloadOffset), help: .setting(.payloadOffset))
  var payloadOffset: Int?

  @Flag(
    name: .setting(.followChildren), inversion: .prefixedNo, help: .setting(.followChildren))
  var followChildren: Bool?

  @Flag(name: .setting(.haltOnError), help: .setting(.haltOnError))
  var haltOnError = false

  @Option(name: .setting(.foreign), help: .setting(.foreign))
  var foreign: ForeignFrees?

  @Flag(name: .setting(.guards), inversion: .prefixedNo, help: .setting(.guards))
  var guards: Bool?

  @Flag(name: .setting(.fill), help: .setting(.fill))
  var fill = false

  @Flag(name: .setting(.verifyStacks), help: .setting(.verifyStacks))
  var verifyStacks = false

  @Option(name: .setting(.breakOn), help: .setting(.breakOn))
  var breakOn: Int?

  @Option(name: .setting(.quarantine), help: .setting(.quarantine))
  var quarantine: Int?

  @Option(name: .setting(.quarantineBlocks), help: .setting(.quarantineBlocks))
  var quarantineBlocks: Int?

  func validate() throws {
    for (setting, value) in [
      (Setting.depth, depth), (.olechar, olechar), (.payloadOffset, payloadOffset),
      (.quarantine, quarantine), (.quarantineBlocks, quarantineBlocks), (.breakOn, breakOn),
    ] {
      guard let value else { continue }
      var check = Settings()
      if let problem = check.parse("\(setting.name)=\(value)").first {
        throw ValidationError("--\(setting.name) \(value): \(problem.reason).")
      }
    }
  }

  /// These options where they were given, and the environment's elsewhere.
  func settings(over environment: Settings) -> Settings {
    var settings = environment
    settings.depth = depth ?? settings.depth
    if let level { settings.leaksOnly = level == .leaks }
    settings.olechar = olechar ?? settings.olechar
    settings.payloadOffset = payloadOffset ?? settings.payloadOffset
    settings.followChildren = followChildren ?? settings.followChildren
    if haltOnError { settings.haltOnError = true }
    if let foreign { settings.reportForeign = foreign == .report }
    settings.guards = guards ?? settings.guards
    if fill { settings.fill = true }
    if verifyStacks { settings.verifyStacks = true }
    settings.breakOn = breakOn ?? settings.breakOn
    settings.quarantine = quarantine ?? settings.quarantine
    settings.quarantineBlocks = quarantineBlocks ?? settings.quarantineBlocks
    return settings
  }
}

/// The program to run and its arguments.
struct TracedCommand: ParsableArguments {
  @Argument(
    parsing: .captureForPassthrough,
    help: ArgumentHelp("The program and its arguments.", valueName: "program"),
    completion: .shellCommand("compgen -c"))
  var program: [String] = []

  /// The program and its arguments, without the dashes that lead them in; at least one.
  var words: [String] { Array(program.first == "--" ? program.dropFirst() : program[...]) }

  /// Everything from the first word that is no flag of ours is captured, a misspelt flag too.
  func validate(for command: some ParsableCommand) throws {
    if program.first == "--help" || program.first == "-h" {
      throw CleanExit.helpRequest(command)
    }
    if let first = program.first, first.hasPrefix("-"), first != "--" {
      throw ValidationError("Unknown option '\(first)'.")
    }
    if words.isEmpty {
      let name = type(of: command)._commandName
      throw ValidationError(
        "No program to run. Write it behind '--': bstrtrace \(name) -- ./program")
    }
  }
}
