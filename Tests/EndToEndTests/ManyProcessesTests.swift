import Foundation
import Testing

/// Runs of many processes, and of long ones: what has ended is collected meanwhile.
@Suite(.overAllProducts, .namingProducts) struct ManyProcessesTests {
  /// Runs a script under the tool, with stores in the folder `stores`.
  private static func run(_ script: String, in folder: URL) throws -> Traced {
    try FileManager.default.createDirectory(
      at: folder.appending(path: "stores"), withIntermediateDirectories: true)
    return try Traced.run(
      ["sh", "-c", script], flags: ["--store-dir", "stores", "--error-exitcode", "0"], in: folder)
  }

  /// Their stores are files of their own for a moment only, and the report has all of them.
  @Test func storesOfEndedProcessesAreCollectedMeanwhile() throws {
    let (program, folder) = try LifecycleTests.build("ending")
    let traced = try Self.run(
      """
      for how in return exit7 _exit abort kill exec-self return return; do \(program) $how; done
      # Until no more are left than those of the shell and of what it ran last.
      for n in $(seq 200); do
        set -- stores/*/[0-9]*.store
        [ $# -le 4 ] && break; sleep 0.3
      done
      echo $# > left; ls stores/*/ended.store > packed
      \(program) return; exit 3
      """, in: folder)
    #expect(traced.command.status == 3)
    let left = try String(contentsOf: folder.appending(path: "left"), encoding: .utf8)
    #expect(try #require(Int(left.filter(\.isNumber))) <= 4, "\(left)")
    let packed = try String(contentsOf: folder.appending(path: "packed"), encoding: .utf8)
    #expect(packed.contains("stores/"))
    let leaking = traced.report.processes.filter { !$0.findings.isEmpty }
    #expect(leaking.count == 10)
    #expect(
      leaking.map(\.ended) == [
        "exit", "exit", "exit", "unknown", "unknown", "unknown", "exit", "exit", "exit", "exit",
      ])
    #expect(traced.report.summary.leakedBstrs == 10)
    // Killed ones had strings, and leaked none.
    #expect(traced.report.merged.map(\.count).reduce(0, +) == 10)
    #expect(traced.report.processes.first?.status == 3)
    #expect(traced.report.damage.isEmpty)
    let stores = folder.appending(path: "stores").path
    #expect(try FileManager.default.contentsOfDirectory(atPath: stores).isEmpty)
  }

  /// Two faults of sixty processes are two findings, of a kept store, too.
  @Test func whatManyProcessesHaveIsShownOnce() throws {
    let (program, folder) = try LifecycleTests.build("processes")
    let traced = try Traced.run(
      [program, "60", "fork"], flags: ["--keep-store", "kept.store"], in: folder)
    #expect(traced.report.processes.count == 61)
    #expect(traced.report.merged.map(\.count) == [60, 60])
    let again = try Command.run([Built.tool, "report", "kept.store"], in: folder)
    #expect(again.errors.contains("SUMMARY: bstrtrace: 2 findings: 2 leaks (120 BSTRs"))
    #expect(again.errors.components(separatedBy: "60, of which this is the first").count == 3)
  }

  /// A process is not taken for one that has ended because its main thread has, because another
  /// namespace gives its number another meaning, or because its name is no text.
  @Test(arguments: ["thread", "here", "named"]) func whatSeemsToHaveEndedGoesOn(how: String) throws
  {
    let (program, folder) = try LifecycleTests.build("late")
    let late = "\(program) \(how) begun wanted"
    let isElsewhere = how == "here"
    // In a namespace of its own it has the number of a process that has ended outside of it.
    let start =
      isElsewhere
      ? """
      dead=$(sh -c 'echo $$')
      unshare --pid --fork --map-root-user sh -c \
        "echo $((dead - 1)) > /proc/sys/kernel/ns_last_pid; \(late) & wait"
      """ : late
    let traced = try Self.run(
      """
      \(start) &
      for n in $(seq 100); do [ -f begun ] && break; sleep 0.1; done
      # Some looks for what has ended.
      \(program) here ended ended; sleep 1.5
      touch wanted; wait
      """, in: folder)
    try #require(!traced.command.errors.contains("unshare: "), "\(traced.command.errors)")
    let process = traced.report.processes.first {
      $0.arguments.contains("begun") && $0.executable.hasSuffix("/late")
    }
    #expect(process?.findings.map(\.count) == [1, 1], "\(traced.command.errors)")
    #expect(process?.ended == "exit")
  }

  /// Without TMPDIR they are not where they would take memory.
  @Test(
    .enabled(
      if: !Built.root.path.hasPrefix("/tmp/"),
      "the checkout is in /tmp, which it covers with a tmpfs"))
  func storesAreOnADiskByDefault() throws {
    let (program, folder) = try LifecycleTests.build("ending")
    // In a name space of its own, which has another /tmp.
    let script = """
      unset TMPDIR; mount -t tmpfs none /tmp || exit 77
      \(Built.tool) run -- sh -c '\(program) return; ls -d /tmp/bstrtrace-* /var/tmp/bstrtrace-*'
      """
    let command = try Command.run(
      ["unshare", "--mount", "--map-root-user", "sh", "-c", script], in: folder)
    try #require(command.status != 77, "\(command.errors)")
    #expect(command.output.hasPrefix("/var/tmp/bstrtrace-"), "\(command.output)")
    #expect(command.errors.contains("1 BSTR, 6 bytes"), "\(command.errors)")
  }

  @Test func aFolderThatCannotHaveStoresIsNamed() throws {
    let (program, folder) = try LifecycleTests.build("ending")
    for (path, reason) in [
      ("missing", "No such file or directory"), (program, "Not a directory"),
      ("/proc", "No such file or directory"),
    ] {
      let command = try Command.run(
        [Built.tool, "run", "--store-dir", path, "--", program, "return"], in: folder)
      #expect(command.status == 2)
      #expect(
        command.errors.contains("cannot make a folder for stores in '")
          && command.errors.contains(
            "': \(reason); --store-dir names another folder for stores"),
        "\(command.errors)")
    }
  }

  // MARK: progress

  /// Keeps a store, and makes a symbolizer that is slow to answer.
  private static func slowReport() throws -> (folder: URL, command: String) {
    let (program, folder) = try LifecycleTests.build("ending")
    let kept = try Command.run(
      [Built.tool, "run", "--keep-store", "kept.store", "--", program, "return"], in: folder)
    #expect(kept.status == 23)
    let slow = folder.appending(path: "slow").path
    try "#!/bin/sh\nsleep 2\nexit 1\n".write(toFile: slow, atomically: true, encoding: .utf8)
    #expect(chmod(slow, 0o700) == 0)
    return (folder, "\(Built.tool) report --symbolizer \(slow) kept.store")
  }

  @Test func aTerminalShowsTheProgress() throws {
    let (folder, command) = try Self.slowReport()
    let line = "\r\u{1B}[Kbstrtrace: making the report"
    for (terminal, isShown) in [("xterm", true), ("dumb", false)] {
      let shown = try Command.run(
        ["script", "-qec", command, "/dev/null"], environment: ["TERM": terminal], in: folder)
      #expect(shown.output.contains(line) == isShown, "\(shown.output)")
      // Erased at the end, where the report follows.
      #expect(shown.output.contains("\(line)\r\u{1B}[Kbstrtrace: /") == isShown)
      #expect(shown.output.contains("LEAK"))
    }
  }

  @Test func whatIsNoTerminalGetsNoProgress() throws {
    let (folder, command) = try Self.slowReport()
    let shown = try Command.run(["sh", "-c", command], environment: ["TERM": "xterm"], in: folder)
    #expect(shown.errors.contains("LEAK"))
    #expect(!(shown.errors + shown.output).contains("making the report"))
  }
}
