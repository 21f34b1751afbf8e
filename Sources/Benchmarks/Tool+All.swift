// All tools, as far as the machine has them.

import FoundationEssentials
import Glibc

extension Tool {
  static let plain = Tool(name: "plain", linkage: .plain)

  /// Returns this project, preloaded by `bstrtrace run`.
  static func preloaded(_ level: Level) -> Tool {
    let command = "\(Machine.products)/bstrtrace"
    return Tool(
      name: "preloaded\(level.suffix)", linkage: .plain,
      prefix: [command, "run", "--error-exitcode", "0", "--output", "/dev/null"] + level.flags
        + ["--"])
  }

  /// Returns this project's preload alone, as `bstrtrace run` would set it, without that command's
  /// own time.
  ///
  /// - Parameter stores: a folder for its stores.
  static func preloadAlone(_ level: Level, stores: String) -> Tool {
    Tool(
      name: "preload alone\(level.suffix)", linkage: .plain,
      environment: [
        "LD_PRELOAD": "\(Machine.products)/libbstrtrace-preload.so", "BSTRTRACE_STORE": stores,
        "BSTRTRACE_OPTIONS": (["track=on"] + level.settings).joined(separator: ":"),
      ])
  }

  /// Returns this project, linked.
  static func linked(_ level: Level) -> Tool {
    let settings = ["track=on", "output=/dev/null", "error-exitcode=0"] + level.settings
    return Tool(
      name: "linked\(level.suffix)", linkage: .linked,
      environment: ["BSTRTRACE_OPTIONS": settings.joined(separator: ":")])
  }

  /// Returns this project, linked, with options of `Docs/Options.md` that cost or save time.
  static let withOptions: [Tool] = [
    "track=off", "level=leaks", "level=leaks:depth=8", "level=leaks:guards=on", "level=full",
    "level=full:depth=8", "level=full:guards=off", "level=full:quarantine-blocks=0",
    "level=full:guards=off:quarantine-blocks=0", "level=full:quarantine-blocks=16320",
    "level=full:fail-allocation=1000000000", "level=full:verify-stacks=on",
  ].map { options in
    let settings = "\(options.hasPrefix("track") ? "" : "track=on:")\(options)"
    return Tool(
      name: options.replacing(":", with: " "), linkage: .linked,
      environment: ["BSTRTRACE_OPTIONS": "\(settings):output=/dev/null:error-exitcode=0"])
  }

  static let linkedOff = Tool(
    name: "linked, off", linkage: .linked, environment: ["BSTRTRACE_OPTIONS": "track=off"])

  static let leakSanitizerName = "LSan 14"
  static let exactLeakSanitizerName = "LSan 14, exact"
  static let addressSanitizerName = "ASan 14"
  static let heaptrackName = "heaptrack"
  static let memcheckName = "memcheck"
  static let heapCheckerName = "gperftools"

  /// Returns all tools that can take part, in the order of the tables, and those that cannot.
  ///
  /// - Parameter temporary: a folder for files that peers write.
  static func all(temporary: String) -> (present: [Tool], absent: [MissingTool]) {
    var present = [plain]
    var absent: [MissingTool] = []
    for level in Level.allCases {
      guard level.isKnown else {
        absent.append(
          MissingTool(
            name: "preloaded\(level.suffix), linked\(level.suffix)",
            reason: "'bstrtrace run --help' knows no --level yet"))
        continue
      }
      present += [preloaded(level), linked(level)]
    }
    present.append(linkedOff)
    for peer in peers(temporary: temporary) {
      if let reason = peer.problem(in: temporary) {
        absent.append(MissingTool(name: peer.tool.name, reason: reason))
      } else {
        present.append(peer.tool)
      }
    }
    return (present, absent)
  }

