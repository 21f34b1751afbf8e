import Foundation
import Testing

/// What programs and people may rely on in a report.
@Suite struct ReportContractTests {
  private func validate(_ json: String, in folder: URL) throws -> Command {
    let file = folder.appending(path: "validated.json")
    try json.write(to: file, atomically: false, encoding: .utf8)
    return try Self.validate(file)
  }

  /// Validates a JSON report against the schema in Docs.
  static func validate(_ file: URL) throws -> Command {
    let schema = Built.root.appending(path: "Docs/report.schema.json").path
    let script = """
      import json, sys, jsonschema
      schema = json.load(open(sys.argv[1]))
      jsonschema.Draft202012Validator.check_schema(schema)
      jsonschema.Draft202012Validator(schema).validate(json.load(open(sys.argv[2])))
      """
    return try Command.run(["/usr/bin/python3", "-c", script, schema, file.path])
  }

  private func json(_ words: [String], in folder: URL) throws -> String {
    let file = folder.appending(path: "schema-report.json")
    _ = try Command.run(
      [Built.tool, "run", "--format", "json", "--output", file.path, "--"] + words, in: folder)
    return try String(contentsOf: file, encoding: .utf8)
  }

  @Test(.needs(.jsonSchema), arguments: ["return", "abort", "exec", "_exit"])
  func reportsAreOfTheSchema(how: String) throws {
    let (program, folder) = try LifecycleTests.build("ending")
    let valid = try validate(try json([program, how], in: folder), in: folder)
    #expect(valid.status == 0, "\(valid.errors)")
  }

  @Test(.needs(.jsonSchema)) func theSchemaRefusesWhatIsNone() throws {
    let (program, folder) = try LifecycleTests.build("ending")
    let report = try json([program, "return"], in: folder)
    for (old, new) in [
      ("\"leak\"", "\"leek\""), ("\"version\" : 1", "\"version\" : \"1\""), ("\"pid\"", "\"pit\""),
      ("\"inlined\" : false", "\"inlined\" : 0"),
    ] {
      #expect(report.contains(old), "\(old)")
      let invalid = try validate(report.replacingOccurrences(of: old, with: new), in: folder)
      #expect(invalid.status != 0, "\(new) was accepted")
    }
  }

  @Test func theSameProgramGivesTheSameReport() throws {
    let (program, folder) = try LifecycleTests.build("ending")
    var reports: Set<String> = []
    for _ in 0..<5 {
      let text = try Command.run([Built.tool, "run", "--", program, "return"], in: folder).errors
      reports.insert(text.replacing(/pid \d+/, with: "pid N"))
    }
    #expect(reports.count == 1)
  }

  @Test func valuesAreShownOrNot() throws {
    let (program, folder) = try LifecycleTests.build("ending")
    let shown = try Command.run([Built.tool, "run", "--", program, "return"], in: folder)
    #expect(shown.errors.contains("\"end\" (3 characters)"))
    let hidden = try Command.run(
      [Built.tool, "run", "--redact", "--keep-store", "s", "--", program, "return"], in: folder)
    #expect(!hidden.errors.contains("\"end\""))
    // Nor are they in the store: the characters are not in it in their own width.
    let store = Array(try Data(contentsOf: folder.appending(path: "s")))
    let pattern: [UInt8] = [0x65, 0, 0x6E, 0, 0x64, 0]
    #expect(!store.indices.dropLast(6).contains { Array(store[$0..<$0 + 6]) == pattern })
  }

