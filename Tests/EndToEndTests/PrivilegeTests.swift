import Foundation
import Testing
import TraceOptions

/// What the machine allows.
private enum Machine {
  /// Whether such programs can be made here: only root can give a file away, and a file system may
  /// be mounted so that the bits mean nothing.
  static var canGiveRights: Bool {
    var mount = statvfs()
    return geteuid() == 0 && statvfs("/tmp", &mount) == 0 && mount.f_flag & 2 == 0
  }
}

/// Programs with more rights than their caller, who chooses their environment: nothing of it is
/// believed, nothing is recorded and no file is touched.
@Suite(
  .serialized, .needs(.perl),
  .enabled(if: Machine.canGiveRights, "needs root, and /tmp without nosuid"))
struct PrivilegeTests {
  /// What gives a program rights of root's.
  enum Rights: String, CaseIterable {
    case none, user, group, capabilities
  }

  /// A folder of its own that everybody can reach, with a program in it and files that only root
  /// can touch.
  private final class Place {
    /// The folder.
    let folder: URL
    /// The program.
    var program: URL { folder.appending(path: "program") }
    /// Root's own folder.
    var secrets: URL { folder.appending(path: "secrets") }
    /// A file in it.
    var secret: URL { secrets.appending(path: "secret") }

    init(_ rights: Rights) throws {
      let name = UUID().uuidString
      folder = URL(filePath: "/tmp/bstrtrace-rights-\(name)")
      let files = FileManager.default
      try files.createDirectory(at: folder, withIntermediateDirectories: true)
      try run(["chmod", "755", folder.path])
      // Where the products are, only their owner may reach.
      for product in [
        "libbstrtrace-linked.so", "libbstrtrace-preload.so", "libbstrtrace-tracker.so", "bstrtrace",
      ] {
        try files.copyItem(
          at: Built.products.appending(path: product), to: folder.appending(path: product))
      }
      let source = Built.root.appending(path: "Tests/Scenarios/lifecycle/privileged.c").path
      try Scenario.compile(
        [
          source, "-g", "-o", "program", "-I\(Built.headers)", "-L\(folder.path)",
          "-Wl,-rpath,\(folder.path)", "-lbstrtrace-linked",
        ], in: folder)
      try files.createDirectory(at: secrets, withIntermediateDirectories: false)
      try "root's\n".write(to: secret, atomically: false, encoding: .utf8)
      // Root's group, too, so that set-group-id would be enough.
      try run(["chmod", "770", secrets.path])
      try run(["chmod", "660", secret.path])
      switch rights {
      case .none: break
      case .user: try run(["chmod", "4755", program.path])
      case .group: try run(["chmod", "2755", program.path])
      case .capabilities: try run(["setcap", "cap_dac_override=ep", program.path])
      }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// Every file with its content and the time of its last change.
    func contents() throws -> [String: String] {
      var contents: [String: String] = [:]
      for case let file as URL in FileManager.default.enumerator(
        at: folder, includingPropertiesForKeys: nil) ?? .init()
      {
        var status = stat()
        guard lstat(file.path, &status) == 0 else { continue }
        contents[file.path] =
          "\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec) \(status.st_size) \(status.st_mode)"
      }
      return contents
    }

    private func run(_ words: [String]) throws {
      let command = try Command.run(words)
      if command.status != 0 { throw PreparationFailure(description: command.errors) }
    }
  }

  /// Runs a command as `nobody`.
  private static func asNobody(
    _ words: [String], environment: [String: String] = [:], noNewPrivs: Bool = false,
    in place: Place
  ) throws -> Command {
    // PR_SET_NO_NEW_PRIVS
    let limit = noNewPrivs ? "syscall(157, 38, 1, 0, 0, 0) == 0 or exit 99;" : ""
    let become = """
      use POSIX; $) = "65534 65534"; POSIX::setgid(65534); POSIX::setuid(65534) or exit 98; \(limit)
      exec @ARGV or exit 127
      """
    return try Command.run(
      ["perl", "-e", become, "--"] + words, environment: environment, in: place.folder)
  }

