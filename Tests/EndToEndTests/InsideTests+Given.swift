import Foundation
import Testing

/// Functions that are given by their address, which no symbol of a stripped module shows.
extension InsideTests {
  /// Returns the addresses of a module's functions, as symbols have them, and strips it.
  func strippedOffsets(of name: String, in folder: URL) throws -> [String: UInt64] {
    let symbols = try Command.run(["nm", name], in: folder)
    let offsets = symbols.output.split(separator: "\n").compactMap { line -> (String, UInt64)? in
      let words = line.split(separator: " ")
      guard words.count == 3, let value = UInt64(words[0], radix: 16) else { return nil }
      return (String(words[2]), value)
    }
    let stripped = try Command.run(["strip", name], in: folder)
    try #require(stripped.status == 0, "\(stripped.errors)")
    return Dictionary(offsets) { $1 }
  }

  /// The options for a family in a module.
  private func flags(
    _ module: String, _ offsets: [String: UInt64], adding added: UInt64 = 0
  ) -> [String] {
    ["SysAllocStringLen", "SysFreeString"].flatMap { function in
      let offset = String((offsets[function] ?? 0) + added, radix: 16)
      return ["--function", "\(function)=\(module)+0x\(offset)"]
    }
  }

  private func buildID(of name: String, in folder: URL) throws -> String {
    let notes = try Command.run(["readelf", "-n", name], in: folder).output
    let line = try #require(notes.split(separator: "\n").first { $0.contains("Build ID: ") })
    return String(try #require(line.split(separator: " ").last))
  }

  /// By the name of the file, its path and its build-id, with and without `--inside`.
  @Test(arguments: ["name", "path", "build-id"], [[], ["--inside"]])
  func givenByHand(how: String, flags: [String]) throws {
    let folder = try folder()
    try build(Self.family + Self.use, "program.c", ["-fvisibility=hidden", "-O1"], in: folder)
    let offsets = try strippedOffsets(of: "program", in: folder)
    let unseen = try run(in: folder)
    #expect(unseen.report.processes.last?.totals.allocations == 0)
    let module =
      switch how {
      case "name": "program"
      case "path": "./program"
      default: try buildID(of: "program", in: folder)
      }
    expectLeak(try run(flags: flags + self.flags(module, offsets), in: folder))
  }

  /// A module that is opened later; without `--inside` no other is looked at.
  @Test func givenInAPlugIn() throws {
    let folder = try folder()
    let exported = "__attribute__((visibility(\"default\"))) int work"
    let begin = "__attribute__((constructor)) static void begin(void) { SysFreeString(make(2)); }\n"
    try build(
      Self.family + Self.use.replacing("int main", with: begin + exported), "plugin.so.c",
      ["-shared", "-fPIC", "-fvisibility=hidden"], in: folder)
    let offsets = try strippedOffsets(of: "plugin.so", in: folder)
    try build(
      Self.family + """
        #include <dlfcn.h>
        int main(void) {
          static const CHARACTER text[] = {'t'};
          SysFreeString(SysAllocStringLen(text, 1));
          return ((int (*)(void))dlsym(dlopen("./plugin.so", RTLD_NOW), "work"))();
        }

        """, "program.c", ["-fvisibility=hidden"], in: folder)
    let traced = try run(flags: flags("plugin.so", offsets), in: folder)
    let process = try #require(traced.report.processes.last)
    #expect(process.totals.allocations == 4)
    #expect(process.coverage.map(\.symbol) == ["SysAllocStringLen"], "\(process.coverage)")
    #expect(process.coverage.first?.module?.hasSuffix("/program") == true)
    #expect(traced.report.findings.map(\.kind) == ["leak"])
  }

  /// Those that symbols show and those that are given are one family.
  @Test func givenBesideSymbols() throws {
    let folder = try folder()
    let visible = "__attribute__((visibility(\"default\")))"
    try build(
      Self.family.replacing("KEPT void SysFree", with: "KEPT \(visible) void SysFree")
        + Self.use.replacing("int main", with: "\(visible) int work"), "libwork.so.c",
      ["-shared", "-fPIC", "-fvisibility=hidden"], in: folder)
    let offsets = try strippedOffsets(of: "libwork.so", in: folder)
    try build(
      "extern int work(void);\nint main(void) { return work(); }\n", "program.c",
      ["-L.", "-Wl,-rpath,\(folder.path)", "-l:libwork.so"], in: folder)
    let offset = String(try #require(offsets["SysAllocStringLen"]), radix: 16)
    let traced = try run(
      flags: ["--function", "SysAllocStringLen=libwork.so+0x\(offset)"], in: folder)
    expectLeak(traced)
    // Another place than the symbol's.
    let wrong = try run(
      flags: [
        "--function", "SysAllocStringLen=libwork.so+0x\(offset)", "--function",
        "SysFreeString=libwork.so+0x\(offset)",
      ], in: folder)
    #expect(wrong.report.processes.last?.totals.allocations == 0)
    #expect(
      wrong.report.processes.last?.coverage.first?.message
        .hasSuffix("They are not replaced: there are several of one name.") == true,
      "\(wrong.report.processes.last?.coverage ?? [])")
  }

  /// Data, the middle of a function, and half a family.
  @Test(arguments: [
    ("data", "the address that was given for one is in no code of the file"),
    (
      "middle",
      "no function starts at the address that was given for one, as far as its unwind information shows"
    ),
    ("half", "a compiler left only some of them"),
  ])
  func givenWrongly(what: String, reason: String) throws {
    let folder = try folder()
    try build(
      Self.family + "KEPT int data[4] = {1};\n" + Self.use, "program.c", ["-fvisibility=hidden"],
      in: folder)
    var offsets = try strippedOffsets(of: "program", in: folder)
    if what == "data" { offsets["SysFreeString"] = offsets["data"] }
    var flags = flags("program", offsets, adding: what == "middle" ? 4 : 0)
    if what == "half" { flags.removeLast(2) }
    let traced = try run(flags: flags, in: folder)
    let process = try #require(traced.report.processes.last)
    #expect(process.totals.allocations == 0)
    #expect(
      process.coverage.map(\.message) == [
        "program has BSTR functions of its own and calls them directly: strings that it allocates so are not "
          + "seen. They are not replaced: \(reason)."
      ])
    #expect(process.coverage.map(\.reason) == ["own-copy"])
  }