  /// What is written past the end of a string, or into one that was freed, may be characters, too.
  ///
  /// A report on such a store is made without `--redact`, and says only what is in it.
  @Test(arguments: ["overrun", "write-after-free"])
  func whatIsWrittenOverStringsIsShownOrNot(fault: String) throws {
    let (program, folder) = try LifecycleTests.build("faulty")
    for flags in [[], ["--redact"]] {
      _ = try Command.run(
        [Built.tool, "run", "--keep-store", "s\(flags.count)"] + flags + ["--", program, fault],
        in: folder)
      let report = try Command.run([Built.tool, "report", "s\(flags.count)"], in: folder)
      #expect(report.errors.contains("overwritten"), "\(report.errors)")
      #expect(report.errors.contains("stood 78 00 ") == flags.isEmpty, "\(report.errors)")
      #expect(report.errors.contains("stood") == flags.isEmpty, "\(report.errors)")
    }
  }

  @Test func theStatusForFindingsCanBeChosen() throws {
    let (program, folder) = try LifecycleTests.build("ending")
    for (flags, status) in [
      ([], 23), (["--error-exitcode", "5"], 5), (["--error-exitcode", "0"], 0),
    ] {
      let command = try Command.run(
        [Built.tool, "run"] + flags + ["--", program, "return"], in: folder)
      #expect(command.status == Int32(status))
    }
  }

  @Test func depthIsRespected() throws {
    let (program, folder) = try LifecycleTests.build("ending")
    for depth in [1, 2, 3] {
      let traced = try Traced.run([program, "return"], flags: ["--depth", "\(depth)"], in: folder)
      #expect(traced.report.findings.first?.stacks.allocated.count == depth)
    }
  }

  @Test func theLayoutCanBeOverruled() throws {
    let (program, folder) = try LifecycleTests.build("ending")
    let traced = try Traced.run(
      [program, "return"], flags: ["--olechar", "2", "--payload-offset", "8"], in: folder)
    #expect(traced.report.processes.first?.profile.olecharBytes == 2)
    #expect(traced.report.processes.first?.profile.payloadOffset == 8)
  }

  @Test func strippedLibrariesKeepTheirDynamicSymbols() throws {
    let sources = Built.root.appending(path: "Tests/Scenarios")
    let folder = try Built.folder("stripped")
    let common = [
      "-O1", "-I\(Built.headers)", "-L\(Built.products.path)",
      "-Wl,-rpath,\(folder.path):\(Built.products.path)",
    ]
    try Scenario.compile(
      [
        sources.appending(path: "support/named_plugin.c").path, "-shared", "-fPIC", "-s", "-o",
        "libn.so",
      ]
        + common + ["-lbstrtrace-linked"], in: folder)
    try "void named_plugin_leaks(void); int main(void) { named_plugin_leaks(); return 0; }".write(
      to: folder.appending(path: "main.c"), atomically: false, encoding: .utf8)
    try Scenario.compile(
      ["main.c", "-s", "-o", "program", "-L.", "-ln"] + common + ["-lbstrtrace-linked"], in: folder)
    let traced = try Traced.run(["./program"], in: folder)
    let frames = try #require(traced.report.findings.first?.stacks.allocated)
    #expect(frames[0].function == "named_plugin_leaks")
    #expect(frames[0].module.hasSuffix("/libn.so"))
    #expect(frames[0].line == nil)
    // The stripped program's main has no name, but a place.
    #expect(frames[1].function == nil)
    #expect(frames[1].module.hasSuffix("/program"))
    #expect(frames[1].offset > 0)
  }

  @Test func aRebuiltFileNamesNothing() throws {
    let (program, folder) = try LifecycleTests.build("ending")
    _ = try Command.run(
      [Built.tool, "run", "--keep-store", "kept.store", "--", program, "return"], in: folder)
    // Another program in its place.
    let source = Built.root.appending(path: "Tests/Scenarios/lifecycle/no_strings.c").path
    try Scenario.compile(["-g", source, "-o", program], in: folder)
    let command = try Command.run([Built.tool, "report", "kept.store"], in: folder)
    #expect(command.status == 23)
    #expect(!command.errors.contains("leak()") && !command.errors.contains("ending.c"))
    #expect(command.errors.contains("allocated by     ending+0x"))
  }
}
