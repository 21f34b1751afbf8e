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

  @Argument(help: "The program.", completion: .shellCommand("compgen -c"))
  var program: String

  /// A module to be looked at.
  private struct Module: Hashable {
    var path: String
    /// Whether it was named by the user, and not found by the loader.
    var isNamed: Bool
  }

  func run() throws {
    do {
      let traced = try TracedProgram(program)
      let path = traced.executable
      var modules = [Module(path: path, isNamed: true)]
      var missing: [String] = []
      for root in [path] + with {
        guard ModuleReach(ofModuleAt: root, isProgram: false) != nil else {
          throw ToolFailure("cannot look at '\(root)': it is no 64-bit ELF file that can be read")
        }
        let needed = try NeededModules(of: root)
        modules += [Module(path: root, isNamed: true)]
        modules += needed.paths.map { Module(path: $0, isNamed: false) }
        missing += needed.missing
      }
      var seen: Set<String> = []
      let reaches = modules.filter { seen.insert($0.path).inserted }.compactMap { module in
        ModuleReach(ofModuleAt: module.path, isProgram: module.path == path)
          .map { (reach: $0, module: module) }
      }
      let script =
        traced.path == path
        ? [] : ["\(traced.path) is a script: what it starts is not looked at, only \(path).", ""]
      try OutputFile.write(
        Self.text(script + Self.lines(reaches, missing: missing)), to: STDOUT_FILENO)
      if reaches.contains(where: { $0.reach.unseen != nil }) {
        throw ExitCode(Int32(TraceOptions(EnvironmentOptions.read()).errorExitcode))
      }
    } catch let failure as ToolFailure {
      throw ExitStatus.fail(failure.message)
    } catch let failure as TracedProgram.Failure {
      throw ExitStatus.fail(failure.description, failure.status)
    }
  }

  private static func lines(
    _ reaches: [(reach: ModuleReach, module: Module)], missing: [String]
  ) -> [String] {
    var lines: [String] = []
    for (reach, module) in reaches where reach.usesFunctions || module.isNamed {
      lines.append(reach.path)
      lines += reach.functions.map {
        "   \($0.binding.rawValue) \($0.names.joined(separator: ", "))"
      }
      if let bytes = reach.olecharBytes { lines.append("   Its characters have \(bytes) bytes.") }
      lines += verdict(on: reach).map { "   \($0)" } + [""]
    }
    lines += Set(missing).sorted().flatMap { ["The loader does not find \($0).", ""] }
    let users = reaches.filter(\.reach.usesFunctions)
    let unseen = users.count { $0.reach.unseen != nil }
    let all = "\(reaches.count) \(reaches.count == 1 ? "module" : "modules")"
    if users.isEmpty {
      return lines + ["bstrtrace: none of \(all) uses BSTRs, as far as their symbols show"]
    }
    let use = "\(users.count) of \(all) \(users.count == 1 ? "uses" : "use") BSTRs"
    let traced =
      unseen == 0
      ? "all are traced" : "\(unseen) \(unseen == 1 ? "is" : "are") not traced, or not wholly"
    return lines + ["bstrtrace: \(use); \(traced)"]
  }

  /// Returns whether a module's strings are seen, and what to do if not.
  private static func verdict(on reach: ModuleReach) -> [String] {
    if let unseen = reach.unseen { return [unseen.sentence] + (reach.advice.map { [$0] } ?? []) }
    if reach.usesFunctions {
      return [
        reach.functions.contains { $0.binding == .exports }
          ? "Calls of its functions are traced, its own among them." : "Its calls are traced."
      ]
    }
    return [
      reach.isStripped
        ? "Its symbols show no BSTR function; local ones were stripped: it may contain some."
        : "It has no BSTR function."
    ]
  }

  private static func text(_ lines: [String]) -> String {
    lines.map { Printable.escaped($0) + "\n" }.joined()
  }
}
