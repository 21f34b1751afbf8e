import Foundation
import Testing

/// Stacks that are recognised rather than walked: each is what a full walk finds.
@Suite struct RecognisedStacksTests {
  static let builds = [
    ["-O0"], ["-O2", "-fomit-frame-pointer"], ["-O2", "-fno-omit-frame-pointer"],
    ["-O3", "-fomit-frame-pointer", "-mpreferred-stack-boundary=5"],
  ]

  @Test(arguments: builds)
  func areWhatAWalkFinds(_ flags: [String]) throws {
    let folder = try Built.folder("recognised\(flags.joined())")
    let sources = Built.root.appending(path: "Tests/Scenarios/lifecycle")
    let common = ["-g", "-I\(Built.headers)"] + flags
    for (name, more) in [("one", []), ("two", ["-DOTHER"])] as [(String, [String])] {
      try Scenario.compile(
        [
          sources.appending(path: "unwinding_plugin.c").path, "-shared", "-fPIC", "-o",
          "lib\(name).so",
        ] + common + more, in: folder)
    }
    try Scenario.compile(
      [
        sources.appending(path: "unwinding.cpp").path, "-o", "program", "-L\(Built.products.path)",
        "-Wl,-rpath,\(Built.products.path)", "-lbstrtrace-linked", "-ldl", "-lpthread",
      ] + common, in: folder)
    // Most of them come again and again; those that are odd are walked each time.
    #expect(try recognised("shapes 400 ./libone.so ./libtwo.so", in: folder) > 25_000)
    #expect(try recognised("shapes 100 ./libone.so ./libtwo.so", depth: 1, in: folder) > 15_000)
    #expect(try recognised("shorter", in: folder) == 160)
    #expect(try recognised("cuts", depth: 8, in: folder) > 10)
    #expect(try recognised("deep 12", depth: 256, in: folder) == 12)
    // Each place three times in a row. Where the kernel puts stack and code decides how few push
    // one another out.
    #expect(try recognised("many 60000", in: folder) > 39_000)

    // A string's two stacks are walked twice each before they are known; again two of each for the
    // other way, one to begin with that, and two for what came first, which branches from it then.
    #expect(try recognised("phases 12000", in: folder) == 2 * (12000 - 2 - 2 - 1 - 2))
    #expect(try recognised("turns 12000", in: folder) == 2 * (12000 - 2 - 2))
  }

  /// Runs one of the program's programs, and says how many stacks were recognised, all as a walk
  /// finds them.
  private func recognised(
    _ arguments: String, depth: Int = 64, in folder: URL
  ) throws -> Int {
    let command = try Command.run(
      ["./program"] + arguments.split(separator: " ").map(String.init),
      environment: ["BSTRTRACE_OPTIONS": "verify-stacks=on:depth=\(depth)"], in: folder)
    #expect(command.status == 0, "\(arguments): \(command.errors.prefix(3000))")
    let pattern = try Regex(
      #"note: (\d+) unwind-cache hits? (?:was|were) unwound again in full: all were the same\."#)
    let found = command.errors.firstMatch(of: pattern)
    #expect(found != nil, "\(arguments): \(command.errors.prefix(3000))")
    return found?.output[1].substring.flatMap { Int($0) } ?? 0
  }

  @Test func ofSwiftTasksToo() throws {
    let folder = try Built.folder("recognised-swift")
    let source = """
      import CBSTR

      @inline(never) func pair(_ n: Int) { SysFreeString(SysAllocStringLen(nil, UInt32(n))) }
      @inline(never) func deep(_ n: Int) async -> Int {
        if n == 0 { pair(3); await Task.yield(); pair(4); return 0 }
        pair(n)
        let below = await deep(n - 1)
        pair(n)
        return below + 1
      }
      for round in 0..<300 {
        _ = await deep(round % 7)
        await withTaskGroup(of: Void.self) { group in
          for n in 0..<4 { group.addTask { _ = await deep(n) } }
        }
      }
      """
    let file = folder.appending(path: "main.swift")
    try source.write(to: file, atomically: true, encoding: .utf8)
    try Scenario.compile(
      [
        file.path, "-O", "-g", "-o", "program", "-I\(Built.headers)", "-L\(Built.products.path)",
        "-Xlinker", "-rpath", "-Xlinker", Built.products.path, "-lbstrtrace-linked",
      ], in: folder)
    let command = try Command.run(
      ["./program"], environment: ["BSTRTRACE_OPTIONS": "verify-stacks=on"], in: folder)
    #expect(command.status == 0, "\(command.errors)")
    #expect(command.errors.contains("all were the same"), "\(command.errors.prefix(2000))")
  }
}
