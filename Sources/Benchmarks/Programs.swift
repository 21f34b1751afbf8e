// The measured programs, compiled as each tool needs them.

import FoundationEssentials

/// Compiles the workloads when they are first asked for.
final class Programs {
  /// The C files.
  static let sources = "\(Machine.package)/Sources/Benchmarks/Workloads"

  private let folder: String
  private var made: [String: String] = [:]

  /// Compiles into this folder.
  init(folder: String) { self.folder = folder }

  /// Returns the path of a program (`workload`, `heap` or `empty`) for a tool.
  func path(of program: String, for linkage: Tool.Linkage, _ frames: Frames) throws -> String {
    let key = "\(program) \(linkage) \(frames)"
    if let path = made[key] { return path }
    let own = "\(folder)/\(made.count)"
    try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
    try compile(program, linkage, frames, into: own)
    made[key] = "\(own)/\(program)"
    return "\(own)/\(program)"
  }

  private func compile(
    _ program: String, _ linkage: Tool.Linkage, _ frames: Frames, into own: String
  ) throws {
    var (compiler, linker) = (["gcc"], ["gcc"])
    if case .sanitized(let path, let sanitizer) = linkage {
      linker = [path, "-fsanitize=\(sanitizer)"]
      if sanitizer == "address" { compiler = linker }
    }
    let flags = ["-O2", "-g", frames.flag, "-I", "\(Machine.package)/Sources/CBSTR/include"]
    let object = "\(own)/\(program).o"
    try run(compiler + flags + ["-c", "\(Self.sources)/\(program).c", "-o", object])
    var libraries: [String] = []
    if program == "workload" && linkage == .linked {
      libraries = [
        "-L", Machine.products, "-Wl,-rpath,\(Machine.products)", "-lbstrtrace-linked",
      ]
    } else if program == "workload" {
      // A library, as in programs with plug-ins: its functions can be interposed by a preload.
      let shared = ["-shared", "-fPIC", "\(Self.sources)/plain_bstr.c"]
      try run(compiler + flags + shared + ["-o", "\(own)/libplain.so"])
      libraries = ["-L", own, "-Wl,-rpath,\(own)", "-lplain"]
    } else if linkage == .linked {
      libraries = [
        "-L", Machine.products, "-Wl,-rpath,\(Machine.products)", "-Wl,--no-as-needed",
        "-lbstrtrace-linked",
      ]
    }
    try run(linker + [object, "-o", "\(own)/\(program)", "-pthread"] + libraries)
  }

  private func run(_ command: [String]) throws {
    guard let path = command[0].hasPrefix("/") ? command[0] : Machine.find(command[0]) else {
      throw Failure(description: "'\(command[0])' is not installed: apt-get install gcc")
    }
    let child = try Child([path] + command.dropFirst(), in: folder)
    guard child.status == 0 else {
      throw Failure(
        description: "'\(command.joined(separator: " "))' failed:\n\(child.errors)")
    }
  }
}
