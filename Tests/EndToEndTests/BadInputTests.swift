import Foundation
import Testing

/// Bad input: one clear sentence, the documented exit status, and no harm.
@Suite(.overAllProducts, .namingProducts) struct BadInputTests {
  /// Runs the tool and expects one line on standard error.
  private func refusal(
    _ words: [String], environment: [String: String] = [:], in folder: URL? = nil
  ) throws -> (status: Int32, sentence: String) {
    let command = try Command.run([Built.tool] + words, environment: environment, in: folder)
    let lines = command.errors.split(separator: "\n")
    #expect(lines.count == 1, "\(command.errors)")
    return (command.status, String(lines.first ?? ""))
  }

  // MARK: programs

  @Test func aProgramThatIsMissing() throws {
    let named = try refusal(["run", "--", "no-such-program-here"])
    #expect(named.status == 127)
    #expect(named.sentence == "bstrtrace: 'no-such-program-here' was not found in PATH")
    let path = try refusal(["run", "--", "./no/such"])
    #expect(path.status == 127)
    #expect(path.sentence == "bstrtrace: './no/such' was not found: No such file or directory")
  }

  /// Names that act on a terminal are shown escaped, in complaints as in reports.
  @Test func namesWithControlCharacters() throws {
    let strange = "\u{1B}[31m\nred\u{202E}"
    let shown = "\\u{1b}[31m\\nred\\u{202e}"
    let missing = try refusal(["run", "--", "./\(strange)"])
    #expect(missing.sentence == "bstrtrace: './\(shown)' was not found: No such file or directory")
    let store = try refusal(["report", "/no/such/\(strange)"])
    #expect(store.sentence.contains("/no/such/\(shown)"))
    let (program, folder) = try LifecycleTests.build("ending")
    let renamed = folder.appending(path: strange).path
    try FileManager.default.moveItem(atPath: program, toPath: renamed)
    let text = try Command.run([Built.tool, "run", "--", renamed, "return"], in: folder).errors
    #expect(text.hasPrefix("bstrtrace: \(folder.path)/\(shown) (pid "), "\(text)")
    #expect(!text.contains("\u{1B}") && !text.contains("\u{202E}"))
  }

  @Test func aProgramThatIsNotExecutable() throws {
    let folder = try Built.folder("not-executable")
    try "text".write(to: folder.appending(path: "file"), atomically: false, encoding: .utf8)
    let file = try refusal(["run", "--", "./file"], in: folder)
    #expect(file.status == 126)
    #expect(file.sentence == "bstrtrace: cannot run './file': it is not executable")
    let directory = try refusal(["run", "--", "/tmp"])
    #expect(directory.status == 126)
    #expect(directory.sentence == "bstrtrace: cannot run '/tmp': it is a directory")
    _ = try Command.run(["chmod", "+x", "file"], in: folder)
    let text = try refusal(["run", "--", "./file"], in: folder)
    #expect(text.status == 126)
    #expect(text.sentence.contains("neither a program of this kind of machine nor a script"))
    try "#! /no/such/shell\n".write(
      to: folder.appending(path: "file"), atomically: false, encoding: .utf8)
    let script = try refusal(["run", "--", "./file"], in: folder)
    #expect(script.status == 126)
    #expect(script.sentence.hasSuffix("its interpreter '/no/such/shell' does not exist"))
  }

  @Test func aProgramThatIsStatic() throws {
    let folder = try Built.folder("static")
    let source = Built.root.appending(path: "Tests/Scenarios/lifecycle/no_strings.c").path
    try Scenario.compile([source, "-static", "-o", "program"], in: folder)
    let fixed = try refusal(["run", "--", "./program"], in: folder)
    #expect(fixed.status == 126)
    #expect(fixed.sentence.contains("it is statically linked"))
  }

  @Test func aProgramOf32Bits() throws {
    let folder = try Built.folder("bits32")
    // A header is all that is looked at, and all that every machine can make.
    var header = [UInt8](repeating: 0, count: 52)
    header.replaceSubrange(0..<7, with: [0x7F, 0x45, 0x4C, 0x46, 1, 1, 1])
    header.replaceSubrange(16..<20, with: [2, 0, 3, 0])
    try Data(header).write(to: folder.appending(path: "program"))
    _ = try Command.run(["chmod", "+x", "program"], in: folder)
    let narrow = try refusal(["run", "--", "./program"], in: folder)
    #expect(narrow.status == 126)
    #expect(narrow.sentence.contains("it is a 32-bit program"))
  }

