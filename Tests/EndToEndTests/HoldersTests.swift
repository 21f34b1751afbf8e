import Foundation
import TestSupport
import Testing

/// Processes that are looked at for holders, and those that are not.
///
/// What is found is stated by the scenarios in Tests/Scenarios/holders.
@Suite(.overAllProducts, .namingProducts) struct HoldersTests {
  private static func program(
    _ name: String, for test: String
  ) throws -> (program: URL, folder: URL) {
    let file = try Scenario.file(named: name)
    let scenario = Scenario(file: file, mode: .preloaded)
    return try scenario.build(in: "holders-\(test.prefix { $0 != "(" })-\(name)")
  }

  private static func run(
    _ name: String, _ options: String, for test: String = #function
  ) throws -> (traced: Traced, plain: Command) {
    let (program, folder) = try program(name, for: test)
    let plain = try Command.run(
      [program.path], environment: ["LD_LIBRARY_PATH": folder.path], in: folder)
    let traced = try Traced.run(
      [program.path], flags: ["--error-exitcode", "0"],
      environment: ["BSTRTRACE_OPTIONS": options], in: folder)
    return (traced, plain)
  }

  @Test func nothingIsLookedForWithoutTheOption() throws {
    let (traced, _) = try Self.run("planted.cpp", "")
    #expect(traced.report.findings.count == 17)
    #expect(traced.report.findings.allSatisfy { $0.holders == nil && $0.holdersOf == nil })
    #expect(traced.report.processes.flatMap(\.notes).isEmpty)
  }

  /// The search makes no finding and takes none away; it may say more of one.
  @Test func findingsAndStatusAreTheSame() throws {
    for name in ["planted.cpp", "held_at_exit.cpp", "held_at_exit_in_thread.cpp"] {
      let (with, plain) = try Self.run(name, "holders=on")
      let (without, _) = try Self.run(name, "")
      #expect(with.report.findings.map(\.count) == without.report.findings.map(\.count))
      #expect(with.report.findings.map(\.key) == without.report.findings.map(\.key))
      #expect(with.report.findings.map(\.rule) == without.report.findings.map(\.rule))
      #expect(with.report.findings.map(\.suppression) == without.report.findings.map(\.suppression))
      #expect(with.command.status == plain.status && without.command.status == plain.status)
      #expect(with.command.output == plain.output)
    }
  }

  @Test func aProcessThatEndsOtherwiseIsNotLookedAt() throws {
    let (traced, _) = try Self.run("not_looked.c", "holders=on")
    #expect(traced.report.findings.map(\.heldBy) == [["-"]])
    let notes = traced.report.processes.flatMap(\.notes)
    #expect(
      notes.count == 1 && notes[0].contains("when exit is called or main returns"), "\(notes)")
  }

  @Test func aLargeProcessIsNotLookedAt() throws {
    let (traced, _) = try Self.run("large_blocks.cpp", "holders=on:holders-limit=1")
    #expect(traced.report.findings.allSatisfy { $0.holders == nil })
    let notes = traced.report.processes.flatMap(\.notes)
    #expect(notes.count == 1 && notes[0].contains("more than 1 MiB"), "\(notes)")
  }

  @Test func whatWasFoundIsInTheStoreAndInEveryFormat() throws {
    let (program, folder) = try Self.program("planted.cpp", for: #function)
    let store = folder.appending(path: "kept.store").path
    _ = try Command.run(
      [Built.tool, "run", "--holders", "--keep-store", store, "--output", "/dev/null", "--"]
        + [program.path], in: folder)
    let way = "g_object (program .bss) → Status, 24 bytes, +8 → the string"
    for format in ["text", "json", "html", "sarif"] {
      let report = try Command.run(
        [Built.tool, "report", "--format", format, "--output", "-", store], in: folder)
      #expect(
        report.output.contains(way), "\(format): \(report.output.prefix(2000))\(report.errors)")
    }
  }

  /// A cache that is never emptied is one finding with one row, and is silenced by its name.
  @Test func whatOneCacheHoldsIsOneRow() throws {
    let (program, folder) = try Self.program("cache_of_many.cpp", for: #function)
    let rules = folder.appending(path: "known.txt")
    try "held:g_cache reason=never emptied".write(to: rules, atomically: true, encoding: .utf8)
    func report(_ flags: String...) throws -> Command {
      try Command.run(
        [Built.tool, "run", "--holders", "--output", "-"] + flags + ["--", program.path], in: folder
      )
    }
    let known = try report("--suppressions", rules.path)
    #expect(known.status == 0 && known.output.contains("held:g_cache"), "\(known.output)")
    let all = try report()
    let row =
      "held by          g_cache (program .bss) → block, 32776 bytes, +0 → the string, "
      + "3 of 3 strings looked for, of 4000"
    #expect(all.status == 23 && all.output.contains(row), "\(all.output)")
    #expect(all.output.split(separator: "held by").count == 2)
  }

  /// Children report on themselves, also those that another thread than the main one forked.
  @Test func aForkedChildIsLookedAt() throws {
    let folder = try Built.folder("holders-forked")
    try """
    #include <pthread.h>
    #include <sys/wait.h>
    #include <unistd.h>
    #include "text.h"
    static BSTR kept;
    static void *work(void *unused) {
      pid_t child = fork();
      if (child == 0) {
        kept = SysAllocString(T("child"));
        if (SysStringLen(kept) != 5) abort();
        exit(0);
      }
      waitpid(child, 0, 0);
      return unused;
    }
    int main(void) {
      pthread_t thread;
      if (pthread_create(&thread, 0, work, 0) != 0) abort();
      pthread_join(thread, 0);
    }
    """.write(to: folder.appending(path: "forked.c"), atomically: true, encoding: .utf8)
    var scenario = Scenario(file: folder.appending(path: "forked.c"))
    scenario.mode = .preloaded
    let (program, work) = try scenario.build(in: "holders-forked-program")
    let traced = try Traced.run([program.path], flags: ["--holders"], in: work)
    #expect(traced.report.findings.map(\.heldBy) == [["kept (program .bss) → the string"]])
  }
}
