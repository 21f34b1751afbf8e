import Foundation
import Testing

/// Allocations that are made to fail, and sweeps over all of them.
@Suite struct FailureTests {
  @Test(arguments: [
    ("2", [2]), ("3+", [3, 4, 5]), ("1", [1]), ("9", []), ("100%", [1, 2, 3, 4, 5]),
  ])
  func theChosenAllocationsFail(which: String, failed: [Int]) throws {
    let (program, folder) = try LifecycleTests.build("attempts")
    let traced = try Traced.run([program], flags: ["--fail-allocation", which], in: folder)
    let seen = traced.command.output.split(separator: "\n").compactMap { Int($0) }
    #expect(seen == failed)
    let notes = traced.report.processes.flatMap { process in process.notes }
    #expect(notes.count == failed.count)
    for (number, note) in zip(failed, notes) {
      #expect(note.contains("Allocation \(number) was made to fail"))
      #expect(note.contains("in main attempts.c:"))
    }
    #expect(traced.report.findings.isEmpty)
  }

  @Test func aSeedChoosesTheSameAgain() throws {
    let (program, folder) = try LifecycleTests.build("attempts")
    func run(_ which: String) throws -> String {
      try Traced.run([program, "200"], flags: ["--fail-allocation", which], in: folder)
        .command.output
    }
    let first = try run("20%7")
    #expect(try run("20%7") == first)
    #expect(try run("20%8") != first)
    let count = first.split(separator: "\n").count
    #expect((20...60).contains(count), "\(count) of 200")
  }

  @Test func aSweepListsWhatLeaksCrashesAndHangs() throws {
    let (program, folder) = try LifecycleTests.build("unchecked")
    let sweep = try Command.run(
      [Built.tool, "sweep", "--timeout", "3", "--", program], in: folder)
    #expect(sweep.status == 23)
    #expect(sweep.output.isEmpty, "the program's own output is discarded")
    let text = sweep.errors
    // 1 and 6 are checked; 2 leaks 1, 3 is not checked, 4 is waited for, 5 is freed twice.
    #expect(!text.contains("FAILED ALLOCATION 1,"))
    #expect(text.contains("FAILED ALLOCATION 2, in main unchecked.c:"))
    #expect(text.contains("LEAK  1 BSTR, 6 bytes"))
    #expect(text.contains("FAILED ALLOCATION 3, in main unchecked.c:"))
    #expect(text.contains("Then it was killed by signal 11."))
    #expect(text.contains("FAILED ALLOCATION 4, in main unchecked.c:"))
    #expect(text.contains("Then it did not end within 3 s."))
    #expect(text.contains("FAILED ALLOCATION 5, in main unchecked.c:"))
    #expect(text.contains("DOUBLE FREE"))
    #expect(!text.contains("FAILED ALLOCATION 6,"))
    #expect(text.hasSuffix("SWEEP: bstrtrace: 6 allocations made to fail, 4 with findings\n"))
  }

  @Test func aSweepAsksTheSymbolizerThatIsNamed() throws {
    let (program, folder) = try LifecycleTests.build("unchecked")
    let script = folder.appending(path: "symbolizer")
    try "#!/bin/sh\nexit 1\n".write(to: script, atomically: false, encoding: .utf8)
    _ = try Command.run(["chmod", "+x", script.path])
    let sweep = try Command.run(
      [Built.tool, "sweep", "--symbolizer", script.path, "--runs", "2", "--", program], in: folder)
    #expect(sweep.status == 23)
    #expect(sweep.errors.contains("'\(script.path)' ended before it had answered"))
    let missing = try Command.run(
      [Built.tool, "sweep", "--symbolizer", "/no/such", "--", program], in: folder)
    #expect(missing.status == 64)
  }

