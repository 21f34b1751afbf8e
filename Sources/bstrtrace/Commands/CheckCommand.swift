// `bstrtrace check`: says, without running a program, whose BSTRs a run would see.

import ArgumentParser
import BSTRReporter
import Glibc
import TraceOptions

/// Looks at a program and its libraries.
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Say, without running a program, which of its modules' BSTRs would be seen.",
    discussion: """
      Looks at the program, at the libraries that the loader would load with it, and at plug-ins \
      that --with names: which BSTR functions each has or takes from others, whether its calls can \
      be traced, and if not, what makes them traceable.

      Modules without a BSTR function in their symbols are counted and not listed. The exit status \
      is 0 when all strings would be seen, as far as symbols show it, and 23 when some would not.
      """
  )

  @Option(
    help: ArgumentHelp(
      "A library that the program opens itself, as a plug-in; may be given again.",
      valueName: "library"), completion: .file())
  var with: [String] = []

  @OptionGroup var inside: InsideOptions

  @OptionGroup var debug: DebugPathOptions

  @Argument(help: "The program.", completion: .shellCommand("compgen -c"))
  var program: String

  func run() throws {
    do {
      let traced = try TracedProgram(program)
      let reach = try reach(of: traced.executable)
      var text = reach.text
      if traced.path != traced.executable {
        let script = Printable.escaped(
          "\(traced.path) is a script: what it starts is not looked at, only \(traced.executable).")
        text = "\(script)\n\n\(text)"
      }
      try OutputFile.write(text, to: STDOUT_FILENO)
      if reach.hasUnseen {
        throw ExitCode(Int32(TraceOptions(EnvironmentOptions.read()).errorExitcode))
      }
      if !reach.isComplete { throw ExitCode(ExitStatus.toolFailed) }
    } catch let failure as ToolFailure {
      throw ExitStatus.fail(failure.message)
    } catch let failure as TracedProgram.Failure {
      throw ExitStatus.fail(failure.description, failure.status)
    }
  }

  /// Looks at the program, at the plug-ins and at what they need.
  private func reach(of path: String) throws -> ProgramReach {
    var modules: [ProgramReach.Module] = []
    var missing: [String] = []
    for root in [path] + with {
      let needed = try NeededModules(of: root)
      modules.append(ProgramReach.Module(path: root, isNamed: true))
      modules += needed.paths.map { ProgramReach.Module(path: $0, isNamed: false) }
      missing += needed.missing
    }
    let options = TraceOptions(EnvironmentOptions.read().overruled(by: inside.given))
    return ProgramReach(
      of: modules, missing: missing, isInside: options.inside,
      debugFilesBelow: debug.debugPath)
  }
}
