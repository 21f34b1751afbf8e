import Foundation
import Testing

/// The library that `bstrtrace run` preloads, and the tracker that it loads: where they are looked
/// for, which processes are spared the tracker, and what is said when the loader cannot load them.
@Suite(.overAllProducts) struct PreloadLibraryTests {
  private static let names = ["libbstrtrace-preload.so", "libbstrtrace-tracker.so"]

  /// Makes a folder with `bin/bstrtrace` in it, and a folder with the libraries, but for one.
  private func prefix(_ name: String, libraries folder: String, without missing: String = "") throws
    -> (prefix: URL, tool: String, libraries: URL)
  {
    let prefix = try Built.folder("\(name)-\(UUID().uuidString.prefix(8))")
      .appending(path: name)
    let bin = prefix.appending(path: "bin")
    let libraries = prefix.appending(path: folder)
    for folder in [bin, libraries] {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }
    for name in Self.names where name != missing {
      try FileManager.default.copyItem(
        at: Built.products.appending(path: name), to: libraries.appending(path: name))
    }
    let tool = bin.appending(path: "bstrtrace")
    try FileManager.default.copyItem(at: URL(filePath: Built.tool), to: tool)
    return (prefix, tool.path, libraries)
  }

  /// Builds a program that uses BSTRs.
  private func user() throws -> String {
    var scenario = Scenario(file: try Scenario.file(named: "early_return.c"))
    scenario.mode = .preloaded
    return try scenario.build(in: "preload-\(UUID().uuidString.prefix(8))").program.path
  }

  /// Runs a program that is not to start, and expects what is said.
  private func expectRefusal(by tool: String, of program: String, _ text: String) throws {
    let command = try Command.run([tool, "run", "--", program, "started"])
    #expect(command.status == 2, "\(command)")
    #expect(command.output.isEmpty)
    #expect(command.errors.contains(text), "\(command.errors)")
  }

  @Test(arguments: ["bin", "lib", "lib/bstrtrace"], ["plain", "with a space"])
  func isFound(in folder: String, of name: String) throws {
    let (_, tool, _) = try prefix(name, libraries: folder)
    let command = try Command.run([tool, "run", "--", try user()])
    #expect(command.status == 23, "\(command.errors)")
    #expect(command.errors.contains("LEAK"), "\(command.errors)")
  }

  @Test(arguments: names) func isMissed(name: String) throws {
    let (_, tool, _) = try prefix("incomplete", libraries: "lib", without: name)
    try expectRefusal(by: tool, of: "/bin/echo", "or install all of the archive")
  }

  @Test(arguments: ["a:colon", "a;semicolon"])
  func cannotBeInAFolderThatTheLoaderSplits(name: String) throws {
    let (_, tool, _) = try prefix(name, libraries: "lib")
    try expectRefusal(
      by: tool, of: "/bin/echo", "its path must have no colon and no semicolon")
  }

  /// As on a system without libunwind8.
  @Test(arguments: names) func saysWhichLibraryIsMissing(name: String) throws {
    let (prefix, tool, libraries) = try prefix("missing", libraries: "lib", without: name)
    try "void gone(void) {}\n".write(
      to: prefix.appending(path: "gone.c"), atomically: false, encoding: .utf8)
    try Scenario.compile(
      ["gone.c", "-shared", "-fPIC", "-Wl,-soname,libgone.so.3", "-o", "libgone.so.3"], in: prefix)
    try Scenario.compile(
      [
        "gone.c", "-shared", "-fPIC", "-Wl,--no-as-needed", "libgone.so.3", "-o",
        libraries.appending(path: name).path,
      ], in: prefix)
    try expectRefusal(by: tool, of: try user(), "\(name)': libgone.so.3 was not found")
  }

  /// As on a system that is older than the one that the library was built for.
  @Test(arguments: names) func saysThatALibraryIsTooOld(name: String) throws {
    let (prefix, tool, libraries) = try prefix("old", libraries: "lib", without: name)
    try "void later(void) {}\n".write(
      to: prefix.appending(path: "libc.c"), atomically: false, encoding: .utf8)
    try "void later(void);\nvoid use(void) { later(); }\n".write(
      to: prefix.appending(path: "use.c"), atomically: false, encoding: .utf8)
    try "GLIBC_2.99 { global: later; };\n".write(
      to: prefix.appending(path: "versions"), atomically: false, encoding: .utf8)
    try Scenario.compile(
      [
        "libc.c", "-shared", "-fPIC", "-nostdlib", "-Wl,-soname,libc.so.6",
        "-Wl,--version-script=versions", "-o", "libc.so.6",
      ], in: prefix)
    try Scenario.compile(
      [
        "use.c", "-shared", "-fPIC", "-nostdlib", "./libc.so.6", "-o",
        libraries.appending(path: name).path,
      ], in: prefix)
    try expectRefusal(
      by: tool, of: try user(), "libc.so.6' is too old, because it lacks GLIBC_2.99")
  }

  /// Only the processes that may use BSTRs have the tracker in them, and nothing of Swift's.
  @Test(arguments: [
    (["/bin/cat", "/proc/self/maps"], false),
    // Opens modules.
    (["/usr/bin/python3", "-c", "import ctypes; print(open('/proc/self/maps').read())"], true),
  ]) func loadsTheTrackerWhereItIsNeeded(words: [String], isNeeded: Bool) throws {
    let maps = try Command.run([Built.tool, "run", "--"] + words).output
    #expect(maps.contains(Self.names[0]))
    #expect(maps.contains(Self.names[1]) == isNeeded)
    #expect(maps.contains("libunwind") == isNeeded)
  }

  /// The preloaded library and the tracker export the same functions; what opens modules is the
  /// former's alone.
  @Test func exportsWhatTheTrackerAnswers() throws {
    let folder = try Built.folder("exports")
    let exported = try Self.names.map { name in
      let symbols = try Command.run(
        ["nm", "-D", "--defined-only", "--extern-only", Built.products.appending(path: name).path],
        in: folder)
      return Set(symbols.output.split(separator: "\n").compactMap { $0.split(separator: " ").last })
    }
    #expect(exported[0].subtracting(exported[1]) == ["dlopen", "dlmopen", "bstrtrace_front_1"])
    #expect(exported[1].subtracting(exported[0]).isEmpty)
    #expect(exported[1].contains("SysAllocString"))
  }

  /// Searching a text for another one does (`ranges(of:)`): installed, the library would have all of
  /// the engine in it.
  @Test func needsNoRegularExpressions() throws {
    let symbols = try Command.run(
      ["nm", "-D", "--undefined-only", Built.products.appending(path: Self.names[1]).path],
      in: try Built.folder("regular-expressions"))
    #expect(symbols.output.contains("malloc"))
    let needed = symbols.output.split(separator: "\n")
      .filter { $0.contains("$s17_StringProcessing") || $0.contains("17_StringProcessingE") }
    #expect(needed.isEmpty)
  }
}
