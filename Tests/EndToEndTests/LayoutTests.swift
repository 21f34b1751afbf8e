import Foundation
import Testing

/// Programs lay their strings out as they like, several of them in one process, and are not harmed.
@Suite(.overAllProducts, .namingProducts) struct LayoutTests {
  /// How one library lays strings out.
  struct Layout: CustomTestStringConvertible, Sendable {
    var width: Int
    var offset: Int
    var flags: [String] = []

    var testDescription: String { "\(width)/\(offset) \(flags.joined(separator: " "))" }

    static let all = [2, 4].flatMap { width in
      [4, 8].flatMap { offset in
        [[], ["-DWITHOUT_COUNT"], ["-DRECYCLES"]].map {
          Layout(width: width, offset: offset, flags: $0)
        }
      }
    }
  }

  private static let sources = Built.root.appending(path: "Tests/Scenarios/layouts")

  private func compile(_ words: [String], in folder: URL) throws {
    try Scenario.compile(words + ["-g", "-O1"], in: folder)
  }

  private func library(
    _ name: String, _ layout: Layout, prefix: String = "lib", in folder: URL
  ) throws {
    let names = ["free_inlined", "length", "make", "free", "replace"].map {
      "-DPREFIX_\($0)=\(prefix)_\($0)"
    }
    try compile(
      [
        Self.sources.appending(path: "own_functions.c").path, "-shared", "-fPIC", "-o", name,
        "-DWIDTH=\(layout.width)", "-DOFFSET=\(layout.offset)",
      ] + names + layout.flags, in: folder)
  }

  /// How a program ends that has the preload in it, and nothing recorded.
  private func untracked(_ words: [String], in folder: URL) throws -> Int32 {
    try Command.run(
      words,
      environment: [
        "LD_PRELOAD": Built.products.appending(path: "libbstrtrace-preload.so").path,
        "BSTRTRACE_OPTIONS": "track=off",
      ], in: folder
    ).status
  }

  @Test(arguments: Layout.all) func aLibrarysOwnLayoutIsDetected(_ layout: Layout) throws {
    let folder = try Built.folder("layout-\(UUID().uuidString.prefix(8))")
    try library("liblib.so", layout, in: folder)
    try compile(
      [
        Self.sources.appending(path: "one_library.c").path, "-o", "program", "-L.",
        "-Wl,-rpath,\(folder.path)", "-llib",
      ], in: folder)
    for options in ["", "level=leaks", "quarantine-blocks=0"] {
      let traced = try Traced.run(
        ["./program"], environment: ["BSTRTRACE_OPTIONS": options], in: folder)
      #expect(traced.command.status == 0, "\(options) \(traced.command.errors)")
      #expect(traced.report.findings.isEmpty, "\(options) \(traced.command.errors)")
      let process = try #require(traced.report.processes.first)
      #expect(process.profile.olecharBytes == layout.width)
      #expect(process.profile.payloadOffset == layout.offset)
      #expect(process.totals.allocations == 100)
    }
    #expect(try untracked(["./program"], in: folder) == 0)
    let leaky = try Traced.run(["./program", "forget"], in: folder)
    #expect(leaky.report.findings.map(\.kind) == ["leak"])
    #expect(leaky.report.findings.first?.values == ["text"])
  }

  @Test func eachLibraryOfAProcessHasItsOwnLayout() throws {
    let folder = try Built.folder("layouts-\(UUID().uuidString.prefix(8))")
    try library("first.so", Layout(width: 2, offset: 8), prefix: "lib", in: folder)
    try library("second.so", Layout(width: 4, offset: 4), prefix: "other", in: folder)
    try compile(
      [Self.sources.appending(path: "two_libraries.c").path, "-o", "program", "-ldl"], in: folder)
    #expect(try untracked(["./program", "./first.so", "./second.so"], in: folder) == 0)
    for options in ["", "level=leaks"] {
      let command = try Command.run(
        [Built.tool, "run", "--", "./program", "./first.so", "./second.so"],
        environment: ["BSTRTRACE_OPTIONS": options], in: folder)
      #expect(command.status == 0, "\(options) \(command.errors)")
    }
    let traced = try Traced.run(["./program", "./first.so", "./second.so", "cross"], in: folder)
    #expect(traced.report.findings.map(\.kind) == ["wrong-deallocator"])
    let finding = try #require(traced.report.findings.first)
    #expect(finding.detail == "other-layout")
    #expect(finding.values == ["text"])
    #expect(finding.stacks.detected.first?.function == "lib_free")
    #expect(finding.stacks.allocated.first?.function == "other_make")
  }

  @Test func aReleaseTeachesTheLayoutOfWhatCannotBeTriedOut() throws {
    let folder = try Built.folder("untold-\(UUID().uuidString.prefix(8))")
    let source = Self.sources.appending(path: "untold.c").path
    try compile(
      [
        source, "-o", "program", "-L\(Built.products.path)",
        "-Wl,-rpath,\(Built.products.path)", "-lbstrtrace-linked",
      ], in: folder)
    let traced = try Traced.run(["./program"], in: folder)
    try expectTaught(traced.report, traced.command)
    let file = folder.appending(path: "linked.json")
    let command = try Command.run(
      ["./program"],
      environment: ["BSTRTRACE_OPTIONS": "track=on:format=json:output=\(file.path)"], in: folder)
    let report = try JSONDecoder().decode(Traced.Report.self, from: Data(contentsOf: file))
    try expectTaught(report, command)
    // Said beforehand, it need not be detected.
    let said = try Traced.run(["./program"], flags: ["--payload-offset", "4"], in: folder)
    #expect(said.report.findings.map(\.kind) == ["leak"])
    #expect(said.report.processes.first?.notes == [])
  }

  private func expectTaught(_ report: Traced.Report, _ command: Command) throws {
    #expect(command.status == 23, "\(command.errors)")
    #expect(report.findings.map(\.kind) == ["leak"], "\(command.errors)")
    #expect(report.findings.first?.bytes == 9)
    let process = try #require(report.processes.first)
    #expect(process.profile.payloadOffset == 4)
    #expect(process.notes.contains { $0.contains("--payload-offset 4") })
  }
}
