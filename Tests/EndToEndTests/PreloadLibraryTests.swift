import Foundation
import Testing

/// The library that `bstrtrace run` preloads: where it is looked for, and what is said when the
/// loader cannot load it.
@Suite(.overAllProducts) struct PreloadLibraryTests {
  private static let library = "libbstrtrace-preload.so"

  /// Makes a folder with `bin/bstrtrace` in it, and a folder for the library.
  private func prefix(_ name: String, library folder: String) throws -> (
    prefix: URL, tool: String, library: URL
  ) {
    let prefix = try Built.folder("\(name)-\(UUID().uuidString.prefix(8))")
      .appending(path: name)
    let bin = prefix.appending(path: "bin")
    let library = prefix.appending(path: folder)
    for folder in [bin, library] {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }
    let tool = bin.appending(path: "bstrtrace")
    try FileManager.default.copyItem(at: URL(filePath: Built.tool), to: tool)
    return (prefix, tool.path, library.appending(path: Self.library))
  }

  /// Runs a program that is not to start, and expects what is said.
  private func expectRefusal(by tool: String, _ text: String) throws {
    let command = try Command.run([tool, "run", "--", "/bin/echo", "started"])
    #expect(command.status == 2)
    #expect(command.output.isEmpty)
    #expect(command.errors.contains(text), "\(command.errors)")
  }

  @Test(arguments: ["bin", "lib", "lib/bstrtrace"], ["plain", "with a space"])
  func isFound(in folder: String, of name: String) throws {
    let (_, tool, library) = try prefix(name, library: folder)
    try FileManager.default.copyItem(
      at: Built.products.appending(path: Self.library), to: library)
    let source = try Scenario.file(named: "early_return.c")
    var scenario = Scenario(file: source)
    scenario.mode = .preloaded
    let (program, _) = try scenario.build(in: "preload-\(UUID().uuidString.prefix(8))")
    let command = try Command.run([tool, "run", "--", program.path])
    #expect(command.status == 23, "\(command.errors)")
    #expect(command.errors.contains("LEAK"), "\(command.errors)")
  }

  @Test(arguments: ["a:colon", "a;semicolon"])
  func cannotBeInAFolderThatTheLoaderSplits(name: String) throws {
    let (_, tool, library) = try prefix(name, library: "lib")
    try FileManager.default.copyItem(
      at: Built.products.appending(path: Self.library), to: library)
    try expectRefusal(by: tool, "its path must have no colon and no semicolon")
  }

  /// As on a system without libunwind8.
  @Test func saysWhichLibraryIsMissing() throws {
    let (prefix, tool, library) = try prefix("missing", library: "lib")
    try "void gone(void) {}\n".write(
      to: prefix.appending(path: "gone.c"), atomically: false, encoding: .utf8)
    try Scenario.compile(
      ["gone.c", "-shared", "-fPIC", "-Wl,-soname,libgone.so.3", "-o", "libgone.so.3"], in: prefix)
    try Scenario.compile(
      ["gone.c", "-shared", "-fPIC", "-Wl,--no-as-needed", "libgone.so.3", "-o", library.path],
      in: prefix)
    try expectRefusal(by: tool, "libbstrtrace-preload.so': libgone.so.3 was not found")
  }

  /// As on a system that is older than the one that the library was built for.
  @Test func saysThatALibraryIsTooOld() throws {
    let (prefix, tool, library) = try prefix("old", library: "lib")
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
      ["use.c", "-shared", "-fPIC", "-nostdlib", "./libc.so.6", "-o", library.path], in: prefix)
    try expectRefusal(by: tool, "libc.so.6' is too old, because it lacks GLIBC_2.99")
  }

  /// Searching a text for another one does (`ranges(of:)`): installed, the library would have all of
  /// the engine in it.
  @Test func needsNoRegularExpressions() throws {
    let symbols = try Command.run(
      ["nm", "-D", "--undefined-only", Built.products.appending(path: Self.library).path],
      in: try Built.folder("regular-expressions"))
    #expect(symbols.output.contains("malloc"))
    let needed = symbols.output.split(separator: "\n")
      .filter { $0.contains("$s17_StringProcessing") || $0.contains("17_StringProcessingE") }
    #expect(needed.isEmpty)
  }
}
