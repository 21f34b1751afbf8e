import Foundation
import TestSupport
import Testing

@testable import BSTRReporter

/// llvm-symbolizer beside the runtime, and what becomes of one that misbehaves.
@Suite struct LLVMSymbolicatorTests {
  private static let libraries = [
    "/usr/lib/x86_64-linux-gnu/libstdc++.so.6", "/usr/lib/x86_64-linux-gnu/libunwind.so.8",
  ]

  private static func symbolizer() throws -> String {
    try #require(
      LLVMSymbolizer.find(path: ProcessInfo.processInfo.environment["PATH"] ?? ""),
      "the Swift toolchain has one")
  }

  private static func symbols(of path: String) -> (String?, [ElfFile.FileSymbol]) {
    let file = ElfFile(path: path)
    let all = file?.dynamicSymbols ?? []
    return (file?.buildID, all.filter { $0.isDefined && $0.isFunction && $0.size > 0 })
  }

  /// Those of the libraries, read once.
  private static let symbols = Dictionary(
    uniqueKeysWithValues: libraries.map { ($0, symbols(of: $0)) })

  /// Places spread over the functions of a file.
  private static func places(in path: String, _ count: Int) throws -> Set<CodeLocation> {
    let (buildID, functions) = symbols[path] ?? Self.symbols(of: path)
    try #require(!functions.isEmpty)
    var random = SeededGenerator(seed: 14)
    return Set(
      (0..<count).map { _ in
        let function = functions[Int.random(in: functions.indices, using: &random)]
        return CodeLocation(
          module: path, buildID: buildID,
          offset: function.value + UInt64.random(in: 1...function.size, using: &random))
      })
  }

  /// An executable script.
  private static func script(_ text: String) throws -> String {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let file = folder.appending(path: "llvm-symbolizer")
    try Script.write("#!/bin/sh\n" + text, to: file)
    return file.path
  }

  @Test(arguments: libraries) func bothGiveTheSameNames(_ library: String) throws {
    let places = try Self.places(in: library, 2000)
    var llvm = LLVMSymbolicator(path: try Self.symbolizer())
    var runtime = RuntimeSymbolicator()
    let (one, other) = (llvm.symbols(for: places), runtime.symbols(for: places))
    #expect(llvm.failure == nil)
    #expect(llvm.source == .llvmSymbolizer)
    #expect(runtime.source == .runtime)
    #expect(one.count > 1000)
    // Lines come from debug information, which these have not, or beside them.
    #expect(one.mapValues { $0.last?.name } == other.mapValues { $0.last?.name })
  }

  @Test func anotherBuildOfTheFileNamesNothing() throws {
    let places = try Self.places(in: Self.libraries[0], 50)
    let others = Set(
      places.map { CodeLocation(module: $0.module, buildID: "00", offset: $0.offset) })
    var llvm = LLVMSymbolicator(path: try Self.symbolizer())
    #expect(llvm.symbols(for: others).isEmpty)
    #expect(!llvm.symbols(for: others.union(places)).isEmpty)
    #expect(llvm.source == .llvmSymbolizer)
  }

  @Test func oneChildAnswersManyRequests() throws {
    let count = try Self.script(
      "echo started >> \"$(dirname \"$0\")/starts\"\nexec '\(try Self.symbolizer())' \"$@\"\n")
    var llvm = LLVMSymbolicator(path: count)
    for library in Self.libraries + Self.libraries {
      #expect(!llvm.symbols(for: try Self.places(in: library, 2000)).isEmpty)
    }
    #expect(llvm.failure == nil)
    let starts = try String(
      contentsOf: URL(filePath: count).deletingLastPathComponent().appending(path: "starts"),
      encoding: .utf8)
    #expect(starts == "started\n")
  }

  /// What the runtime says of a small library, asked once for all tests.
  private static let namedByRuntime = Result {
    let places = try LLVMSymbolicatorTests.places(in: libraries[1], 200)
    var runtime = RuntimeSymbolicator()
    return (places, runtime.symbols(for: places))
  }

  /// Each ends in what the runtime says, and in one sentence.
  @Test(arguments: [
    ("exit 1", "ended before it had answered"),
    ("kill -9 $$", "ended before it had answered"),
    ("exec sleep 60", "did not answer within 300 ms"),
    ("echo hello; echo; exec cat", "answered something else than was asked"),
    (
      "while read line; do echo 0x0; echo main; echo a.c:1:2; echo; done",
      "answered something else than was asked"
    ),
    (
      "while read line; do echo ${line##* }; echo main; echo; done",
      "answered something else than was asked"
    ),
    ("exec cat /dev/zero", "answered without an end"),
    ("exec yes", "answered without an end"),
  ])
  func whatMisbehavesIsReplacedByTheRuntime(_ text: String, _ reason: String) throws {
    let (places, expected) = try Self.namedByRuntime.get()
    let path = try Self.script(text + "\n")
    var llvm = LLVMSymbolicator(
      path: path,
      limits: SymbolizerProcess.Limits(silence: 300, total: 5000, answerBytes: 1 << 16))
    #expect(llvm.symbols(for: places) == expected)
    #expect(llvm.source == .runtime)
    #expect(
      llvm.failure == "'\(path)' \(reason): names come from the Swift runtime instead")
    // It is not started again.
    let start = ContinuousClock.now
    #expect(llvm.symbols(for: places) == expected)
    #expect(ContinuousClock.now - start < .seconds(5))
  }

  @Test func whatItAnsweredBeforeItDiedIsKept() throws {
    let path = try Self.script(
      """
      for i in 1 2 3; do
        read line
        echo ${line##* }
        echo _ZN6Window5titleEv
        echo /src/w.cpp:7:3
        echo
      done

      """)
    let places = try Self.places(in: Self.libraries[0], 10).sorted { $0.offset < $1.offset }
    var llvm = LLVMSymbolicator(path: path)
    let found = llvm.symbols(for: Set(places))
    for place in places.prefix(3) {
      #expect(found[place]?.last?.line == 7)
    }
    #expect(places.dropFirst(3).allSatisfy { found[$0]?.last?.line != 7 })
    #expect(llvm.source == .runtime)
  }

  @Test func aFileThatIsGuessedFromSymbolsIsNone() throws {
    let path = try Self.script(
      """
      for place in crtstuff.c:0:0 /src/a.swift:0:0 a.c:3:0; do
        read line
        printf '%s\\nf\\n%s\\n\\n' ${line##* } $place
      done
      read line

      """)
    let places = try Self.places(in: Self.libraries[0], 3).sorted { $0.offset < $1.offset }
    var llvm = LLVMSymbolicator(path: path)
    let found = llvm.symbols(for: Set(places))
    #expect(places.map { found[$0]?.last?.file } == [nil, "/src/a.swift", "a.c"])
    #expect(llvm.failure == nil)
  }

  @Test func whatCannotBeStartedIsReplacedByTheRuntime() throws {
    let places = try Self.places(in: Self.libraries[0], 10)
    var llvm = LLVMSymbolicator(path: "/no/such/llvm-symbolizer")
    #expect(!llvm.symbols(for: places).isEmpty)
    #expect(llvm.failure?.contains("cannot be run: No such file or directory") == true)
  }

  @Test func theChildIsGivenNoVariableThatChangesItsAnswers() throws {
    setenv("DEBUGINFOD_URLS", "http://127.0.0.1:9/", 1)
    setenv("LLVM_SYMBOLIZER_OPTS", "--demangle", 1)
    defer {
      unsetenv("DEBUGINFOD_URLS")
      unsetenv("LLVM_SYMBOLIZER_OPTS")
    }
    let path = try Self.script("env > \"$(dirname \"$0\")/env\"\n")
    var llvm = LLVMSymbolicator(path: path)
    _ = llvm.symbols(for: try Self.places(in: Self.libraries[0], 1))
    let variables = try String(
      contentsOf: URL(filePath: path).deletingLastPathComponent().appending(path: "env"),
      encoding: .utf8)
    let names = Set(variables.split(separator: "\n").compactMap { $0.split(separator: "=").first })
    #expect(names.contains("PATH"))
    #expect(
      names.isSubset(of: [
        "PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "LC_ALL", "PWD", "OLDPWD", "SHLVL", "_",
      ]), "\(names)")
  }

  @Test func theToolchainsIsFoundFirstAndVersionsLast() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    func program(_ name: String, mode: Int = 0o755) throws {
      let file = folder.appending(path: name)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try "".write(to: file, atomically: true, encoding: .utf8)
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path)
    }
    let root = folder.path
    func find(_ folders: String...) -> String? {
      LLVMSymbolizer.find(path: folders.map { "\(root)/\($0)" }.joined(separator: ":"))
        .map { $0.hasPrefix(root) ? String($0.dropFirst(root.count + 1)) : $0 }
    }
    try program("old/llvm-symbolizer-9")
    try program("old/llvm-symbolizer-15")
    try program("old/llvm-symbolizer-19")
    #expect(find("none", "old") == "old/llvm-symbolizer-19")
    try program("broken/llvm-symbolizer", mode: 0o644)
    #expect(find("broken", "old") == "old/llvm-symbolizer-19")
    try program("bin/llvm-symbolizer")
    #expect(find("old", "bin") == "bin/llvm-symbolizer")
    try program("toolchain/swift")
    try program("toolchain/llvm-symbolizer")
    try FileManager.default.createDirectory(
      at: folder.appending(path: "links"), withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      atPath: "\(root)/links/swift", withDestinationPath: "\(root)/toolchain/swift")
    #expect(find("bin", "links")?.hasSuffix("toolchain/llvm-symbolizer") == true)
    #expect(find("none") == nil)
    // What lies in the current folder is nobody's choice.
    #expect(LLVMSymbolizer.find(path: ".:bin:") == nil)
  }

  /// Copies of a library under such names are named as it is itself; whoever names them is said.
  @Test(arguments: [
    ("it's.so", NameSource.llvmSymbolizer), ("the \"best\".so", .llvmSymbolizer),
    ("the \"best\" it's.so", .runtime),
  ])
  func strangePathsAreAskedAbout(_ name: String, _ source: NameSource) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let copy = folder.appending(path: name).path
    try FileManager.default.copyItem(
      at: URL(filePath: Self.libraries[1]).resolvingSymlinksInPath(), to: URL(filePath: copy))
    let places = try Self.places(in: copy, 20)
    var llvm = LLVMSymbolicator(path: try Self.symbolizer())
    #expect(llvm.source == nil)
    #expect(!llvm.symbols(for: places).isEmpty)
    #expect(llvm.failure == nil)
    #expect(llvm.source == source)
  }

  @Test func whatAHungOneHasStartedEndsWithIt() throws {
    let path = try Self.script("sleep 60 &\necho $! > \"$(dirname \"$0\")/child\"\nwait\n")
    var llvm = LLVMSymbolicator(
      path: path, limits: SymbolizerProcess.Limits(silence: 500, total: 5000))
    _ = llvm.symbols(for: try Self.places(in: Self.libraries[0], 1))
    #expect(llvm.failure?.contains("did not answer") == true)
    let child = try String(
      contentsOf: URL(filePath: path).deletingLastPathComponent().appending(path: "child"),
      encoding: .utf8
    ).trimmingCharacters(in: .whitespacesAndNewlines)
    func isRunning() -> Bool {
      let status = try? String(contentsOfFile: "/proc/\(child)/stat", encoding: .utf8)
      return status.map { !$0.contains(") Z ") } ?? false
    }
    // Signals take a moment.
    for _ in 0..<200 where isRunning() { usleep(10_000) }
    #expect(!isRunning())
  }

  @Test func pathsThatAQuestionCannotHoldAreNotAsked() {
    for path in ["/usr/lib/a b.so", "/a\"b", "/it's", "/größe"] {
      #expect(SymbolizerProcess.canAsk(about: path))
    }
    for path in ["", "a.so", "/it's \"b\"", "/a\nb", "/" + String(repeating: "a", count: 1000)] {
      #expect(!SymbolizerProcess.canAsk(about: path))
    }
  }
}
