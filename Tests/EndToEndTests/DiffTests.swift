import Foundation
import Testing

/// What `bstrtrace diff` says of two runs, from stores, JSON reports and baselines alike.
@Suite(.overAllProducts, .namingProducts) struct DiffTests {
  /// Runs a program that leaks as its arguments say, and keeps store, report and baseline.
  private func run(_ counts: [Int], _ name: String, _ program: String, in folder: URL) throws {
    _ = try Command.run(
      [
        Built.tool, "run", "--output", "\(name).store", "--output", "\(name).json", "--",
        program,
      ] + counts.map(String.init), in: folder)
    let known = try Command.run(
      [Built.tool, "report", "--baseline", "\(name).base", "--update-baseline", "\(name).store"],
      in: folder)
    #expect(known.status == 0, "\(known.errors)")
  }

  private func build(in folder: URL) throws -> String {
    let source = folder.appending(path: "leaks.c")
    try """
    #include <bstr.h>
    #include <stdlib.h>
    static OLECHAR text[] = {'a', 0};
    __attribute__((noinline)) static BSTR first(void) { return SysAllocString(text); }
    __attribute__((noinline)) static BSTR second(void) { return SysAllocString(text); }
    __attribute__((noinline)) static BSTR third(void) { return SysAllocString(text); }
    __attribute__((noinline)) static BSTR fourth(void) { return SysAllocString(text); }
    int main(int argc, char **argv) {
      BSTR (*functions[])(void) = {first, second, third, fourth};
      for (int i = 1; i < argc; i++)
        for (int n = atoi(argv[i]); n > 0; n--) functions[i - 1]();
      return 0;
    }
    """.write(to: source, atomically: false, encoding: .utf8)
    try Scenario.compile(
      [
        source.path, "-g", "-I\(Built.headers)", "-o", "leaks", "-L\(Built.products.path)",
        "-Wl,-rpath,\(Built.products.path)", "-lbstrtrace-linked",
      ], in: folder)
    return folder.appending(path: "leaks").path
  }

  /// A difference as programs read it.
  private struct Difference: Decodable {
    var unchanged: Int
    var findings: [Finding]

    struct Finding: Decodable {
      var change: String
      var stack: [String]
      var before, after: Int
      var line: Int?
    }
  }

  @Test func moreLessAndAsManyAreSaidFromWhateverIsGiven() throws {
    let folder = try Built.folder("diff")
    let program = try build(in: folder)
    try run([3, 2, 0, 5], "old", program, in: folder)
    try run([1, 4, 1, 5], "new", program, in: folder)
    for before in ["store", "json", "base"] {
      for after in ["store", "json", "base"] {
        let diff = try Command.run(
          [Built.tool, "diff", "--output", "diff.json", "old.\(before)", "new.\(after)"],
          in: folder)
        #expect(diff.status == 23 && diff.errors == "", "\(diff.errors)")
        let found = try JSONDecoder().decode(
          Difference.self, from: Data(contentsOf: folder.appending(path: "diff.json")))
        let changes = found.findings.map { "\($0.change) \($0.stack[0]) \($0.before) \($0.after)" }
        #expect(changes == ["new third 0 1", "grown second 2 4", "shrunk first 3 1"])
        #expect(found.unchanged == 1)
        let isKnown = (before, after) != ("base", "base")
        #expect(found.findings.last?.line == (isKnown ? 4 : nil))
      }
    }
  }

  @Test func theStatusSaysWhetherItIsWorse() throws {
    let folder = try Built.folder("diff-status")
    let program = try build(in: folder)
    try run([3], "old", program, in: folder)
    try run([2], "less", program, in: folder)
    try run([0], "none", program, in: folder)
    func diff(_ before: String, _ after: String, _ flags: [String] = []) throws -> Command {
      try Command.run([Built.tool, "diff"] + flags + [before, after], in: folder)
    }
    let same = try diff("old.store", "old.json")
    #expect(same.status == 0 && same.errors == "")
    #expect(
      same.output == "DIFF: bstrtrace: 0 new, 0 grown, 0 shrunk, 0 gone, 1 unchanged\n")
    #expect(try diff("old.store", "less.base").status == 0)
    let gone = try diff("old.base", "none.store")
    #expect(gone.status == 0)
    #expect(gone.output.hasPrefix("GONE  3   leak first"), "\(gone.output)")
    #expect(try diff("less.json", "old.base").status == 23)
    #expect(try diff("none.json", "old.store").status == 23)
    #expect(try diff("none.json", "old.store", ["--error-exitcode", "0"]).status == 0)
  }

  @Test func whatCannotBeComparedIsSaid() throws {
    let folder = try Built.folder("diff-wrong")
    func diff(_ text: String) throws -> Command {
      try text.write(
        to: folder.appending(path: "file"), atomically: false, encoding: .utf8)
      return try Command.run([Built.tool, "diff", "file", "file"], in: folder)
    }
    for (text, reason) in [
      ("no JSON at all", "'file' is no store, JSON report or baseline"),
      ("{\"schema\": \"other\", \"version\": 1}", "'file' is of the schema 'other', version 1"),
      ("{\"schema\": \"bstrtrace-report\", \"version\": 1}", "'file' is a damaged JSON report"),
      ("{\"schema\": \"bstrtrace-report\", \"version\": 2}", "version 2"),
      ("", "is empty"),
    ] {
      let wrong = try diff(text)
      #expect(wrong.status == 2 && wrong.errors.contains(reason), "\(wrong.errors)")
    }
    let damaged = try diff(
      "{\"schema\": \"bstrtrace-report\", \"version\": 1, \"processes\": [], \"damage\": [\"cut off\"]}"
    )
    #expect(damaged.status == 2 && damaged.errors.contains("cut off"), "\(damaged.errors)")
    let missing = try Command.run([Built.tool, "diff", "no", "such"], in: folder)
    #expect(missing.status == 2 && missing.errors.contains("cannot read 'no'"))
  }
}
