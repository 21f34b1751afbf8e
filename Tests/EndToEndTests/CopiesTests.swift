import Foundation
import Testing

/// Copies of the library that are closed, or that meet in one process.
@Suite(.overAllProducts, .namingProducts) struct CopiesTests {
  private static let sources = Built.root.appending(path: "Tests/Scenarios/copies")
  private static var linked: [String] {
    [
      "-L\(Built.products.path)", "-Wl,-rpath,\(Built.products.path)", "-lbstrtrace-linked",
    ]
  }

  private func compile(_ name: String, _ output: String, _ flags: [String], in folder: URL) throws {
    try Scenario.compile(
      [
        Self.sources.appending(path: name).path, "-g", "-O1", "-I\(Built.headers)", "-o", output,
      ] + flags + ["-ldl"], in: folder)
  }

  @Test(arguments: ["track=off", "track=on"]) func closingALinkedLibraryHarmsNobody(
    options: String
  ) throws {
    let folder = try Built.folder("closing-\(UUID().uuidString.prefix(8))")
    try compile("host.c", "host", [], in: folder)
    try compile("plugin.c", "plugin.so", ["-shared", "-fPIC"] + Self.linked, in: folder)
    let library = Built.products.appending(path: "libbstrtrace-linked.so").path
    let preload = Built.products.appending(path: "libbstrtrace-preload.so").path
    for words in [
      ["./host", "./plugin.so"], ["./host", library], ["./host", preload],
      ["./host", preload, "./plugin.so", library],
    ] {
      let command = try Command.run(
        words, environment: ["BSTRTRACE_OPTIONS": options], in: folder)
      // Opened and not preloaded, the library in front is in front of nothing.
      let leaks = words.contains("./plugin.so") && options == "track=on"
      #expect(command.status == (leaks ? 23 : 0), "\(words) \(command.errors)")
    }
    let traced = try Traced.run(["./host", "./plugin.so", "./plugin.so"], in: folder)
    #expect(traced.report.findings.map(\.kind) == ["leak"])
    #expect(traced.report.findings.first?.count == 2)
  }

  /// A library that only another library needs comes behind libc in the loader's order.
  @Test(arguments: ["track=off", "track=on"]) func aLibraryBehindLibcWorks(options: String) throws {
    let folder = try Built.folder("behind-\(UUID().uuidString.prefix(8))")
    // Without the header, which declares the layout.
    try """
    unsigned short *SysAllocString(const unsigned short *);
    void SysFreeString(unsigned short *);
    int use(void) {
      SysAllocString((const unsigned short[]){'a', 0});
      SysFreeString(SysAllocString((const unsigned short[]){'b', 0}));
      return 0;
    }
    """.write(to: folder.appending(path: "use.c"), atomically: false, encoding: .utf8)
    try "int use(void);\nint main(void) { return use(); }\n".write(
      to: folder.appending(path: "main.c"), atomically: false, encoding: .utf8)
    let library = ["-L\(Built.products.path)", "-Wl,-rpath,\(Built.products.path)"]
    try Scenario.compile(
      ["use.c", "-shared", "-fPIC", "-o", "libuse.so", "-lbstrtrace-linked"] + library, in: folder)
    try Scenario.compile(
      ["main.c", "-o", "program", "-L.", "-Wl,-rpath,\(folder.path)", "-luse"] + library, in: folder
    )
    let command = try Command.run(
      [folder.appending(path: "program").path], environment: ["BSTRTRACE_OPTIONS": options],
      in: folder)
    #expect(command.status == (options == "track=on" ? 23 : 0), "\(command)")
  }

  @Test func oneOfSeveralCopiesRecords() throws {
    let folder = try Built.folder("copies-\(UUID().uuidString.prefix(8))")
    try compile("crosswise.c", "program", Self.linked, in: folder)
    let library = Built.products.appending(path: "libbstrtrace-linked.so").path
    let preload = Built.products.appending(path: "libbstrtrace-preload.so").path
    try FileManager.default.copyItem(
      atPath: library, toPath: folder.appending(path: "copy.so").path)
    for other in [library, preload, "./copy.so"] {
      let traced = try Traced.run(["./program", other], in: folder)
      #expect(traced.report.processes.count == 1, "\(other)")
      try expectOneLeak(traced.report, traced.command)
      let file = folder.appending(path: "linked.json")
      let command = try Command.run(
        ["./program", other],
        environment: ["BSTRTRACE_OPTIONS": "track=on:format=json:output=\(file.path)"],
        in: folder)
      try expectOneLeak(
        JSONDecoder().decode(Traced.Report.self, from: Data(contentsOf: file)), command)
    }
  }

  private func expectOneLeak(_ report: Traced.Report, _ command: Command) throws {
    #expect(command.status == 23, "\(command.errors)")
    #expect(report.findings.map(\.kind) == ["leak"], "\(command.errors)")
    #expect(report.findings.first?.values == ["forgotten"])
    #expect(report.findings.first?.stacks.allocated.first?.function == "main")
    #expect(report.processes.first?.totals.allocations == 5)
  }

  @Test func aLibraryThatIsOpenedLateAccusesNobody() throws {
    let folder = try Built.folder("late-\(UUID().uuidString.prefix(8))")
    try compile("late_host.c", "host", [], in: folder)
    try compile("late_plugin.c", "plugin.so", ["-shared", "-fPIC"] + Self.linked, in: folder)
    let file = folder.appending(path: "linked.json")
    _ = try Command.run(
      ["./host", "./plugin.so"],
      environment: ["BSTRTRACE_OPTIONS": "track=on:format=json:output=\(file.path)"], in: folder)
    let report = try JSONDecoder().decode(Traced.Report.self, from: Data(contentsOf: file))
    #expect(report.findings.map(\.kind) == ["leak"])
    let finding = try #require(report.findings.first)
    #expect(finding.rule == nil && finding.owner == nil && finding.values.isEmpty)
    #expect(finding.doubt?.contains("Calls of free are not seen") == true)
    #expect(report.processes.first?.notes.contains { $0.contains("bstrtrace run") } == true)
    let traced = try Traced.run(["./host", "./plugin.so"], in: folder)
    #expect(traced.report.findings.isEmpty, "\(traced.command.errors)")
  }

  @Test func aCopyOfAnotherVersionIsLeftAlone() throws {
    let folder = try Built.folder("version-\(UUID().uuidString.prefix(8))")
    try compile("other_version.c", "libother.so", ["-shared", "-fPIC"], in: folder)
    try compile(
      "crosswise.c", "program",
      ["-L.", "-Wl,-rpath,\(folder.path)", "-Wl,--no-as-needed", "-lother"] + Self.linked,
      in: folder)
    let library = Built.products.appending(path: "libbstrtrace-linked.so").path
    let command = try Command.run(
      ["./program", library], environment: ["BSTRTRACE_OPTIONS": "track=on"], in: folder)
    #expect(command.status == 0, "\(command.errors)")
    #expect(command.errors.contains("two versions of this library are in one process"))
    #expect(command.errors.contains("libother.so"))
  }
}
