import Foundation
import Testing

/// Debian's own p7zip: a plug-in makes BSTRs by the hundred and the program frees them with a
/// private copy of SysFreeString.
///
/// Nothing may be found, and nothing may change.
@Suite(.needs(.sevenZip), .overAllProducts, .namingProducts) struct SevenZipTests {
  /// Files and an archive of them, with and without a password.
  private static let original = Result { try make() }

  private static func make() throws -> URL {
    let folder = try Built.folder("7z-original")
    for index in 1...150 {
      let text = String(repeating: "line \(index)\n", count: index * 10)
      try text.write(
        to: folder.appending(path: "file\(index).txt"), atomically: false, encoding: .utf8)
    }
    for words in [
      ["a", "plain.7z"], ["a", "-psecret", "-mhe=on", "locked.7z"], ["a", "plain.zip"],
    ] {
      let made = try Command.run(["7z"] + words + ["file*.txt"], in: folder)
      if made.status != 0 { throw PreparationFailure(description: made.output + made.errors) }
    }
    return folder
  }

  /// A copy of them, for one run to work in.
  private static func prepare(_ name: String) throws -> URL {
    let folder = try Built.folder("7z-\(name)")
    let copied = try Command.run(["cp", "-a", "\(try original.get().path)/.", folder.path])
    if copied.status != 0 { throw PreparationFailure(description: copied.errors) }
    return folder
  }

  /// What 7z says, without what differs from run to run.
  private static func steady(_ output: String) -> [Substring] {
    output.split(separator: "\n").filter {
      !$0.contains("p7zip Version") && !$0.hasPrefix("Modified") && !$0.contains("Scan")
    }
  }

  @Test(arguments: [
    ["a", "new.7z", "file1.txt", "file2.txt"], ["l", "-slt", "plain.7z"], ["t", "plain.7z"],
    ["x", "-y", "-oout", "plain.7z"], ["i"], ["a", "-psecret", "new.7z", "file1.txt"],
    ["t", "-pwrong", "locked.7z"], ["t", "-psecret", "locked.7z"], ["l", "-slt", "plain.zip"],
    ["t", "missing.7z"],
  ])
  func changesNothingAndFindsNothing(_ words: [String]) throws {
    let name = words.joined(separator: "-").replacingOccurrences(of: "/", with: "_")
    let alone = try Command.run(["7z"] + words, in: try Self.prepare("alone-\(name)"))
    let folder = try Self.prepare("traced-\(name)")
    let traced = try Traced.run(["7z"] + words, in: folder)

    #expect(traced.report.findings.isEmpty)
    #expect(traced.report.damage.isEmpty)
    #expect(traced.report.processes.flatMap(\.notes).isEmpty)
    #expect(traced.command.status == alone.status)
    #expect(Self.steady(traced.command.output) == Self.steady(alone.output))
    #expect(traced.command.errors == alone.errors)
    let process = try #require(traced.report.processes.last)
    #expect(process.executable == "/usr/lib/p7zip/7z")
    // `i` lists methods and formats; a missing file is never opened.
    if words != ["t", "missing.7z"] {
      #expect(process.profile.olecharBytes == 4)
      #expect(process.profile.payloadOffset == 4)
      #expect(process.totals.allocations >= 100, "\(process.totals)")
      #expect(process.totals.allocations == process.totals.frees)
    }
  }

  @Test func theTextReportIsOneLine() throws {
    let folder = try Self.prepare("text")
    let command = try Command.run(
      [Built.tool, "run", "--", "7z", "l", "-slt", "plain.7z"], in: folder)
    #expect(command.status == 0)
    let lines = command.errors.split(separator: "\n")
    #expect(lines.count == 1)
    #expect(lines.first?.hasPrefix("bstrtrace: /usr/lib/p7zip/7z: no findings in ") == true)
  }

  /// From stores, JSON reports and baselines alike.
  @Test func twoRunsDoNotDiffer() throws {
    let folder = try Self.prepare("diff")
    for name in ["old", "new"] {
      _ = try Traced.run(
        ["7z", "t", "-psecret", "locked.7z"],
        flags: ["--output", "\(name).store", "--baseline", "\(name).base", "--update-baseline"],
        in: folder, reportFile: folder.appending(path: "\(name).json"))
    }
    for before in ["store", "json", "base"] {
      for after in ["store", "json", "base"] {
        let diff = try Command.run(
          [Built.tool, "diff", "old.\(before)", "new.\(after)"], in: folder)
        #expect(diff.status == 0 && diff.errors == "")
        #expect(diff.output == "DIFF: bstrtrace: 0 new, 0 grown, 0 shrunk, 0 gone, 0 unchanged\n")
      }
    }
  }

  @Test func theMapShowsThatThePlugInProducesAndTheProgramFrees() throws {
    let folder = try Self.prepare("map")
    let run = try Command.run(
      [Built.tool, "run", "--map", "--", "7z", "l", "plain.7z"], in: folder)
    #expect(run.status == 0)
    let map = run.errors.split(separator: "\n")
    let modules = try #require(map.firstIndex { $0.contains("between modules") })
    #expect(map[modules + 1].contains("7z.so, freed by 7z   "), "\(run.errors)")
    #expect(map[modules + 2].contains("between functions"), "nothing else went anywhere")
  }
}
