import Foundation
import Testing

/// A program of one file, which states in its first lines what is to be found in it.
///
/// - `// flags: …` is given to the compiler.
/// - `// widths: 2 4` are the bytes of an OLECHAR that it is built with; byte counts below are for
///   2.
/// - `// options: …` is the value of `BSTRTRACE_OPTIONS`.
/// - `// links: other.c` builds another file of the folder into a library that is linked, or with
///   `// plugin: other.c` into one that is only opened.
/// - `// leak: COUNT BYTES FUNCTION FILE:LINE` is an expected leak, with `pinned=FUNCTION:LINE`
///   behind it one that is pinned there.
/// - `// fault: KIND DETAIL COUNT detected=PLACE freed=PLACE allocated=PLACE` is another expected
///   finding. A place is `FUNCTION:LINE`, where a line may be `*`; `-` is none and `*` any. The
///   detail `*` stands for findings of all details together.
/// - Behind either, `rule=RULE owner=PLACE producer=PLACE consumer=PLACE` is who is to blame, and
///   `rule=-` says that this cannot be told; `basis=BASIS` is what decided, `basis=-` nothing. What is
///   left out is not compared. Several rules, bases or places with `|` between them are all right.
/// - Behind a leak, `leaves=LINE,LINE` are the ways out in front of the free that siblings reach;
///   without it none may be proposed.
/// - `// held: FUNCTION TEXT` is what holds a string that the function allocated, as the report says
///   it, or `nobody`, or `-` where that was not looked for; `*` stands for any characters, and `|` is
///   between texts that are all right. All that holds strings of a function is stated, or nothing.
/// - `// never: TEXT` is not so, and may be in no sentence about a finding.
/// - `// unseen: LIBRARY REASON SYMBOL` is a module whose strings are not seen, as the report says,
///   and `// unseen: -` says that there is none. Not compared without such a line.
/// - `// pending: REASON` says why what is stated is not yet found.
/// - `// twin: -DFIXED` builds it a second time with that flag: nothing is found then.
/// - No such line means that there is no finding.
/// - `// status: N` is the expected exit status of the program under the tool.
/// - `// module: BSTR` says that it imports that module of ours, besides CBSTR.
/// - `// modes: linked preloaded` are the ways in which it is run; both without it.
/// - `// threads` says that it has several, `// sanitizers: no; REASON` that it cannot run under
///   one.
struct Scenario: CustomTestStringConvertible, Sendable {
  /// The source file.
  var file: URL
  /// How the BSTR functions get into the program.
  var mode: Mode = .linked
  /// Bytes of an OLECHAR, where the program leaves that open.
  var width: Int?
  var flags: [String] = []
  var options: [String] = []
  var links: [String] = []
  var plugins: [String] = []
  var modules: [String] = []
  var leaks: [Leak] = []
  var faults: [Fault] = []
  var status: Int32?
  var hasThreads = false
  var allowsSanitizers = true
  /// What holds the strings that functions allocate.
  var held: [String: [String]] = [:]
  /// What may be said of no finding.
  var untruths: [String] = []
  /// Modules whose strings are not seen, each with the reason and the symbol; `nil` where that is
  /// not stated.
  var unseen: [String]?
  /// Why what is stated is not yet found; `nil` when it is.
  var pending: Comment?
  /// The flag of the corrected program, in a scenario that has one.
  var twin: String?
  /// Whether this is the corrected program.
  var isTwin = false

  /// How the BSTR functions get into the program.
  enum Mode: String, CaseIterable {
    /// It is linked with our library and reports by itself.
    case linked
    /// It has functions of its own in a library, and is run under the tool.
    case preloaded
    /// It has functions of its own inside it, hidden, and is run under the tool with `--inside`.
    case hidden

    /// The modes of a scenario that states none.
    static let usual: [Mode] = [.linked, .preloaded]
  }

  /// A leak as the first lines state it.
  struct Leak: Equatable, Sendable {
    var count: Int
    var bytes: Int
    var function: String
    var place: String
    var pinned: Place?
    var blame: Blame
    /// The lines on which its function is left.
    var leaves: [Int] = []