  /// A value of an option that does something.
  private static func value(of option: TraceOption, _ place: Place) -> String {
    let values = [place.secret.path, "main", "on", "report", "json", "full", "4", "1"]
    var given = GivenOptions()
    // Any text passes for a path or for the name of a function.
    return values.first { given.give(option, $0) == nil } ?? "none fits"
  }

  /// The environments that a caller may try: each option by itself, all of them, and the other
  /// variables.
  private static func environments(_ place: Place) -> [[String: String]] {
    let secrets = place.secrets.path
    let options = TraceOption.all.map { "\($0.name)=\(value(of: $0, place))" }
    let all = [
      "BSTRTRACE_OPTIONS": options.joined(separator: ":"), "BSTRTRACE_STORE": secrets,
      "BSTRTRACE_RUNNER": "1", "TMPDIR": secrets, "NO_COLOR": "1", "TERM": "xterm",
    ]
    let new = "\(secrets)/new"
    return options.map { ["BSTRTRACE_OPTIONS": "track=on:\($0)"] }
      + [
        ["BSTRTRACE_OPTIONS": "track=on:output=\(new)"], ["BSTRTRACE_STORE": secrets],
        ["BSTRTRACE_STORE": secrets, "BSTRTRACE_OPTIONS": "track=on"],
        ["BSTRTRACE_STORE": secrets, "BSTRTRACE_RUNNER": "1"], ["TMPDIR": secrets], all,
      ]
  }

  @Test(arguments: [Rights.user, .group, .capabilities])
  func nothingOfTheEnvironmentIsBelieved(rights: Rights) throws {
    let place = try Place(rights)
    let before = try place.contents()
    for environment in Self.environments(place) {
      let command = try Self.asNobody([place.program.path], environment: environment, in: place)
      #expect(command.status == 0, "\(environment)")
      // The variable is gone, so that what such a program starts does not believe it either.
      #expect(
        command.output == "secure 1 strings 1 findings 0 store 0\n", "\(environment)")
      #expect(command.errors == "", "\(environment)")
      #expect(try place.contents() == before, "\(environment)")
    }
    #expect(try String(contentsOf: place.secret, encoding: .utf8) == "root's\n")
  }

  /// The same program without such rights: what the test above looks for is there.
  @Test func withoutRightsTheSameProgramIsRecorded() throws {
    let place = try Place(.none)
    let before = try place.contents()
    let command = try Command.run(
      [place.program.path],
      environment: ["BSTRTRACE_OPTIONS": "track=on:output=\(place.secret.path)"], in: place.folder)
    #expect(command.status == 23)
    #expect(command.output == "secure 0 strings 1 findings 1 store 0\n")
    #expect(try place.contents() != before)
    #expect(try String(contentsOf: place.secret, encoding: .utf8).contains("\"secret\""))
  }

