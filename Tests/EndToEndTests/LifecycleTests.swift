import Foundation
import Testing

/// However a process ends, what was live then is reported.
@Suite(.overAllProducts, .namingProducts) struct LifecycleTests {
  /// Builds a program of the lifecycle folder, with BSTR functions of its own in a library.
  static func build(_ name: String, flags: [String] = []) throws -> (program: String, folder: URL) {
    let sources = Built.root.appending(path: "Tests/Scenarios")
    let folder = try Built.folder("lifecycle-\(name)-\(UUID().uuidString.prefix(8))")
    let common = ["-g", "-O1", "-I\(Built.headers)"]
    try Scenario.compile(
      [
        sources.appending(path: "support/plain_bstr.c").path, "-shared", "-fPIC", "-o",
        "libplain.so",
      ]
        + common, in: folder)
    try Scenario.compile(
      [sources.appending(path: "lifecycle/\(name).c").path, "-o", name] + common + flags
        + ["-L.", "-Wl,-rpath,\(folder.path)", "-lplain", "-lpthread"], in: folder)
    return (folder.appending(path: name).path, folder)
  }

  @Test(arguments: [
    ("return", "exit", 0, 23), ("exit7", "exit", 7, 7), ("_exit", "exit", 0, 23),
    ("_Exit7", "exit", 7, 7), ("quick_exit", "exit", 0, 23), ("abort", "signal", 6, 134),
    ("kill", "signal", 9, 137), ("alarm", "signal", 14, 142), ("crash", "signal", 11, 139),
  ])
  func endings(how: String, ended: String, status: Int, toolStatus: Int) throws {
    let (program, folder) = try Self.build("ending")
    let traced = try Traced.run([program, how], in: folder)
    let process = try #require(traced.report.processes.first)
    #expect(traced.report.processes.count == 1)
    #expect(process.ended == ended)
    #expect(process.status == status)
    #expect(traced.command.status == Int32(toolStatus))
    #expect(process.totals.allocations == 2)
    #expect(process.totals.frees == 1)
    #expect(process.findings.map(\.count) == [1])
    #expect(process.findings.first?.bytes == 6)
    #expect(process.findings.first?.stacks.allocated.first?.function == "leak")
    // A program that dies of a crash says nothing that it would not have said alone.
    #expect(traced.command.errors == "")
    #expect(traced.command.output == "")
  }

  @Test func theStringsShownAreThoseOfTheFirstSerialNumbers() throws {
    let (program, folder) = try Self.build("records_reused")
    let report = try Traced.run([program], in: folder).report
    let finding = try #require(report.findings.first)
    #expect(finding.count == 40)
    #expect(finding.values == ["string 21", "string 22", "string 23"])
    #expect(finding.serials == [21, 22, 23, 24, 25])
  }

  /// What was live in a process that was killed accuses nobody; the text says how each ended.
  @Test(arguments: [
    ("return", nil), ("exit7", "ended with status 7"),
    ("abort", "was killed by SIGABRT (signal 6)"),
    ("kill", "was killed by SIGKILL (signal 9)"), ("crash", "was killed by SIGSEGV (signal 11)"),
    ("exec-self", "became another program"),
  ])
  func theTextSaysHowItEnded(how: String, end: String?) throws {
    let (program, folder) = try Self.build("ending")
    let text = try Command.run(
      [Built.tool, "run", "--per-process", "--", program, how], in: folder
    ).errors
    #expect(text.contains("1 BSTR, 6 bytes"), "\(text)")
    let wasKilled = end?.contains("killed") == true
    if let end {
      #expect(text.contains("   It \(end)."), "\(text)")
    } else {
      #expect(!text.contains("   It "), "\(text)")
    }
    #expect(text.contains("Nobody freed") != wasKilled, "\(text)")
    let live = "The BSTR that leak allocated was live when the process was killed."
    #expect(text.contains(live) == wasKilled, "\(text)")
    #expect(!wasKilled || !text.contains("Rule ") && !text.contains("<- owner"), "\(text)")
  }