    static func == (one: Leak, other: Leak) -> Bool {
      one.count == other.count && one.bytes == other.bytes && one.function == other.function
        && one.place == other.place && one.pinned == other.pinned
    }
  }

  /// Who is to blame, as far as the first lines state it.
  struct Blame: Sendable {
    var rule: String?
    var basis: String?
    var parties: [String: Place] = [:]

    /// Whether a finding says the same.
    func matches(_ finding: Traced.Report.Finding) -> Bool {
      for (stated, found) in [(rule, finding.rule), (basis, finding.basis)] {
        let words = stated?.split(separator: "|").map(String.init)
        if let words, !words.contains(found ?? "-") { return false }
      }
      let found = [
        "owner": finding.owner, "producer": finding.producer, "consumer": finding.consumer,
      ]
      return parties.allSatisfy { name, place in
        place.matches([found[name] ?? nil].compactMap { $0 })
      }
    }
  }

  /// Another finding as the first lines state it.
  struct Fault: Sendable {
    var kind: String
    var detail: String?
    var count: Int
    var detected: Place
    var freed: Place
    var allocated: Place
    var blame: Blame
  }

  /// The innermost frame of a stack.
  struct Place: Equatable, Sendable {
    /// `FUNCTION:LINE`, `-` or `*`, or several of them with `|` between them.
    var text: String

    /// Whether the stack starts here.
    func matches(_ stack: [Traced.Report.Frame]) -> Bool {
      text.split(separator: "|").contains { Self.matches($0, stack) }
    }

    private static func matches(_ text: Substring, _ stack: [Traced.Report.Frame]) -> Bool {
      guard text != "*" else { return true }
      guard let frame = stack.first else { return text == "-" }
      let function = frame.function.map { String($0.prefix { $0 != "(" }) } ?? "?"
      guard let colon = text.lastIndex(of: ":"), text[..<colon] == function else { return false }
      let line = text[text.index(after: colon)...]
      return line == "*" || Int(line) == frame.line
    }
  }

  var testDescription: String { name }

  var name: String {
    let widthText = width.map { "-\($0)" } ?? ""
    return "\(file.lastPathComponent)\(widthText)\(isTwin ? "-fixed" : "")-\(mode.rawValue)"
  }

  // MARK: reading

  /// Where the scenarios are, in folders by the class of mistake.
  static let root = Built.root.appending(path: "Tests/Scenarios")

  /// Folders of programs and libraries that other suites build, each in its own way.
  static let otherFolders: Set<String> = [
    "clients", "copies", "layouts", "lifecycle", "rejected", "support",
  ]

  /// The source files of all scenarios, by their names, which are unique over all folders.
  static let files: [URL] = {
    let paths = (try? FileManager.default.subpathsOfDirectory(atPath: root.path)) ?? []
    return paths.map { root.appending(path: $0) }.filter { file in
      ["c", "cpp", "swift"].contains(file.pathExtension)
        && !otherFolders.contains(file.deletingLastPathComponent().lastPathComponent)
    }
    .sorted { $0.lastPathComponent < $1.lastPathComponent }
  }()

  /// All scenarios, each in each of its modes and widths.
  static let all = files.flatMap { read($0) }

  /// The source file with a name.
  static func file(named name: String) throws -> URL {
    guard let file = files.first(where: { $0.lastPathComponent == name }) else {
      throw PreparationFailure(description: "no scenario has the name \(name)")
    }
    return file
  }