  @Test func noProgramAtAll() throws {
    let command = try Command.run([Built.tool, "run"])
    #expect(command.status == 64)
    #expect(command.errors.contains("No program to run. Write it behind '--'"))
    #expect(try Command.run([Built.tool, "run", "--depth", "0", "--", "true"]).status == 64)
    #expect(try Command.run([Built.tool, "run", "--olechar", "3", "--", "true"]).status == 64)
    #expect(try Command.run([Built.tool, "run", "--nonsense", "--", "true"]).status == 64)
  }

  @Test func programsWithoutCallsAreExplained() throws {
    let (none, noneFolder) = try LifecycleTests.build("no_strings")
    let quiet = try Command.run([Built.tool, "run", "--", none], in: noneFolder)
    #expect(quiet.status == 0)
    #expect(quiet.errors.contains("no BSTR function was called."))
    #expect(quiet.errors.contains("neither imports nor exports SysAllocString"))

    let (own, ownFolder) = try LifecycleTests.build("own_copy", flags: ["-rdynamic"])
    let private_ = try Command.run([Built.tool, "run", "--", own], in: ownFolder)
    #expect(private_.errors.contains("own_copy defines SysAllocString itself"))

    let (imports, importsFolder) = try LifecycleTests.build("ending")
    let idle = try Command.run(
      [Built.tool, "run", "--", "sh", "-c", "exec \(imports) unknown"],
      environment: ["BSTRTRACE_OPTIONS": "track=off"], in: importsFolder)
    #expect(idle.status == 98)
  }

  // MARK: output