  @Test(arguments: [
    (Rights.user, "it runs as another user (set-user-id)"),
    (.group, "it runs as another group (set-group-id)"),
    (.capabilities, "it has file capabilities"),
  ])
  func runRefusesThem(rights: Rights, reason: String) throws {
    let place = try Place(rights)
    let tool = place.folder.appending(path: "bstrtrace").path
    let refused = try Self.asNobody([tool, "run", "--", place.program.path], in: place)
    #expect(refused.status == 126)
    #expect(
      refused.errors.hasPrefix("bstrtrace: cannot run '\(place.program.path)': \(reason)"),
      "\(refused.errors)")
    #expect(refused.output == "")
    // By a script, too.
    let script = place.folder.appending(path: "script")
    try "#!\(place.program.path)\n".write(to: script, atomically: false, encoding: .utf8)
    _ = try Command.run(["chmod", "755", script.path])
    #expect(
      try Self.asNobody([tool, "run", "--", script.path], in: place).errors.contains(reason))
    // For root it is no more than it has: the kernel sets no AT_SECURE, and the program is traced.
    let traced = try Command.run([tool, "run", "--", place.program.path], in: place.folder)
    #expect(traced.status == 23, "\(traced.errors)")
    #expect(traced.output.hasPrefix("secure 0 "))
  }

  /// The two bits mean nothing to a process that can gain no rights; capabilities still set
  /// AT_SECURE.
  @Test(arguments: [Rights.user, .group, .capabilities])
  func withoutNewPrivilegesTheyAreRunAsTheKernelDoes(rights: Rights) throws {
    let place = try Place(rights)
    let tool = place.folder.appending(path: "bstrtrace").path
    let plain = try Self.asNobody([place.program.path], noNewPrivs: true, in: place)
    let isSecure = plain.output.hasPrefix("secure 1 ")
    let run = try Self.asNobody(
      [tool, "run", "--", place.program.path], noNewPrivs: true, in: place)
    #expect(run.status == (isSecure ? 126 : 23), "\(run.errors)")
  }

  /// A link of another user's, where everybody may put one, does not lead to its target.
  @Test func plantedLinksAreNotFollowed() throws {
    let place = try Place(.none)
    let shared = place.folder.appending(path: "shared")
    try FileManager.default.createDirectory(at: shared, withIntermediateDirectories: false)
    _ = try Command.run(["chmod", "1777", shared.path])
    let link = shared.appending(path: "report").path
    #expect(try Self.asNobody(["ln", "-s", place.secret.path, link], in: place).status == 0)
    let before = try place.contents()
    let linked = try Command.run(
      [place.program.path], environment: ["BSTRTRACE_OPTIONS": "track=on:output=\(link)"],
      in: place.folder)
    let refusal = "cannot write '\(link)': 'report' is another user's link"
    #expect(linked.errors.hasPrefix("bstrtrace: \(refusal)"))
    // The report is not lost.
    #expect(linked.errors.contains("SUMMARY: bstrtrace: 1 finding"))
    let tool = place.folder.appending(path: "bstrtrace").path
    for flags in [["--output", link], ["--keep-store", link]] {
      let run = try Command.run(
        [tool, "run"] + flags + ["--", place.program.path], in: place.folder)
      #expect(run.status == 2)
      #expect(run.output == "", "the program has run")
      #expect(run.errors.hasPrefix("bstrtrace: \(refusal)"))
    }
    #expect(try place.contents() == before)
    // One's own is followed.
    _ = try Command.run(["ln", "-sfn", place.secret.path, link])
    _ = try Command.run([tool, "run", "--output", link, "--", place.program.path])
    #expect(try String(contentsOf: place.secret, encoding: .utf8).contains("SUMMARY"))
  }
}

/// Where stores lie, who can read them, and when they go, as Docs/Security.md says.
@Suite struct StorePlaceTests {
  @Test func storesAreTheirOwnersAlone() throws {
    let folder = try Built.folder("store-place")
    let (program, _) = try LifecycleTests.build("ending")
    // While it runs; and the notes of processes that need no store.
    let show =
      "\(program) wait & sleep 0.5; stat -c '%a %u' $BSTRTRACE_STORE $BSTRTRACE_STORE/*.store "
      + "$BSTRTRACE_STORE/*.untraced | sort -u; kill $!"
    // With a mask that hides nothing.
    let run = try Command.run(
      ["sh", "-c", "umask 0; \(Built.tool) run -- sh -c \"$0\"", show],
      environment: ["TMPDIR": folder.path], in: folder)
    #expect(run.output == "600 \(geteuid())\n700 \(geteuid())\n")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
  }

  @Test(arguments: [("TERM", 0), ("KILL", 1)])
  func storesGoUnlessTheRunnerIsKilled(signal: String, left: Int) throws {
    let folder = try Built.folder("store-\(signal)")
    let end = "kill -\(signal) $BSTRTRACE_RUNNER; exec sleep 1"
    _ = try Command.run(
      [Built.tool, "run", "--", "sh", "-c", end], environment: ["TMPDIR": folder.path],
      in: folder)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(names.count { $0.hasPrefix("bstrtrace-") } == left, "\(names)")
  }
}
