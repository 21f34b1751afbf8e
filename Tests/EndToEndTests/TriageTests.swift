import Foundation
import Testing

/// Suppression files and baselines through the command line and in linked programs.
@Suite struct TriageTests {
  /// A program with two leaks, in `first` and in `second`.
  private static func program(_ name: String) throws -> (String, URL) {
    let folder = try Built.folder("triage-\(name)")
    let source = """
      #include "bstr.h"
      #include <stdlib.h>
      static __attribute__((noinline)) int first(void) { return SysAllocString(u"one") != NULL; }
      static __attribute__((noinline)) int second(void) { return SysAllocString(u"two") != NULL; }
      int main(int count, char **arguments) {
        for (int i = 0; i < (count > 1 ? atoi(arguments[1]) : 1); i++) first();
        return second() ? 0 : 1;
      }
      """
    let file = folder.appending(path: "leaky.c")
    try source.write(to: file, atomically: true, encoding: .utf8)
    try Scenario.compile(
      [
        file.path, "-g", "-o", "program", "-I\(Built.headers)", "-L\(Built.products.path)",
        "-Wl,-rpath,\(Built.products.path)", "-lbstrtrace-linked",
      ], in: folder)
    return (folder.appending(path: "program").path, folder)
  }

  private func run(_ flags: [String], _ program: [String], in folder: URL) throws -> Command {
    try Command.run([Built.tool, "run"] + flags + ["--"] + program, in: folder)
  }

  private func write(_ text: String, _ name: String, in folder: URL) throws {
    try text.write(to: folder.appending(path: name), atomically: true, encoding: .utf8)
  }

  @Test func rulesSilenceAndAreCounted() throws {
    let (program, folder) = try Self.program("rules")
    try write("leak:first reason=known\nnonsense\nleak:third\n", "s.txt", in: folder)
    let some = try run(["--suppressions", "s.txt"], [program], in: folder)
    #expect(some.status == 23)
    #expect(some.errors.contains("bstrtrace: s.txt:2: ignored 'nonsense'"))
    #expect(some.errors.contains("leak:first   1 finding, 1 in all   s.txt:1   (known)"))
    #expect(some.errors.contains("leak:third   matched nothing   s.txt:3"))
    #expect(some.errors.contains("1 finding: 1 leak (1 BSTR, 6 bytes); 1 suppressed"))

    try write("leak:second\n", "more.txt", in: folder)
    let two = ["--suppressions", "s.txt", "--suppressions", "more.txt"]
    let all = try run(two, [program], in: folder)
    #expect(all.status == 0)
    #expect(all.errors.contains("no new findings in 2 allocations"))
    #expect(try run(two + ["--strict-suppressions"], [program], in: folder).status == 23)
  }

  @Test func printedRulesCanBeUsed() throws {
    let (program, folder) = try Self.program("printed")
    let printed = try run(["--print-suppressions"], [program], in: folder)
    let rules = printed.errors.split(separator: "\n").filter { $0.hasPrefix("leak:") }
    #expect(rules == ["leak:first reason=?", "leak:second reason=?"])
    try write(rules.joined(separator: "\n"), "s.txt", in: folder)
    #expect(try run(["--suppressions", "s.txt"], [program], in: folder).status == 0)
  }

  @Test func linkedProgramsAreSilencedByTheVariable() throws {
    let (program, folder) = try Self.program("linked")
    try write("leak:first\nleak:second\n", "s.txt", in: folder)
    func run(_ options: String) throws -> Command {
      try Command.run([program], environment: ["BSTRTRACE_OPTIONS": options], in: folder)
    }
    #expect(try run("").status == 23)
    let silent = try run("suppressions=s.txt")
    #expect(silent.status == 0)
    #expect(silent.errors.contains("no new findings"))
    try write("leak:first\nleak:second\nleak:third\n", "s.txt", in: folder)
    #expect(try run("suppressions=s.txt:strict-suppressions=on").status == 23)
    #expect(try run("suppressions=missing.txt").errors.contains("cannot read 'missing.txt'"))
  }

  @Test func anOldCodeBaseCanStartToday() throws {
    let (program, folder) = try Self.program("baseline")
    let missing = try run(["--baseline", "b.json"], [program], in: folder)
    #expect(missing.status == 2)
    #expect(
      missing.errors.contains(
        "cannot read 'b.json': No such file or directory; --update-baseline writes it"))
    let written = try run(
      ["--baseline", "b.json", "--update-baseline"], [program, "2"], in: folder)
    #expect(written.status == 0)
    #expect(try run(["--baseline", "b.json"], [program, "2"], in: folder).status == 0)
    // Fewer are no news, more are.
    #expect(try run(["--baseline", "b.json"], [program, "1"], in: folder).status == 0)
    let grown = try run(["--baseline", "b.json"], [program, "3"], in: folder)
    #expect(grown.status == 23)
    #expect(grown.errors.contains("It has grown: 2 in the baseline, 3 now."))
    #expect(!grown.errors.contains("second"))
    let alone = try run(["--update-baseline"], [program], in: folder)
    #expect(alone.status == 64)
    #expect(alone.errors.contains("--update-baseline needs --baseline FILE"))
  }

  @Test func filesThatCannotBeReadEndTheRunBeforeItBegins() throws {
    let (program, folder) = try Self.program("unreadable")
    let missing = try run(["--suppressions", "no.txt"], [program], in: folder)
    #expect(missing.status == 2)
    #expect(missing.errors.contains("cannot read 'no.txt': No such file or directory"))
    let other = try run(["--suppressions", "."], [program], in: folder)
    #expect(other.status == 2)
    #expect(other.errors.contains("cannot read '.'"))
  }
}