  @Test func anOutputThatCannotBeWrittenIsToldBeforeTheProgramRuns() throws {
    let folder = try Built.folder("unwritable")
    for flag in ["--output", "--keep-store"] {
      let refused = try refusal(
        ["run", flag, "/no/such/folder/file", "--", "touch", "ran"], in: folder)
      #expect(refused.status == 2)
      #expect(
        refused.sentence
          == "bstrtrace: cannot write '/no/such/folder/file': No such file or directory")
    }
    #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "ran").path))
    let place = try refusal(["run", "--", "true"], environment: ["TMPDIR": "/no/such/folder"])
    #expect(place.status == 2)
    #expect(place.sentence.contains("cannot make a folder for stores in '/no/such/folder'"))
  }

  @Test func optionsThatAreNotUnderstoodAreNamedAndIgnored() throws {
    let command = try Command.run(
      [Built.tool, "run", "--", "true"],
      environment: ["BSTRTRACE_OPTIONS": "depth=many:colour=red:depth=12"])
    #expect(command.status == 0)
    #expect(
      command.errors.contains(
        "bstrtrace: BSTRTRACE_OPTIONS: ignored 'depth=many': expected a number from 1 to 256"))
    #expect(command.errors.contains("ignored 'colour=red': unknown key 'colour'"))
  }

  // MARK: full disks

  @Test(arguments: [128, 600, 2048, 16384]) func aFullDiskHarmsNobody(kibibytes: Int) throws {
    let (program, folder) = try LifecycleTests.build("disk")
    let mount = folder.appending(path: "small")
    try FileManager.default.createDirectory(at: mount, withIntermediateDirectories: true)
    // A small file system of its own, in a name space of its own.
    let script = """
      mount -t tmpfs -o size=\(kibibytes)k none \(mount.path) || exit 77
      TMPDIR=\(mount.path) \(Built.tool) run -- \(program)
      """
    let command = try Command.run(["unshare", "--mount", "--map-root-user", "sh", "-c", script])
    try #require(command.status != 77, "\(command.errors)")
    // The program checks every string and ends with 0: it was not harmed.
    #expect(command.status == 23 || command.status == 2, "\(command.errors)")
    let saysSo =
      command.errors.contains("could not be recorded")
      || command.errors.contains("nothing was recorded")
    #expect(saysSo == (kibibytes < 16384), "\(command.errors)")
  }

  @Test func aLimitOnFileSizeIsNoSignal() throws {
    let (program, folder) = try LifecycleTests.build("ending")
    let limited = try Command.run(
      ["sh", "-c", "ulimit -f 40000; \(Built.tool) run -- \(program) return"], in: folder)
    #expect(limited.status == 23, "\(limited.errors)")
    let tiny = try Command.run(
      ["sh", "-c", "ulimit -f 1; \(Built.tool) run -- \(program) return"], in: folder)
    #expect(tiny.status == 2)
    #expect(tiny.errors.contains("nothing was recorded"))
  }

  @Test func aLimitOnAddressSpaceIsRespected() throws {
    let (program, folder) = try LifecycleTests.build("ending")
    let limited = try Command.run(
      ["sh", "-c", "ulimit -v 2000000; \(Built.tool) run -- \(program) return"], in: folder)
    #expect(limited.status == 23, "\(limited.errors)")
    #expect(limited.errors.contains("1 BSTR, 6 bytes"))
  }

  // MARK: stores

  @Test func keptStoresReportTheSameAgain() throws {
    let (program, folder) = try LifecycleTests.build("ending")
    let run = try Command.run(
      [Built.tool, "run", "--keep-store", "kept.store", "--", program, "abort"], in: folder)
    #expect(run.status == 134)
    let again = try Command.run([Built.tool, "report", "kept.store"], in: folder)
    #expect(again.status == 23)
    #expect(again.errors == run.errors)
  }

  /// A file's time may be anything: past 2262 it is more nanoseconds than a number holds.
  @Test func keptStoresOfAnyTimeAreRead() throws {
    let (program, folder) = try LifecycleTests.build("ending")
    let run = try Command.run(
      [Built.tool, "run", "--keep-store", "kept.store", "--", program, "abort"], in: folder)
    let touch = try Command.run(["touch", "-d", "2400-01-01", "kept.store"], in: folder)
    #expect(touch.status == 0, "\(touch.errors)")
    let again = try Command.run([Built.tool, "report", "kept.store"], in: folder)
    #expect(again.status == 23)
    #expect(again.errors == run.errors)
  }

  @Test func storesThatAreNone() throws {
    let folder = try Built.folder("stores")
    func write(_ bytes: [UInt8]) throws {
      try Data(bytes).write(to: folder.appending(path: "x.store"))
    }
    let missing = try refusal(["report", "missing.store"], in: folder)
    #expect(missing.status == 2)
    #expect(missing.sentence == "bstrtrace: cannot read 'missing.store': No such file or directory")
    try write([])
    let empty = try refusal(["report", "x.store"], in: folder)
    #expect(empty.status == 2)
    #expect(empty.sentence == "bstrtrace: 'x.store' is empty")
    try write((0..<9000).map { UInt8(truncatingIfNeeded: $0 &* 37) })
    let random = try refusal(["report", "x.store"], in: folder)
    #expect(random.status == 2)
    #expect(random.sentence == "bstrtrace: 'x.store' is not a bstrtrace store")
  }

  @Test func storesThatWereCutOrAreOfAnotherVersion() throws {
    let (program, folder) = try LifecycleTests.build("ending")
    _ = try Command.run(
      [Built.tool, "run", "--keep-store", "kept.store", "--", program, "return"], in: folder)
    let kept = Array(try Data(contentsOf: folder.appending(path: "kept.store")))
    func write(_ bytes: [UInt8]) throws {
      try Data(bytes).write(to: folder.appending(path: "x.store"))
    }
    for count in [1, 100, 4095, 4096, (4096 + kept.count) / 2, kept.count - 64] {
      try write(Array(kept.prefix(count)))
      let cut = try Command.run([Built.tool, "report", "x.store"], in: folder)
      #expect(cut.status == 2, "\(count): \(cut.errors)")
      #expect(cut.errors.contains("is cut short") || cut.errors.contains("is damaged"))
    }
    var other = kept
    other[8] = 77
    try write(other)
    let version = try refusal(["report", "x.store"], in: folder)
    #expect(version.status == 2)
    #expect(version.sentence.contains("is a store of version 77; this bstrtrace reads version 5"))
  }
}
