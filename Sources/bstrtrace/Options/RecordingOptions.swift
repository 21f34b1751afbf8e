// The flags of recording, and the program to record, shared by the subcommands that run one.

import ArgumentParser
import TraceOptions

/// The flags of recording.
struct RecordingOptions: TableOptions {
  @Option(\.depth) var depth: GivenText?
  @Option(\.level) var level: GivenText?
  @Option(\.olechar) var olechar: GivenText?
  @Option(\.payloadOffset) var payloadOffset: GivenText?
  @Flag(\.inside) var inside: Bool?
  @Option(\.functions) var function: [GivenText] = []
  @Flag(\.followChildren) var followChildren: Bool?
  @Flag(\.haltOnError) var haltOnError: Bool?
  @Option(\.foreign) var foreign: GivenText?
  @Flag(\.guards) var guards: Bool?
  @Flag(\.fill) var fill: Bool?
  @Flag(\.verifyStacks) var verifyStacks: Bool?
  @Option(\.breakOn) var breakOn: GivenText?
  @Option(\.quarantine) var quarantine: GivenText?
  @Option(\.quarantineBlocks) var quarantineBlocks: GivenText?
  @Option(\.storeDir) var storeDir: GivenText?
  @Flag(\.holders) var holders: Bool?
  @Option(\.holdersLimit) var holdersLimit: GivenText?
}

/// Whether functions inside of modules are replaced: for a command that records nothing.
struct InsideOptions: TableOptions {
  @Flag(\.inside) var inside: Bool?
}

/// The program to run and its arguments.
struct TracedCommand: ParsableArguments {
  @Argument(
    parsing: .captureForPassthrough,
    help: ArgumentHelp("The program and its arguments.", valueName: "program"),
    completion: .shellCommand("compgen -c"))
  var program: [String] = []

  /// The program and its arguments, without the dashes in front of them; at least one.
  var words: [String] { Array(program.first == "--" ? program.dropFirst() : program[...]) }

  /// Everything from the first word that is no flag of bstrtrace is captured, a misspelt flag too.
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