  private static func read(_ file: URL) -> [Scenario] {
    var scenario = Scenario(file: file)
    var modes = Mode.usual
    var widths: [Int?] = [nil]
    for line in (try? String(contentsOf: file, encoding: .utf8))?.split(separator: "\n") ?? [] {
      guard line.hasPrefix("// ") else { break }
      let words = line.dropFirst(3).split(separator: " ").map(String.init)
      switch words.first {
      case "flags:": scenario.flags = Array(words.dropFirst())
      case "options:": scenario.options = Array(words.dropFirst())
      case "links:": scenario.links = Array(words.dropFirst())
      case "plugin:": scenario.plugins = Array(words.dropFirst())
      case "module:": scenario.modules = Array(words.dropFirst())
      case "modes:": modes = words.dropFirst().compactMap { Mode(rawValue: $0) }
      case "widths:": widths = words.dropFirst().map { Int($0) }
      case "status:": scenario.status = words.last.flatMap { Int32($0) }
      case "threads": scenario.hasThreads = true
      case "sanitizers:": scenario.allowsSanitizers = words.dropFirst().first != "no;"
      case "held:":
        guard words.count > 2 else {
          Issue.record("\(line): a function, and what holds its string")
          continue
        }
        scenario.held[words[1], default: []].append(words.dropFirst(2).joined(separator: " "))
      case "never:": scenario.untruths.append(words.dropFirst().joined(separator: " "))
      case "unseen:":
        let stated = words.dropFirst().joined(separator: " ")
        scenario.unseen = (scenario.unseen ?? []) + (stated == "-" ? [] : [stated])
      case "pending:":
        scenario.pending = Comment(rawValue: words.dropFirst().joined(separator: " "))
      case "twin:": scenario.twin = words.last
      case "leak:": scenario.leaks.append(leak(words))
      case "fault:": scenario.faults.append(fault(words))
      default: break
      }
    }
    var programs = [scenario]
    if let flag = scenario.twin { programs.append(scenario.corrected(by: flag)) }
    return programs.flatMap { scenario in
      modes.flatMap { mode in
        widths.map { scenario.in(mode, $0) }
      }
    }
  }

  /// The program with its faults corrected.
  private func corrected(by flag: String) -> Scenario {
    var twin = self
    twin.isTwin = true
    twin.flags.append(flag)
    twin.leaks = []
    twin.faults = []
    twin.held = [:]
    twin.pending = nil
    twin.status = nil
    return twin
  }

  private func `in`(_ mode: Mode, _ width: Int?) -> Scenario {
    var one = self
    one.mode = mode
    one.width = width
    if let width {
      one.flags.append("-DBSTR_OLECHAR_BYTES=\(width)")
      for index in one.leaks.indices { one.leaks[index].bytes *= width / 2 }
    }
    return one
  }

  private static func leak(_ words: [String]) -> Leak {
    var words = words
    let pinned = place("pinned", in: words)
    let blame = blame(words)
    let leaves = place("leaves", in: words)?.text.split(separator: ",").compactMap { Int($0) } ?? []
    words.removeAll { $0.contains("=") }
    return Leak(
      count: Int(words[1]) ?? 0, bytes: Int(words[2]) ?? 0,
      function: words[3..<words.count - 1].joined(separator: " "), place: words[words.count - 1],
      pinned: pinned, blame: blame, leaves: leaves)
  }

  private static func fault(_ words: [String]) -> Fault {
    Fault(
      kind: words[1], detail: words[2] == "-" ? nil : words[2], count: Int(words[3]) ?? 0,
      detected: place("detected", in: words) ?? Place(text: "?"),
      freed: place("freed", in: words) ?? Place(text: "?"),
      allocated: place("allocated", in: words) ?? Place(text: "?"), blame: blame(words))
  }

  private static func blame(_ words: [String]) -> Blame {
    var blame = Blame(
      rule: place("rule", in: words)?.text, basis: place("basis", in: words)?.text)
    for name in ["owner", "producer", "consumer"] {
      blame.parties[name] = place(name, in: words)
    }
    return blame
  }

  private static func place(_ key: String, in words: [String]) -> Place? {
    words.first { $0.hasPrefix("\(key)=") }.map { Place(text: String($0.dropFirst(key.count + 1))) }
  }

  // MARK: building

  /// The compilers for C and C++, with flags of their own.
  typealias Compilers = (c: [String], cpp: [String])

  static let gcc: Compilers = (["gcc"], ["g++"])
  static let clang: Compilers = (["clang", "-fuse-ld=lld"], ["clang++", "-fuse-ld=lld"])

