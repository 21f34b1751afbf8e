import Foundation
import Testing

/// The functions of stripped modules are found by their debug files, and by compressed symbols.
extension InsideTests {
  private func tool(_ words: String..., in folder: URL) throws {
    let command = try Command.run(words, in: folder)
    try #require(command.status == 0, "\(words): \(command.errors)")
  }

  /// Strips a module, and puts its debug file into the folder.
  private func strip(_ name: String, in folder: URL) throws {
    try tool("objcopy", "--only-keep-debug", name, "debug", in: folder)
    try tool("strip", name, in: folder)
  }

  private func move(_ name: String, to path: String, in folder: URL) throws {
    let target = folder.appending(path: path)
    try FileManager.default.createDirectory(
      at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
    try FileManager.default.moveItem(at: folder.appending(path: name), to: target)
  }

  /// The program is traced by its debug file, and `check` names that.
  private func expectFound(_ flags: [String], _ way: String, in folder: URL) throws {
    expectLeak(try run(flags: ["--inside"] + flags, in: folder))
    // It is found, and replaced only with --inside.
    let traced = try run(flags: flags, in: folder)
    #expect(traced.report.processes.last?.totals.allocations == 0)
    let checked = try Command.run([Built.tool, "check"] + flags + ["./program"], in: folder)
    #expect(
      checked.output.hasPrefix(
        """
        ./program
           contains SysAllocStringLen, SysFreeString (\(way))
           program has its own SysAllocStringLen and calls it directly: strings that it allocates so are not seen.
           --inside replaces them, where it can.

        """), "\(checked.output)")
    #expect(checked.status == 23)
    let inside = try Command.run(
      [Built.tool, "check", "--inside"] + flags + ["./program"], in: folder)
    #expect(
      inside.output.contains(
        "Its functions are replaced when it is run, if they do what a BSTR's functions do."))
    #expect(inside.status == 0)
  }

  /// Below a folder that is named, by build-id.
  @Test func byADebugFileOfItsBuildID() throws {
    let folder = try folder()
    try build(Self.family + Self.use, "program.c", ["-fvisibility=hidden"], in: folder)
    try strip("program", in: folder)
    let notes = try Command.run(["readelf", "-n", "debug"], in: folder).output
    let buildID = try #require(notes.firstMatch(of: /Build ID: (..)([0-9a-f]+)/)?.output)
    let path = "symbols/.build-id/\(buildID.1)/\(buildID.2).debug"
    try move("debug", to: path, in: folder)
    try expectFound(["--debug-path", "symbols"], "debug file \(path)", in: folder)
  }

  /// Beside the file, by its name in it; with a build-id, and with a checksum alone.
  @Test(arguments: ["program.debug", ".debug/program.debug"], [[], ["-Wl,--build-id=none"]])
  func byADebugLink(path: String, flags: [String]) throws {
    let folder = try folder()
    try build(Self.family + Self.use, "program.c", ["-fvisibility=hidden"] + flags, in: folder)
    try strip("program", in: folder)
    try move("debug", to: "program.debug", in: folder)
    try tool("objcopy", "--add-gnu-debuglink=program.debug", "program", in: folder)
    if path != "program.debug" { try move("program.debug", to: path, in: folder) }
    try expectFound([], "debug file \(folder.path)/\(path)", in: folder)
  }

  /// The debug file of another build is not taken for it.
  @Test(arguments: [[], ["-Wl,--build-id=none"]])
  func notByTheDebugFileOfAnotherBuild(flags: [String]) throws {
    let folder = try folder()
    let hidden = ["-fvisibility=hidden"] + flags
    try build(
      "int first(void) { return 1; }\n" + Self.family + Self.use, "program.c", hidden, in: folder)
    try strip("program", in: folder)
    try move("debug", to: "program.debug", in: folder)
    try build(Self.family + Self.use, "program.c", hidden, in: folder)
    try tool("strip", "program", in: folder)
    // The link with the checksum of its own one.
    try move("program.debug", to: "other.debug", in: folder)
    try "another\n".write(
      to: folder.appending(path: "program.debug"), atomically: true, encoding: .utf8)
    try tool("objcopy", "--add-gnu-debuglink=program.debug", "program", in: folder)
    try FileManager.default.removeItem(at: folder.appending(path: "program.debug"))
    try move("other.debug", to: "program.debug", in: folder)
    let traced = try run(in: folder)
    #expect(traced.report.processes.last?.totals.allocations == 0)
    #expect(traced.report.processes.last?.coverage.isEmpty == true)
  }

  /// What speaks against it is said, though the process knows nothing of it.
  @Test func refusedByADebugFile() throws {
    let folder = try folder()
    let folded = "void release(BSTR text) __attribute__((alias(\"SysFreeString\")));\n"
    try build(Self.family + folded + Self.use, "program.c", ["-fvisibility=hidden"], in: folder)
    try strip("program", in: folder)
    try move("debug", to: "program.debug", in: folder)
    try tool("objcopy", "--add-gnu-debuglink=program.debug", "program", in: folder)
    try expectRefusal("another function is at the address of one", in: folder)
  }

  /// The symbols are compressed in the file itself, as Fedora has it.
  @Test func byCompressedSymbols() throws {
    let folder = try folder()
    try build(Self.family + Self.use, "program.c", ["-fvisibility=hidden"], in: folder)
    try strip("program", in: folder)
    try tool("strip", "--strip-debug", "debug", in: folder)
    try tool("xz", "--keep", "debug", in: folder)
    try tool("objcopy", "--add-section=.gnu_debugdata=debug.xz", "program", in: folder)
    try expectFound([], "compressed symbols, .gnu_debugdata", in: folder)

    // Without a program that decompresses.
    let checked = try Command.run(
      ["/usr/bin/env", "PATH=/nowhere", Built.tool, "check", "--inside", "./program"], in: folder)
    #expect(
      checked.output.contains(
        "1 module has compressed symbols (.gnu_debugdata), which neither xz nor 7z is here to read."
      ), "\(checked.output) \(checked.errors)")
    let command = try Command.run(
      ["/usr/bin/env", "PATH=/nowhere", Built.tool, "run", "--inside", "--", "./program"],
      in: folder)
    #expect(
      command.errors.hasPrefix(
        "bstrtrace: neither xz nor 7z is here to read the compressed symbols (.gnu_debugdata) of 1 module\n"
      ), "\(command.errors)")
    #expect(command.output == "i\n")
  }

  /// As Fedora makes it: without what the file's dynamic symbols have.
  @Test func byCompressedAndDynamicSymbols() throws {
    let folder = try folder()
    let visible = "__attribute__((visibility(\"default\")))"
    let source = (Self.family + Self.use.replacing("int main", with: "\(visible) int work"))
      .replacing("KEPT void SysFreeString", with: "\(visible) KEPT void SysFreeString")
    try build(
      source, "libwork.so.c", ["-shared", "-fPIC", "-fvisibility=hidden", "-Wl,-Bsymbolic"],
      in: folder)
    try strip("libwork.so", in: folder)
    try tool(
      "strip", "--strip-debug", "--strip-symbol=SysFreeString", "--strip-symbol=work", "debug",
      in: folder)
    try tool("xz", "--keep", "debug", in: folder)
    try tool("objcopy", "--add-section=.gnu_debugdata=debug.xz", "libwork.so", in: folder)
    try build(
      "extern int work(void);\nint main(void) { return work(); }\n", "program.c",
      ["-L.", "-Wl,-rpath,\(folder.path)", "-l:libwork.so"], in: folder)
    expectLeak(try run(in: folder))
  }

  /// A library that the loader loads with the program.
  @Test func aLibrarysDebugFile() throws {
    let folder = try folder()
    let visible = "__attribute__((visibility(\"default\")))"
    try build(
      Self.family + Self.use.replacing("int main", with: "\(visible) int work"), "libwork.so.c",
      ["-shared", "-fPIC", "-fvisibility=hidden"], in: folder)
    try strip("libwork.so", in: folder)
    try move("debug", to: ".debug/libwork.so.debug", in: folder)
    try tool(
      "objcopy", "--add-gnu-debuglink=.debug/libwork.so.debug", "libwork.so", in: folder)
    try build(
      "extern int work(void);\nint main(void) { return work(); }\n", "program.c",
      ["-L.", "-Wl,-rpath,\(folder.path)", "-l:libwork.so"], in: folder)
    expectLeak(try run(in: folder))
  }
}
