import Foundation

/// A command that was run to its end.
struct Command {
  /// What it wrote to standard output.
  var output: String
  /// What it wrote to standard error.
  var errors: String
  /// Its exit status, or 128 and the signal that ended it.
  var status: Int32

  /// Runs a command.
  ///
  /// - Parameters:
  ///   - words: program and arguments; the program is looked for in PATH.
  ///   - environment: variables in addition to those of this process.
  ///   - folder: the folder to run in.
  ///   - limit: seconds after which it is ended.
  static func run(
    _ words: [String], environment: [String: String] = [:], in folder: URL? = nil,
    limit: Int = 300
  ) throws -> Command {
    let process = Process()
    // The threads that run tests block every signal, and a child starts with its parent's mask.
    let unblock = "use POSIX; sigprocmask(SIG_SETMASK, POSIX::SigSet->new); exec @ARGV or exit 127"
    process.executableURL = URL(filePath: "/usr/bin/perl")
    // Nothing hangs, not even a test: 124 is the status of what was ended here.
    process.arguments = ["-e", unblock, "--", "timeout", "\(limit)"] + words
    process.environment = ProcessInfo.processInfo.environment
      // A job that runs the tests is not what they are about.
      .filter { !$0.key.hasPrefix("GITHUB_") }.merging(environment) { $1 }
    if !Products.current.recordsByDefault {
      // In front: what a test asks for itself stands behind, and goes.
      let options = process.environment?["BSTRTRACE_OPTIONS"] ?? ""
      process.environment?["BSTRTRACE_OPTIONS"] = "track=on:\(options)"
    }
    process.currentDirectoryURL = folder
    // Files, not pipes: a child that outlives the command must not keep us waiting.
    let scratch = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: scratch) }
    let files = ["out", "err"].map { scratch.appending(path: $0) }
    for file in files { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: files[0])
    process.standardError = try FileHandle(forWritingTo: files[1])
    try process.run()
    process.waitUntilExit()
    let isSignal = process.terminationReason == .uncaughtSignal
    return Command(
      output: String(decoding: try Data(contentsOf: files[0]), as: UTF8.self),
      errors: String(decoding: try Data(contentsOf: files[1]), as: UTF8.self),
      status: process.terminationStatus + (isSignal ? 128 : 0))
  }
}

/// What this package has built, and where the tests' own programs go.
enum Built {
  /// The root of the package.
  static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  /// The folder of the products that the running test is about.
  static var products: URL { Products.current.folder }
  /// The command line tool.
  static var tool: String { products.appending(path: "bstrtrace").path }
  /// Where bstr.h is.
  static let headers = root.appending(path: "Sources/CBSTR/include").path

  /// A folder of its own for each caller, removed with the build folder.
  static func folder(_ name: String) throws -> URL {
    let folder = products.appending(path: "end-to-end/\(name)")
    try? FileManager.default.removeItem(at: folder)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }
}

/// A step of a test's preparation that failed.
struct PreparationFailure: Error, CustomStringConvertible {
  var description: String
}