  @Test func givenInAModuleThatIsNotLoaded() throws {
    let folder = try folder()
    try build(Self.family + Self.use, "program.c", ["-fvisibility=hidden"], in: folder)
    let traced = try run(
      flags: ["--function", "SysAllocString=7zz+0x10", "--function", "SysFreeString=7zz+0x20"],
      in: folder)
    let coverage = try #require(traced.report.processes.last?.coverage)
    #expect(coverage.map(\.reason) == ["own-copy", "not-loaded"])
    #expect(
      coverage.last?.message
        == "7zz, in which SysAllocString was given by --function, was not loaded: nothing of it was replaced."
    )
  }

  @Test(arguments: [
    "SysAllocString", "SysAllocString=7zz", "SysAllocString=7zz+1234", "SysAllocString=+0x12",
    "SysAllocString=7zz+0x", "SysAllocString=7zz+0x12345678123456789", "SysAllocated=7zz+0x1",
    "SysAllocString=a:b+0x1", "VarBstrCat=7zz+0x1",
  ])
  func noAddress(text: String) throws {
    let command = try Command.run([Built.tool, "run", "--function", text, "--", "true"])
    #expect(command.status == 64)
    #expect(
      command.errors.contains(
        "expected a BSTR function and its address, as SysAllocStringLen=7zz+0x1234"),
      "\(command.errors)")
  }
}
