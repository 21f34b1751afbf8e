import Foundation
import Testing

/// A program of one file, which states in its first lines what is to be found in it.
///
/// - `// flags: …` is given to the compiler.
/// - `// links: other.c` builds another file of the folder into a library that is linked, or with
///   `// plugin: other.c` into one that is only opened.
/// - `// leak: COUNT BYTES FUNCTION FILE:LINE` is one expected finding; none means that there is none.
/// - `// status: N` is the expected exit status of the program under the tool.
/// - `// modes: linked preloaded` are the ways in which it is run; both without it.
struct Scenario: CustomTestStringConvertible, Sendable {
  /// The source file.
  var file: URL
  /// How the BSTR functions get into the program.
  var mode: Mode
  var flags: [String] = []
  var links: [String] = []
  var plugins: [String] = []
  var leaks: [Leak] = []
  var status: Int32?

  /// How the BSTR functions get into the program.
  enum Mode: String, CaseIterable {
    /// It is linked with our library and reports by itself.
    case linked
    /// It has functions of its own in a library, and is run under the tool.
    case preloaded
  }

  /// A finding as the first lines state it.
  struct Leak: Equatable, Sendable {
    var count: Int
    var bytes: Int
    var function: String
    var place: String
  }

  var testDescription: String { "\(file.lastPathComponent) \(mode.rawValue)" }

  /// All scenarios of the folder, each in each of its modes.
  static let all: [Scenario] = {
    let folder = Built.root.appending(path: "Tests/Scenarios")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.sorted().filter {
      $0.hasSuffix(".c") || $0.hasSuffix(".cpp") || $0.hasSuffix(".swift")
    }
    .flatMap { read(folder.appending(path: $0)) }
  }()

  private static func read(_ file: URL) -> [Scenario] {
    var scenario = Scenario(file: file, mode: .linked)
    var modes = Mode.allCases
    for line in (try? String(contentsOf: file, encoding: .utf8))?.split(separator: "\n") ?? [] {
      guard line.hasPrefix("// ") else { break }
      let words = line.dropFirst(3).split(separator: " ").map(String.init)
      switch words.first {
      case "flags:": scenario.flags = Array(words.dropFirst())
      case "links:": scenario.links = Array(words.dropFirst())
      case "plugin:": scenario.plugins = Array(words.dropFirst())
      case "modes:": modes = words.dropFirst().compactMap { Mode(rawValue: $0) }
      case "status:": scenario.status = words.last.flatMap { Int32($0) }
      case "leak:":
        scenario.leaks.append(
          Leak(
            count: Int(words[1]) ?? 0, bytes: Int(words[2]) ?? 0,
            function: words[3..<words.count - 1].joined(separator: " "),
            place: words[words.count - 1]))
      default: break
      }
    }
    return modes.map { mode in
      var one = scenario
      one.mode = mode
      return one
    }
  }

  /// Builds the program.
  func build() throws -> (program: URL, folder: URL) {
    let folder = try Built.folder("\(file.lastPathComponent)-\(mode.rawValue)")
    let common = ["-g", "-I\(Built.headers)"] + flags
    let sources = file.deletingLastPathComponent().appending(path: "support")
    var libraries: [String] = []
    switch mode {
    case .linked:
      libraries = [
        "-L\(Built.products.path)", "-Xlinker", "-rpath", "-Xlinker", Built.products.path,
        "-lbstrtrace-linked",
      ]
    case .preloaded:
      try Self.compile(
        [sources.appending(path: "plain_bstr.c").path, "-shared", "-fPIC", "-o", "libplain.so"]
          + common,
        in: folder)
      libraries = ["-L.", "-Xlinker", "-rpath", "-Xlinker", folder.path, "-lplain"]
    }
    for name in links + plugins {
      let source = sources.appending(path: name)
      let library = "lib\(source.deletingPathExtension().lastPathComponent).so"
      try Self.compile(
        [source.path, "-shared", "-fPIC", "-o", library] + common + libraries, in: folder)
    }
    for name in links {
      libraries.insert("-l\(name.split(separator: ".")[0])", at: 0)
      libraries += ["-L.", "-Xlinker", "-rpath", "-Xlinker", folder.path]
    }
    try Self.compile(
      [file.path, "-o", "program"] + common + libraries + ["-ldl", "-lpthread"], in: folder)
    return (folder.appending(path: "program"), folder)
  }

  /// Where the JSON report goes.
  var reportFile: URL {
    Built.products.appending(
      path: "end-to-end/\(file.lastPathComponent)-\(mode.rawValue)/report.json")
  }

  static func compile(_ words: [String], in folder: URL) throws {
    let compiler =
      words[0].hasSuffix(".swift") ? "swiftc" : words[0].hasSuffix(".cpp") ? "g++" : "gcc"
    let command = try Command.run([compiler] + words, in: folder)
    if command.status != 0 { throw PreparationFailure(description: command.errors) }
  }

  /// Runs the built program, and reads the report of it.
  func run() throws -> (command: Command, report: Traced.Report) {
    let (program, folder) = try build()
    switch mode {
    case .preloaded:
      let traced = try Traced.run([program.path], in: folder, reportFile: reportFile)
      return (traced.command, traced.report)
    case .linked:
      let file = reportFile
      let command = try Command.run(
        [program.path], environment: ["BSTRTRACE_OPTIONS": "format=json:output=\(file.path)"],
        in: folder)
      guard let data = try? Data(contentsOf: file) else {
        throw PreparationFailure(
          description: "no report: status \(command.status), \(command.errors)")
      }
      return (command, try JSONDecoder().decode(Traced.Report.self, from: data))
    }
  }
}
