import Foundation
import Testing

/// The test kits, in the hands of a package and of programs that use them: which tests fail, and
/// what they say, word for word.
///
/// `BSTRTRACE_UPDATE_GOLDEN=1` writes the golden files.
@Suite(.serialized, .overAllProducts, .namingProducts) struct KitTests {
  // MARK: golden files

  /// A text without what differs from run to run and from machine to machine.
  private static func normalised(_ text: String) -> String {
    // Frames of the test frameworks, whose names and number are theirs to change.
    let frameworks = [
      "libXCTest", "libTesting", "libFoundation", "libswift", "$s", "testing::", "catch.hpp",
      "libc.so", "RUN_ALL_TESTS", "Catch::", "thunk for", "NoBSTRLeaks", "LeakScope.", "TaskScope.",
      "<unknown>", "partial apply", "xctest+", "runner.swift", "$main", "compiler-generated",
    ]
    let continued = String(repeating: " ", count: 16)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).filter { line in
      !(line.hasPrefix(continued) && frameworks.contains { line.contains($0) })
    }
    var text = lines.joined(separator: "\n")
      .replacingOccurrences(of: Built.root.path + "/", with: "")
    let variable = [
      (#"\(pid \d+\)"#, "(pid N)"), (#"\+0x[0-9a-f]+"#, "+0xN"), (#"after \d+ ms"#, "after N ms"),
      (#"\d+\.\d+ seconds"#, "N seconds"), (#"\(\d+ ms( total)?\)"#, "(N ms)"),
      (#"[^ ]*/([A-Za-z0-9]+\.xctest)"#, "$1"), (#"durationInSeconds="[^"]*""#, ""),
      (#" {3,}"#, "   "), (#"serial   \d+(, \d+)*"#, "serial   N"), (#"thread \d+"#, "thread N"),
      (#"from \d+ siblings?"#, "from N siblings"), (#"bstrtrace\.h:\d+"#, "bstrtrace.h:N"),
      (#" +\n"#, "\n"),
    ]
    for (pattern, replacement) in variable {
      text = text.replacingOccurrences(
        of: pattern, with: replacement, options: .regularExpression)
    }
    return text
  }

  private func expect(
    _ text: String, equals name: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let file = Built.root.appending(path: "Tests/EndToEndTests/Golden/\(name)")
    let text = Self.normalised(text)
    if ProcessInfo.processInfo.environment["BSTRTRACE_UPDATE_GOLDEN"] == "1" {
      try text.write(to: file, atomically: true, encoding: .utf8)
    }
    let golden = try String(contentsOf: file, encoding: .utf8)
    #expect(text == golden, sourceLocation: sourceLocation)
  }

  /// The lines from the first that contains `start` to the next that contains `end`.
  private func part(_ text: String, from start: String, to end: String) throws -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let first = try #require(lines.firstIndex { $0.contains(start) }, "\(start): \(text)")
    let last = try #require(lines[first...].firstIndex { $0.contains(end) })
    return lines[first...last].joined(separator: "\n") + "\n"
  }

  // MARK: Swift

  /// The package in Tests/Kits, built as somebody else's would be.
  private static func package() throws -> URL {
    let scratch = Built.root.appending(path: ".build/kits")
    let build = try Command.run(
      ["swift", "build", "--build-tests", "--scratch-path", scratch.path],
      in: Built.root.appending(path: "Tests/Kits"), limit: 900)
    if build.status != 0 { throw PreparationFailure(description: build.output + build.errors) }
    return scratch.appending(path: "debug/KitsPackageTests.xctest")
  }

  private func run(_ library: String, _ bundle: URL, _ flags: [String] = []) throws -> Command {
    var command = try Command.run([bundle.path, "--testing-library", library] + flags)
    // Which of the two a test library writes to is its own affair.
    command.output += command.errors
    return command
  }

  @Test func exactlyThoseTestsFailThatLeak() throws {
    let bundle = try Self.package()
    let pattern = try Regex(
      #"Test leaks\(_:\) recorded an issue with 1 argument number → (\d+)"#)
    for _ in 0..<50 {
      let command = try run("swift-testing", bundle, ["--filter", "ParallelTests"])
      #expect(command.status != 0)
      // In the order of the output: an issue's argument, and in its message the number that was
      // leaked.
      var argument: Int?
      var failed: [Int: Int] = [:]
      for line in command.output.split(separator: "\n") {
        if let found = line.firstMatch(of: pattern), let text = found.output[1].substring {
          argument = Int(text)
        } else if let number = argument, let range = line.firstRange(of: "leaks(_:) leaked ") {
          failed[number] = Int(line[range.upperBound...].prefix { $0.isNumber })
          argument = nil
        }
      }
      #expect(failed == Dictionary(uniqueKeysWithValues: (1...100).map { ($0, $0) }))
      #expect(!command.output.contains("Test isClean(_:) recorded"))
      #expect(command.output.contains("with 100 issues"))
    }
  }

  @Test func swiftTestingSaysWhatLeaked() throws {
    let bundle = try Self.package()
    let attachments = try Built.folder("kit-attachments")
    let command = try run(
      "swift-testing", bundle,
      ["--filter", "MessageTests|AllowedTests", "--attachments-path", attachments.path])
    let text = command.output
    let names = try FileManager.default.contentsOfDirectory(atPath: attachments.path)
    #expect(names.count { $0.hasPrefix("bstr-leaks") && $0.hasSuffix(".txt") } == 3)
    try expect(
      try part(text, from: "forgetsItsTitle() leaked", to: "SUMMARY")
        + part(text, from: "freesTwice() misused", to: "SUMMARY"),
      equals: "kit-swift-testing.txt")
    #expect(text.contains("Test isOnlyWarned() recorded a warning at MessageTests.swift"))
    #expect(text.contains("Test forgetsItsTitle() recorded an issue at MessageTests.swift:11"))
    #expect(text.contains("Suite AllowedTests passed"))
    #expect(text.contains("with 3 issues (including 1 warning)"))
  }

  @Test func xctestSaysWhatLeaked() throws {
    let command = try run("xctest", try Self.package())
    let text = command.output
    try expect(
      try part(text, from: "LeakyXCTests.testForgetsItsTitle leaked", to: "SUMMARY")
        + part(text, from: "a title is made", to: "SUMMARY"), equals: "kit-xctest.txt")
    #expect(text.contains("failed - the block leaked 1 BSTR (16 bytes)."))
    for name in ["testForgetsItsTitle", "testAsyncLeak"] {
      #expect(text.contains("Test Case 'LeakyXCTests.\(name)' failed"))
    }
    for name in [
      "LeakyXCTests.testIsClean", "LeakyXCTests.testAsyncClean", "BlockXCTests.testABlockIsClean",
    ] {
      #expect(text.contains("Test Case '\(name)' passed"), "\(name): \(text)")
    }
  }

  // MARK: C and C++

  private func build(_ name: String, _ libraries: [String] = []) throws -> (String, URL) {
    let folder = try Built.folder("kit-\(name)")
    try Scenario.compile(
      [
        Built.root.appending(path: "Tests/Kits/C/\(name)").path, "-g", "-o", "program",
        "-I\(Built.headers)", "-L\(Built.products.path)", "-Wl,-rpath,\(Built.products.path)",
      ] + libraries + ["-lbstrtrace-linked", "-lpthread"], in: folder)
    return (folder.appending(path: "program").path, folder)
  }

  @Test(.needs(.googleTest)) func googleTestSaysWhatLeaked() throws {
    let (_, folder) = try build("googletest.cpp", ["-lgtest"])
    let command = try Command.run(["./program"], in: folder)
    #expect(command.status == 1)
    try expect(command.output, equals: "kit-googletest.txt")
  }

  @Test(.needs(.catch2)) func catch2SaysWhatLeaked() throws {
    let (_, folder) = try build("catch2.cpp")
    let command = try Command.run(["./program", "--reporter", "xml"], in: folder)
    #expect(command.status == 2)
    try expect(command.output, equals: "kit-catch2.txt")
  }

  /// In either order, and without a warning.
  @Test(.needs(.googleTest), .needs(.catch2), arguments: [[], ["-DGOOGLE_FIRST"]])
  func bothFrameworksInOneFile(flags: [String]) throws {
    let (_, folder) = try build(
      "both.cpp", flags + ["-Wall", "-Wextra", "-Werror", "-lgtest"])
    let command = try Command.run(["./program"], in: folder)
    #expect(command.status == 11, "\(command.errors)")
    let text = command.output
    #expect(text.contains("Titles.Forgotten: BSTRs left behind or misused: 1.\n"), "\(text)")
    #expect(text.contains("[       OK ] Titles.Freed"))
    #expect(text.contains("forgotten: BSTRs left behind or misused: 1."))
    #expect(text.contains("test cases: 2 | 1 passed | 1 failed"))
  }

  @Test func plainCAssertsAndAborts() throws {
    let (_, folder) = try build("plain.c")
    let clean = try Command.run(["./program"], in: folder)
    #expect(clean.status == 0)
    #expect(clean.output == "no leaks\n")
    let leaky = try Command.run(["./program", "leak"], in: folder)
    #expect(leaky.status == 134)
    try expect(leaky.errors, equals: "kit-c.txt")
  }

  @Test func whatIsWrongWithAScopeIsTold() throws {
    let (_, folder) = try build("misuse.c")
    let command = try Command.run(
      ["./program"], environment: ["BSTRTRACE_OPTIONS": "error-exitcode=0"], in: folder)
    #expect(command.status == 0)
    try expect(command.errors, equals: "kit-misuse.txt")
  }

  @Test func sixtyFourThreadsAtOnce() throws {
    let (program, folder) = try build("threads.c")
    for _ in 0..<50 {
      let command = try Command.run(
        [program], environment: ["BSTRTRACE_OPTIONS": "error-exitcode=0"], in: folder)
      #expect(command.status == 0, "\(command.errors.prefix(2000))")
    }
  }

  /// Any other runner: the tool's exit status, whatever starts the tests.
  @Test(.needs(.make)) func otherRunnersFailByExitStatus() throws {
    let (program, folder) = try build("plain.c")
    let makefile = "check:\n\t\(program)\nleaky:\n\t-\(program) leak\n"
    try makefile.write(
      to: folder.appending(path: "Makefile"), atomically: true, encoding: .utf8)
    let clean = try Command.run([Built.tool, "run", "--", "make", "-s", "check"], in: folder)
    #expect(clean.status == 0)
    let leaky = try Command.run([Built.tool, "run", "--", "make", "-s", "leaky"], in: folder)
    #expect(leaky.status == 23)
    #expect(leaky.errors.contains("scope            titles"))
  }
}