  private static func peers(temporary: String) -> [Peer] {
    let clang = Machine.find("clang-14") ?? "/usr/bin/clang-14"
    let swift = Machine.folder(of: Machine.resolved(Machine.find("swift") ?? "/usr/bin/swift"))
    let packages = "apt-get install clang-14 libclang-rt-14-dev"
    // The slow unwinder reads call frame information, as this project does.
    let exact = ["LSAN_OPTIONS": "fast_unwind_on_malloc=0"]
    let tcmalloc = "/usr/lib/x86_64-linux-gnu/libtcmalloc.so.4"
    return [
      Peer(
        Tool(
          name: leakSanitizerName, linkage: .sanitized(compiler: clang, sanitizer: "leak")),
        needs: clang, packages),
      Peer(
        Tool(
          name: exactLeakSanitizerName,
          linkage: .sanitized(compiler: clang, sanitizer: "leak"), environment: exact),
        needs: clang, packages),
      Peer(
        Tool(
          name: addressSanitizerName, linkage: .sanitized(compiler: clang, sanitizer: "address")),
        needs: clang, packages),
      Peer(
        Tool(
          name: "LSan, Swift's",
          linkage: .sanitized(compiler: "\(swift)/clang", sanitizer: "leak")),
        needs: "\(swift)/clang", "the clang of a Swift toolchain"),
      Peer(
        Tool(
          name: heaptrackName, linkage: .plain,
          prefix: [
            Machine.find("heaptrack") ?? "/usr/bin/heaptrack", "-o", "\(temporary)/heaptrack",
          ], isSlowAtFirst: true),
        needs: Machine.find("heaptrack") ?? "/usr/bin/heaptrack", "apt-get install heaptrack"),
      Peer(
        Tool(
          name: memcheckName, linkage: .plain,
          prefix: [Machine.find("valgrind") ?? "/usr/bin/valgrind", "--leak-check=full"],
          isSlowAtFirst: true),
        needs: Machine.find("valgrind") ?? "/usr/bin/valgrind", "apt-get install valgrind"),
      Peer(
        Tool(
          name: heapCheckerName, linkage: .plain,
          environment: [
            "LD_PRELOAD": tcmalloc, "HEAPCHECK": "normal",
            "HEAP_CHECK_DUMP_DIRECTORY": temporary,
          ]),
        needs: tcmalloc, "apt-get install libgoogle-perftools-dev"),
    ]
  }
}

/// The amount that this project records.
enum Level: String, CaseIterable {
  /// The stacks of allocations only.
  case leaks
  /// The default: stacks of frees, guards and quarantine, too.
  case full

  /// Whether this build of the project has it.
  var isKnown: Bool { self == .full || Self.hasFlag }
  var suffix: String { self == .full ? "" : ", leaks" }
  var flags: [String] { Self.hasFlag ? ["--level", rawValue] : [] }
  var settings: [String] { Self.hasFlag ? ["level=\(rawValue)"] : [] }

  private static let hasFlag: Bool = {
    let help = try? Child(["\(Machine.products)/bstrtrace", "run", "--help"], in: "/tmp")
    return help?.output.contains("--level") == true
  }()
}

/// A tool that the machine may lack.
private struct Peer {
  let tool: Tool
  private let file: String
  private let remedy: String

  init(_ tool: Tool, needs file: String, _ remedy: String) {
    self.tool = tool
    self.file = file
    self.remedy = remedy
  }

  /// Returns the reason why it cannot take part, or `nil`.
  func problem(in temporary: String) -> String? {
    guard access(file, R_OK) == 0 else { return "not installed: \(remedy)" }
    guard case .sanitized(let compiler, let sanitizer) = tool.linkage else { return nil }
    let program = "\(temporary)/attempt"
    let source = "\(Programs.sources)/empty.c"
    let made = try? Child(
      [compiler, "-fsanitize=\(sanitizer)", source, "-o", program], in: temporary)
    guard made?.status == 0 else { return "does not link: \(remedy)" }
    let ran = try? Child([program], in: temporary)
    return ran?.status == 0 ? nil : "its programs do not run here"
  }
}