  /// Builds the program.
  ///
  /// - Parameters:
  ///   - name: the name of its folder.
  ///   - compilers: the compilers for C and C++, with flags of their own.
  ///   - products: where the library is that it is linked with.
  func build(
    in name: String? = nil, compilers: Compilers = gcc,
    products: URL = Built.products
  ) throws -> (program: URL, folder: URL) {
    let folder = try Built.folder(name ?? self.name)
    let sources = Built.root.appending(path: "Tests/Scenarios/support")
    let common = ["-g", "-I\(Built.headers)", "-I\(sources.path)"] + flags
    var libraries: [String] = []
    func compile(_ words: [String]) throws {
      try Self.compile(words, in: folder, compilers: compilers)
    }
    switch mode {
    case .linked:
      libraries = [
        "-L\(products.path)", "-Xlinker", "-rpath", "-Xlinker", products.path, "-lbstrtrace-linked",
      ]
    case .preloaded:
      try compile(
        [sources.appending(path: "plain_bstr.c").path, "-shared", "-fPIC", "-o", "libplain.so"]
          + common)
      libraries = ["-L.", "-Xlinker", "-rpath", "-Xlinker", folder.path, "-lplain"]
    case .hidden:
      try compile(
        [sources.appending(path: "plain_bstr.c").path, "-c", "-fPIC", "-fvisibility=hidden"]
          + ["-o", "plain.o"] + common)
      libraries = ["plain.o"]
    }
    for name in links + plugins {
      let source = sources.appending(path: name)
      let library = "lib\(source.deletingPathExtension().lastPathComponent).so"
      try compile([source.path, "-shared", "-fPIC", "-o", library] + common + libraries)
    }
    for name in links {
      libraries.insert("-l\(name.split(separator: ".")[0])", at: 0)
      libraries += ["-L.", "-Xlinker", "-rpath", "-Xlinker", folder.path]
    }
    for module in modules { libraries += try Self.moduleFlags(module) }
    try compile([file.path, "-o", "program"] + common + libraries + ["-ldl", "-lpthread"])
    return (folder.appending(path: "program"), folder)
  }

  /// What the compiler needs to import a module that the package has built.
  static func moduleFlags(_ module: String) throws -> [String] {
    let objects = Built.products.appending(path: "\(module).build")
    let names = try FileManager.default.contentsOfDirectory(atPath: objects.path)
    return ["-I\(Built.products.appending(path: "Modules").path)"]
      + names.sorted().filter { $0.hasSuffix(".o") }.map { objects.appending(path: $0).path }
  }

  /// Where the JSON report goes.
  var reportFile: URL { Built.products.appending(path: "end-to-end/\(name)/report.json") }

  /// Compiles a source file, which is the first of the words.
  static func compile(_ words: [String], in folder: URL, compilers: Compilers = gcc) throws {
    let compiler =
      words[0].hasSuffix(".swift")
      ? ["swiftc"] : words[0].hasSuffix(".cpp") ? compilers.cpp : compilers.c
    let command = try Command.run(compiler + words, in: folder)
    if command.status != 0 { throw PreparationFailure(description: command.errors) }
  }

  // MARK: running

  /// Builds the program, runs it, and reads the report of it.
  ///
  /// - Parameters:
  ///   - name: the name of its folder.
  ///   - compilers: the compilers for C and C++, with flags of their own.
  func run(
    in name: String? = nil, compilers: Compilers = gcc
  ) throws -> (command: Command, report: Traced.Report) {
    let (program, folder) = try build(in: name, compilers: compilers)
    let reportFile = name == nil ? reportFile : folder.appending(path: "report.json")
    switch mode {
    case .preloaded, .hidden:
      let traced = try Traced.run(
        [program.path], flags: mode == .hidden ? ["--inside"] : [],
        environment: ["BSTRTRACE_OPTIONS": options.joined(separator: ":")],
        in: folder, reportFile: reportFile)
      return (traced.command, traced.report)
    case .linked: return try runLinked(program, in: folder, reportFile)
    }
  }

  /// Runs a program that reports by itself.
  func runLinked(
    _ program: URL, in folder: URL, _ file: URL, environment: [String: String] = [:]
  ) throws -> (command: Command, report: Traced.Report) {
    var environment = environment
    environment["BSTRTRACE_OPTIONS"] =
      (options + ["format=json", "output=\(file.path)"]).joined(separator: ":")
    let command = try Command.run([program.path], environment: environment, in: folder)
    guard let data = try? Data(contentsOf: file) else {
      throw PreparationFailure(
        description: "no report: status \(command.status), \(command.errors)")
    }
    return (command, try Traced.Report(data))
  }
}
