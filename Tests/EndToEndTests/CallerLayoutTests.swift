import Foundation
import Testing

/// Whose layout a call means, where the code that it returns to does not tell, or is other code
/// than a moment ago.
@Suite(.overAllProducts, .namingProducts) struct CallerLayoutTests {
  private static let sources = Built.root.appending(path: "Tests/Scenarios/layouts")
  private static var linked: [String] {
    ["-L\(Built.products.path)", "-Wl,-rpath,\(Built.products.path)", "-lbstrtrace-linked"]
  }

  private func compile(_ source: String, _ output: String, _ flags: [String], in folder: URL) throws
  {
    try Scenario.compile(
      [Self.sources.appending(path: source).path, "-g", "-O2", "-o", output] + flags + ["-ldl"],
      in: folder)
  }

  private func library(
    _ name: String, width: Int, offset: Int, _ flags: [String] = [], in folder: URL
  ) throws {
    try compile(
      "wrapped_functions.c", name,
      ["-shared", "-fPIC", "-DWIDTH=\(width)", "-DOFFSET=\(offset)"] + flags, in: folder)
  }

  private func expectNothing(_ words: [String], in folder: URL) throws {
    for options in ["", "level=leaks"] {
      let traced = try Traced.run(
        words, environment: ["BSTRTRACE_OPTIONS": options], in: folder)
      #expect(traced.command.status == 0, "\(words) \(options): \(traced.command.errors)")
      #expect(traced.report.findings.isEmpty, "\(words) \(options): \(traced.command.errors)")
      // A program that was not traced would end as well.
      #expect(traced.report.processes.contains { $0.totals.allocations > 0 }, "\(words)")
    }
  }

  @Test(arguments: ["open", "keep"]) func wrappersThatJumpCountAsTheirOwnLibrarys(how: String)
    throws
  {
    let folder = try Built.folder("jumps-\(UUID().uuidString.prefix(8))")
    try compile("host_of_wrappers.c", "host", [], in: folder)
    try library("a.so", width: 4, offset: 4, in: folder)
    try library("b.so", width: 2, offset: 8, in: folder)
    try library("c.so", width: 4, offset: 8, in: folder)
    try expectNothing(["./host", how, "./a.so"], in: folder)
    // Closed, one's addresses are the next one's.
    try expectNothing(["./host", how, "./a.so", "./b.so", "./c.so"], in: folder)
  }

  @Test func whatTheProgramWasStartedWithComesBeforeALibrarysOwnNeeds() throws {
    let folder = try Built.folder("scope-\(UUID().uuidString.prefix(8))")
    try library("libfirst.so", width: 2, offset: 8, in: folder)
    try library("libneeded.so", width: 4, offset: 4, in: folder)
    try Scenario.compile(
      [
        Self.sources.appending(path: "two_scopes.c").path, "-g", "-O1", "-shared", "-fPIC", "-o",
        "plugin.so", "-DPLUGIN", "-L.", "-Wl,-rpath,\(folder.path)", "-Wl,--no-as-needed",
        "-lneeded",
      ], in: folder)
    try Scenario.compile(
      [
        Self.sources.appending(path: "two_scopes.c").path, "-g", "-O1", "-o", "host", "-L.",
        "-Wl,-rpath,\(folder.path)", "-lfirst", "-ldl",
      ], in: folder)
    try expectNothing(["./host", "./plugin.so"], in: folder)
  }

  @Test func aProgramThatExportsNothingIsKnownByWhatItImports() throws {
    let folder = try Built.folder("no-pie-\(UUID().uuidString.prefix(8))")
    try library("liblib.so", width: 4, offset: 4, in: folder)
    try library("other.so", width: 2, offset: 8, in: folder)
    for flags in [["-no-pie"], ["-no-pie", "-fno-plt"], ["-pie", "-fno-plt"]] {
      try compile(
        "position_dependent.c", "program",
        flags + ["-L.", "-Wl,-rpath,\(folder.path)", "-llib"], in: folder)
      try expectNothing(["./program"], in: folder)
      try expectNothing(["./program", "./other.so"], in: folder)
    }
  }