  @Test func anEndWithoutFindingsIsSaidToo() throws {
    let folder = try Built.folder("lifecycle-killed")
    try
      "#include <stdlib.h>\n#include \"bstr.h\"\nint main(void) { SysFreeString(SysAllocString(u\"x\")); abort(); }"
      .write(to: folder.appending(path: "main.c"), atomically: false, encoding: .utf8)
    let support = Built.root.appending(path: "Tests/Scenarios/support/plain_bstr.c").path
    let common = ["-I\(Built.headers)", "-I\(Built.root.path)/Tests/Scenarios/support"]
    try Scenario.compile([support, "-shared", "-fPIC", "-o", "libplain.so"] + common, in: folder)
    try Scenario.compile(
      ["main.c", "-o", "program", "-L.", "-Wl,-rpath,\(folder.path)", "-lplain"] + common,
      in: folder)
    let text = try Command.run([Built.tool, "run", "--", "./program"], in: folder).errors
    #expect(
      text.contains("no findings in 1 allocation; it was killed by SIGABRT (signal 6)"), "\(text)")
  }

  /// What a process that somebody else waited for had is not known to be a leak.
  @Test func aKilledChildAccusesNobody() throws {
    let (program, folder) = try Self.build("ending")
    let text = try Command.run(
      [Built.tool, "run", "--", "sh", "-c", "\(program) kill; exit 0"], in: folder
    ).errors
    #expect(text.contains("its end was not seen"), "\(text)")
    #expect(text.contains("was live when the recording of the process ended."), "\(text)")
    #expect(!text.contains("Nobody freed"), "\(text)")
  }

  /// A store is looked at while its process runs, and again when that was killed.
  @Test func whatARunningProcessHasIsNoLeakYet() throws {
    let (program, folder) = try Self.build("ending")
    let script = """
      TMPDIR=\(folder.path) \(Built.tool) run --output while.txt -- \(program) wait &
      for i in $(seq 100); do
        store=$(ls \(folder.path)/*/*.store 2>/dev/null | head -1)
        [ -n "$store" ] && break; sleep 0.1
      done
      sleep 1; cp $store copy.store
      \(Built.tool) report --output running.txt copy.store; echo status $?
      kill -KILL $(basename "$store" | cut -d. -f1); wait
      \(Built.tool) report --output killed.txt copy.store; echo status $?
      """
    let command = try Command.run(["sh", "-c", script], in: folder)
    func text(_ name: String) throws -> String {
      try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }
    #expect(command.output.contains("status 0"), "\(command.output) \(command.errors)")
    #expect(try text("running.txt").contains("It was still running when the report was made"))
    #expect(try text("running.txt").contains("no findings in 2 allocations"))
    #expect(try text("killed.txt").contains("was live when the recording of the process ended."))
  }

  @Test func anotherProgramInItsPlace() throws {
    let (program, folder) = try Self.build("ending")
    let traced = try Traced.run([program, "exec"], in: folder)
    #expect(traced.report.processes.count == 2)
    #expect(traced.report.processes.map { $0.findings.count } == [1, 0])
    #expect(traced.report.processes.map(\.ended) == ["unknown", "exit"])
    #expect(Set(traced.report.processes.map(\.pid)).count == 1)
    #expect(traced.command.status == 23)

    let again = try Traced.run([program, "exec-self"], in: folder)
    #expect(again.report.processes.map { $0.findings.count } == [1, 1])
  }

  @Test func forkWhileOtherThreadsAllocate() throws {
    let (program, folder) = try Self.build("forking")
    for _ in 0..<5 {
      let traced = try Traced.run([program], in: folder)
      #expect(traced.command.status == 23)
      #expect(traced.report.processes.count == 11)
      let parent = try #require(traced.report.processes.first)
      #expect(parent.findings.map(\.bytes) == [12])
      #expect(parent.totals.allocations == parent.totals.frees + 1)
      for child in traced.report.processes.dropFirst() {
        #expect(child.parentPid == parent.pid)
        #expect(child.ended == "exit")
        #expect(child.status == 0)
        #expect(child.totals.allocations == 1001)
        #expect(child.totals.frees == 1000)
        // What it inherited is the parent's to answer for.
        #expect(child.findings.map(\.bytes) == [10])
        #expect(child.findings.first?.stacks.allocated.first?.function == "leak_in_child")
        #expect(child.notes.isEmpty)
      }
    }
  }

  @Test func childrenAreLeftAloneOnRequest() throws {
    let (program, folder) = try Self.build("forking")
    let traced = try Traced.run([program], flags: ["--no-follow-children"], in: folder)
    #expect(traced.report.processes.count == 1)
    #expect(traced.report.findings.map(\.bytes) == [12])
    // An exec is no child.
    let (ending, endingFolder) = try Self.build("ending")
    let shell = try Traced.run(
      ["sh", "-c", "exec \(ending) return"], flags: ["--no-follow-children"], in: endingFolder)
    #expect(shell.report.findings.count == 1)
    let child = try Traced.run(
      ["sh", "-c", "\(ending) return; true"], flags: ["--no-follow-children"], in: endingFolder)
    #expect(child.report.findings.isEmpty)
  }

  @Test func tenMillionOperationsOnTwoThreads() throws {
    let (program, folder) = try Self.build("exchange")
    let traced = try Traced.run([program, "10000000"], in: folder)
    let process = try #require(traced.report.processes.first)
    #expect(process.totals.allocations == 5_000_000)
    #expect(process.totals.frees == 5_000_000)
    #expect(process.totals.live == 0)
    // Looked at while the threads go on: off by what they do meanwhile.
    #expect(process.totals.peakLive <= 258 + 256)
    #expect(traced.report.findings.isEmpty)
    #expect(traced.command.status == 0)
  }

  @Test func aMillionLiveStrings() throws {
    let (program, folder) = try Self.build("many")
    let traced = try Traced.run([program, "1000000"], in: folder)
    #expect(traced.report.summary.leakedBstrs == 1_000_000)
    #expect(traced.report.findings.count == 1)
    #expect(traced.report.processes.first?.totals.peakLive == 1_000_000)
  }

  /// The bound that Docs/Architecture.md states, over ten million pairs of mixed sizes.
  @Test func memoryStaysWithinTheStatedBound() throws {
    let (program, folder) = try Self.build("mixed")
    func resident(_ pairs: Int, _ flags: [String]) throws -> [Int] {
      let traced = try Traced.run([program, "\(pairs)"], flags: flags, in: folder)
      #expect(traced.report.processes.first?.totals.allocations == pairs)
      #expect(traced.report.findings.isEmpty)
      return traced.command.output.split(separator: "\n").compactMap { Int($0) }
    }
    let few = try resident(1000, ["--quarantine", "0"])
    let many = try resident(10_000_000, [])
    try #require(few.count == 2 && many.count == 2)
    // It does not grow …
    #expect(many[1] - many[0] < 512, "\(many)")
    // … beyond 4 MiB of strings and 2 MiB of what is remembered of them, and the heap's own losses.
    #expect(many[1] - few[1] < 7 * 1024, "\(few) \(many)")
  }

  /// The bounds that Docs/Performance.md states, with room: libunwind's memory for one thread alone
  /// would be 256 KiB.
  @Test(arguments: ["leaks", "full"])
  func aThreadTakesLittleMemoryAndLeavesLess(level: String) throws {
    let (program, folder) = try Self.build("many_threads")
    let traced = try Traced.run([program, "300"], flags: ["--level", level], in: folder)
    #expect(traced.report.processes.first?.totals.allocations == 2 * 300 * 2000)
    #expect(traced.report.findings.isEmpty)
    let kibibytes = traced.command.output.split(separator: "\n").compactMap { Int($0) }
    try #require(kibibytes.count == 3, "\(traced.command.output)")
    #expect(kibibytes[0] < 128, "alive: \(kibibytes)")
    #expect(kibibytes[1] < 64, "ended: \(kibibytes)")
    // The second round uses what the first one has left.
    #expect(kibibytes[2] < 8, "address space: \(kibibytes)")
  }

  @Test func signalsArePassedOnAndTheReportStillComes() throws {
    let (program, folder) = try Self.build("ending")
    for (signal, status) in [("TERM", 143), ("USR1", 138)] {
      let script = "\(Built.tool) run -- \(program) wait & sleep 1; kill -\(signal) $!; wait $!"
      let command = try Command.run(["timeout", "60", "sh", "-c", script], in: folder)
      #expect(command.status == Int32(status), "\(signal): \(command.errors)")
      #expect(command.errors.contains("1 BSTR, 6 bytes"))
    }
  }

  @Test func processesThatOutliveTheProgramAreNoLeaks() throws {
    let (program, folder) = try Self.build("ending")
    let traced = try Traced.run(
      ["sh", "-c", "timeout 5 \(program) wait & sleep 1; \(program) return; exit 0"], in: folder)
    let waiting = traced.report.processes.filter { $0.arguments == [program, "wait"] }
    #expect(waiting.first?.notes.contains { $0.contains("still running") } == true)
    #expect(waiting.first?.ended == "unknown")
    #expect(traced.report.summary.leakedBstrs == 1)
  }
}