  @Test func aSweepOverCorrectPathsIsClean() throws {
    let (program, folder) = try LifecycleTests.build("attempts")
    let sweep = try Command.run([Built.tool, "sweep", "--", program], in: folder)
    #expect(sweep.status == 0)
    #expect(sweep.errors == "SWEEP: bstrtrace: 5 allocations made to fail, 0 with findings\n")
    let cut = try Command.run(
      [Built.tool, "sweep", "--from", "2", "--runs", "3", "--show-output", "--", program],
      in: folder)
    #expect(
      cut.errors.hasSuffix("3 allocations made to fail, 0 with findings; --runs ended it there\n"))
    #expect(cut.output == "2\n3\n4\n")
  }

  @Test func aSweepEndsWithTheStatusThatWasAskedFor() throws {
    let (program, folder) = try LifecycleTests.build("unchecked")
    func status(_ flags: [String], _ options: String) throws -> Int32 {
      // The second allocation's failure leaks.
      try Command.run(
        [Built.tool, "sweep", "--from", "2", "--runs", "1"] + flags + ["--", program],
        environment: ["BSTRTRACE_OPTIONS": options], in: folder
      ).status
    }
    #expect(try status([], "") == 23)
    #expect(try status([], "error-exitcode=7") == 7)
    #expect(try status(["--error-exitcode", "9"], "error-exitcode=7") == 9)
    #expect(try status(["--error-exitcode", "0"], "") == 0)
    #expect(try status(["--error-exitcode", "256"], "") == 64)
  }

  @Test func noOptionIsShownAsRequired() throws {
    for (name, arguments) in [
      ("run", "[<program> ...]"), ("sweep", "[<program> ...]"), ("report", "<store> ..."),
    ] {
      let help = try Command.run([Built.tool, name, "--help"]).output
      let usage = help.split(separator: "\n").first { $0.hasPrefix("USAGE: ") }
      #expect(usage == "USAGE: bstrtrace \(name) [<options>] \(arguments)", "\(help)")
    }
  }

  @Test func aSweepSaysWhatItCannotDo() throws {
    let (program, folder) = try LifecycleTests.build("no_strings")
    let nothing = try Command.run([Built.tool, "sweep", "--", program], in: folder)
    #expect(nothing.status == 2)
    #expect(nothing.errors.contains("allocated no BSTR: there is nothing to make fail"))
    for words in [["--runs", "0", "--", program], ["--timeout", "x", "--", program], []] {
      let wrong = try Command.run([Built.tool, "sweep"] + words, in: folder)
      #expect(wrong.status == 64, "\(words) \(wrong.errors)")
    }
  }

  @Test func theProgramHaltsAtTheFault() throws {
    let (program, folder) = try LifecycleTests.build("faulty")
    for which in ["double-free", "overrun", "write-after-free", "stack"] {
      let traced = try Traced.run([program, which], in: folder)
      #expect(traced.command.status == 23)
      #expect(traced.command.output == "went on\n")
      let halted = try Traced.run([program, which], flags: ["--halt-on-error"], in: folder)
      #expect(halted.command.status == 128 + 6, "\(which)")
      #expect(halted.command.output.isEmpty)
      // The fault is in the report; what was live then is listed as leaked.
      #expect(halted.report.findings.contains { $0.kind != "leak" })
    }
  }

  @Test func theProgramStopsAtTheChosenAllocation() throws {
    let (program, folder) = try LifecycleTests.build("attempts")
    let traced = try Traced.run([program], flags: ["--break-on", "3"], in: folder)
    #expect(traced.command.status == 128 + 5)
    #expect(traced.report.processes.first?.totals.allocations == 3)
  }

  @Test func oneStringsStoryIsTold() throws {
    let scenario = try #require(
      Scenario.all.first {
        $0.file.lastPathComponent == "declared_queue.cpp" && $0.mode == .preloaded
      })
    let (program, folder) = try scenario.build(in: "story")
    let run = try Command.run(
      [Built.tool, "run", "--keep-store", "kept.store", "--", program.path], in: folder)
    #expect(run.status == 23)
    #expect(run.errors.contains("serial           3\n"))
    let story = try Command.run([Built.tool, "report", "--history", "3", "kept.store"], in: folder)
    #expect(story.status == 0)
    #expect(story.output.contains("8 bytes, never freed"))
    #expect(story.output.contains("allocated by     produce(bool)   declared_queue.cpp:"))
    #expect(story.output.contains("handed over by   produce(bool)   declared_queue.cpp:"))
    let none = try Command.run([Built.tool, "report", "--history", "99", "kept.store"], in: folder)
    #expect(none.output.hasPrefix("bstrtrace: there is no BSTR 99: they are numbered from 1 to "))
  }

  @Test func aLinkedProgramWithoutAllocationsStillTellsItsFaults() throws {
    let scenario = try #require(
      Scenario.all.first {
        $0.file.lastPathComponent == "pinned_literal.c" && $0.mode == .linked && $0.width == 2
      })
    let (program, folder) = try scenario.build(in: "no-allocations")
    let run = try Command.run([program.path], in: folder)
    #expect(run.status == 23)
    #expect(run.errors.contains("INVALID USE"), "\(run.errors)")
  }

  @Test func faultsSurviveAKill() throws {
    let (program, folder) = try LifecycleTests.build("faulty")
    let traced = try Traced.run([program, "kill"], in: folder)
    #expect(traced.command.status == 128 + 9)
    #expect(traced.report.findings.map(\.kind) == ["double-free"])
  }

  @Test func whenMemoryRunsOutTheQuarantineGivesWay() throws {
    let (program, folder) = try LifecycleTests.build("exhausted")
    let traced = try Traced.run([program], flags: ["--quarantine", "268435456"], in: folder)
    #expect(traced.command.output == "allocated\n", "\(traced.command.errors)")
    #expect(traced.report.findings.isEmpty)
  }
}