  @Test func aSignalHandlerGetsItsLayoutAndNeverWaits() throws {
    let folder = try Built.folder("handler-\(UUID().uuidString.prefix(8))")
    try library("liblib.so", width: 4, offset: 4, in: folder)
    try library("other.so", width: 2, offset: 8, in: folder)
    try compile(
      "handler.c", "program", ["-L.", "-Wl,-rpath,\(folder.path)", "-llib"], in: folder)
    for words in [["./program"], ["./program", "./other.so"]] {
      let command = try Command.run(["timeout", "60", Built.tool, "run", "--"] + words, in: folder)
      #expect(command.status == 0, "\(words): \(command.errors)")
      #expect(command.errors.contains("no findings in "), "\(words): \(command.errors)")
    }
  }

  @Test func whatDoesNothingTriesNothingOut() throws {
    let folder = try Built.folder("start-\(UUID().uuidString.prefix(8))")
    try library("liblib.so", width: 4, offset: 4, ["-DNEEDS_START"], in: folder)
    try compile("waits_when_opened.c", "waits.so", ["-shared", "-fPIC", "-pthread"], in: folder)
    try compile(
      "before_start.c", "program",
      ["-rdynamic", "-pthread", "-L.", "-Wl,-rpath,\(folder.path)", "-llib"], in: folder)
    let command = try Command.run(
      ["timeout", "60", Built.tool, "run", "--", "./program", "./waits.so"], in: folder)
    #expect(command.status == 0, "\(command.errors)")
  }

  @Test func aReleaseTeachesNobodyWhoHasSaidOtherwise() throws {
    let folder = try Built.folder("declared-\(UUID().uuidString.prefix(8))")
    try compile("unsaid.c", "libunsaid.so", ["-shared", "-fPIC"] + Self.linked, in: folder)
    try compile(
      "two_declare.c", "program",
      [
        "-I\(Built.headers)", "-DBSTR_OLECHAR_BYTES=4", "-L.", "-Wl,-rpath,\(folder.path)",
        "-lunsaid",
      ] + Self.linked, in: folder)
    try expectNothing(["./program"], in: folder)
  }

  @Test func oneFaultIsToldOnceWhereTwoCopiesLookAtIt() throws {
    let folder = try Built.folder("twice-\(UUID().uuidString.prefix(8))")
    try compile("foreign_text.c", "program", Self.linked, in: folder)
    let traced = try Traced.run(["./program"], in: folder)
    #expect(traced.report.findings.map(\.kind) == ["wrong-deallocator"])
    #expect(traced.report.findings.first?.count == 1)
  }

  @Test(arguments: ["track=on", "track=off"]) func pluginsThatBringTheLibraryKeepTheirLayouts(
    options: String
  ) throws {
    let folder = try Built.folder("brought-\(UUID().uuidString.prefix(8))")
    for (name, flags) in [
      ("a.so", ["-DBSTR_OLECHAR_BYTES=2"]), ("b.so", ["-DBSTR_OLECHAR_BYTES=4"]),
      ("c.so", ["-DSAYS_NOTHING"]),
    ] {
      try compile(
        "brings_library.c", name, ["-shared", "-fPIC", "-I\(Built.headers)"] + flags + Self.linked,
        in: folder)
    }
    try compile("host_of_bringers.c", "host", [], in: folder)
    let command = try Command.run(
      [
        "./host", Built.products.appending(path: "libbstrtrace-linked.so").path, "./a.so", "./b.so",
        "./c.so",
      ],
      environment: ["BSTRTRACE_OPTIONS": options], in: folder)
    #expect(command.status == 0, "\(command.errors)")
    let isTracked = options == "track=on"
    #expect(
      command.errors.contains("no findings in 3 allocations") == isTracked, "\(command.errors)")
  }
}
