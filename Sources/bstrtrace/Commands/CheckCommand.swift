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

  /// A module that was looked at.
  private struct Look {
    var module: Module
    /// `nil` when it could not be read.
    var reach: ModuleReach?
    /// A function that it takes from the program, whose functions are not traced.
    var takenFromProgram: String?

    var isTraced: Bool {
      reach.map { $0.unseen == nil && takenFromProgram == nil } ?? false
    }
  }

  func run() throws {
    do {
      let traced = try TracedProgram(program)
      let (looks, missing) = try look(from: traced.executable)
      let script =
        traced.path == traced.executable
        ? []
        : [
          "\(traced.path) is a script: what it starts is not looked at, only \(traced.executable).",
          "",
        ]
      let lines = script + Self.lines(looks, missing: missing, traced.executable)
      try OutputFile.write(
        lines.map { Printable.escaped($0) + "\n" }.joined(), to: STDOUT_FILENO)
      if looks.contains(where: { $0.reach != nil && !$0.isTraced }) {
        throw ExitCode(Int32(TraceOptions(EnvironmentOptions.read()).errorExitcode))
      }
      if !missing.isEmpty || looks.contains(where: { $0.reach == nil }) {
        throw ExitCode(ExitStatus.toolFailed)
      }
    } catch let failure as ToolFailure {
      throw ExitStatus.fail(failure.message)
    } catch let failure as TracedProgram.Failure {
      throw ExitStatus.fail(failure.description, failure.status)
    }
  }

  /// Looks at the program, at the plug-ins and at what they need; each file once.
  private func look(from path: String) throws -> (looks: [Look], missing: [String]) {
    var modules: [Module] = []
    var missing: [String] = []
    for root in [path] + with {
      guard access(root, R_OK) == 0 else {
        throw ToolFailure("cannot look at '\(root)': \(OutputFile.reason())")
      }
      guard ModuleReach(ofModuleAt: root, isProgram: false) != nil else {
        throw ToolFailure("cannot look at '\(root)': it is no 64-bit ELF file")
      }
      let needed = try NeededModules(of: root)
      modules.append(Module(path: root, isNamed: true))
      modules += needed.paths.map { Module(path: $0, isNamed: false) }
      missing += needed.missing
    }
    var seen: Set<[UInt]> = []
    modules = modules.filter { module in
      var status = stat()
      // One that is gone is reported as such.
      guard stat(module.path, &status) == 0 else { return true }
      return seen.insert([status.st_dev, status.st_ino]).inserted
    }
    var looks = modules.map { module in
      Look(
        module: module,
        reach: ModuleReach(ofModuleAt: module.path, isProgram: module.path == path))
    }
    if let program = looks.first?.reach {
      for index in looks.indices {
        looks[index].takenFromProgram = looks[index].reach?.function(takenFrom: program)
      }
    }
    // What the program loads is there for its plug-ins, wherever that was found.
    let names = Set(modules.map { $0.path.split(separator: "/").last.map(String.init) ?? "" })
    return (looks, Set(missing).subtracting(names).sorted())
  }

  private static func lines(
    _ looks: [Look], missing: [String], _ program: String
  ) -> [String] {
    var lines: [String] = []
    for look in looks {
      guard let reach = look.reach else {
        lines += [look.module.path, "   It cannot be looked at.", ""]
        continue
      }
      guard reach.usesFunctions || look.module.isNamed else { continue }
      lines.append(reach.path)
      lines += reach.functions.map {
        "   \($0.binding.rawValue) \($0.names.joined(separator: ", "))"
      }
      if let bytes = reach.olecharBytes { lines.append("   Its characters have \(bytes) bytes.") }
      lines += verdict(on: look, reach, program).map { "   \($0)" } + [""]
    }
    lines += missing.flatMap { ["The loader does not find \($0).", ""] }
    let users = looks.filter { $0.reach?.usesFunctions == true }
    let unseen = users.count { !$0.isTraced }
    let all = "\(looks.count) \(looks.count == 1 ? "module" : "modules")"
    let unknown =
      missing.isEmpty && !looks.contains { $0.reach == nil } ? "" : "; not all could be looked at"
    if users.isEmpty {
      return lines + [
        "bstrtrace: none of \(all) uses BSTRs, as far as their symbols show\(unknown)"
      ]
    }
    let use = "\(users.count) of \(all) \(users.count == 1 ? "uses" : "use") BSTRs"
    let traced =
      unseen == 0
      ? (unknown.isEmpty ? "all are traced" : "these are traced")
      : "\(unseen) \(unseen == 1 ? "is" : "are") not traced, or not wholly"
    return lines + ["bstrtrace: \(use); \(traced)\(unknown)"]
  }

  /// Returns whether a module's strings are seen, and what to do if not.
  private static func verdict(
    on look: Look, _ reach: ModuleReach, _ program: String
  ) -> [String] {
    if let unseen = reach.unseen { return [unseen.sentence] + (reach.advice.map { [$0] } ?? []) }
    if let function = look.takenFromProgram {
      return ["Its calls of \(function) reach that of \(program), which is not traced."]
    }
    if reach.isOfThisLibrary { return ["It has the functions of bstrtrace: calls are traced."] }
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
}
