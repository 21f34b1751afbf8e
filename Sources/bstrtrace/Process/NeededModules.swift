// The modules that a program needs, from the loader, without running the program.

import BSTRReporter
import FoundationEssentials
import Glibc

/// The modules that the loader would load for a program or library before it runs.
struct NeededModules {
  /// Their paths, in the loader's order, without the program's or library's own.
  private(set) var paths: [String] = []
  /// The names of those that the loader did not find.
  private(set) var missing: [String] = []
  /// The paths of those that lack a version of their symbols, as an old libc does, with that
  /// version.
  private(set) var missingVersions: [(path: String, version: String)] = []

  /// The system's loader. Not the one that a file names: nothing of a program is run that is only
  /// to be looked at.
  #if arch(x86_64)
    private static let loader = "/lib64/ld-linux-x86-64.so.2"
  #elseif arch(arm64)
    private static let loader = "/lib/ld-linux-aarch64.so.1"
  #endif

  /// Asks the loader.
  ///
  /// - Parameter path: a program or library that is loaded dynamically.
  init(of path: String) throws {
    func cannot(_ reason: some CustomStringConvertible) -> ToolFailure {
      ToolFailure("cannot look at '\(path)': \(reason)")
    }
    guard access(path, R_OK) == 0 else { throw cannot(OutputFile.reason()) }
    switch ProgramHeader(ofFileAt: path) {
    case .dynamic, .fixed: break
    case .bits32, .script, nil: throw cannot("it is no 64-bit ELF file of this kind of machine")
    }
    // A name without a slash would be looked up like a library's.
    let file = path.contains("/") ? path : "./" + path
    var (output, signal) = try Self.output(of: [Self.loader, "--list", file])
    // It lists nothing when a library is missing; as ldd asks it, it lists the others. Only a
    // loader that knows the word is asked so: another one would run the program.
    if output.contains(": error while loading shared libraries: ") {
      (output, signal) = try Self.output(
        of: [Self.loader, file], adding: ["LD_TRACE_LOADED_OBJECTS=1"])
    }
    // By reading what a file that is cut short does not have.
    if signal != 0 { throw cannot("signal \(signal) ended the loader") }
    let refusal = ": error while loading shared libraries: \(file): "
    if let range = output.firstRange(of: refusal) {
      let reason = output[range.upperBound...].prefix { $0 != "\n" }
      throw cannot("the loader says '\(reason)'")
    }
    for line in output.split(separator: "\n") {
      if let lack = Self.missingVersion(line) {
        missingVersions.append(lack)
        continue
      }
      // "\tlibc.so.6 => /lib/libc.so.6 (0x7f…)", "\t/lib64/ld-linux.so.2 (0x7f…)",
      // "\tlinux-vdso.so.1 (0x7f…)", "\tlibmissing.so => not found"
      let words = line.trimmingPrefix("\t")
      let name = words.prefix { $0 != " " }
      if words.hasSuffix("=> not found") {
        missing.append(String(name))
        continue
      }
      let target = words.firstRange(of: " => ").map { words[$0.upperBound...] } ?? words
      guard let end = target.ranges(of: " (0x").last?.lowerBound, target[..<end].contains("/")
      else { continue }
      paths.append(String(target[..<end]))
    }
  }

  /// Returns what a line says of a missing version: "./program: /lib/libc.so.6: version
  /// `GLIBC_2.35' not found (required by ./program)"; `nil` for another line.
  private static func missingVersion(_ line: Substring) -> (path: String, version: String)? {
    guard let start = line.firstRange(of: ": version `"),
      let end = line.firstRange(of: "' not found (required by "),
      let name = line[..<start.lowerBound].ranges(of: ": ").last
    else { return nil }
    return (
      String(line[name.upperBound..<start.lowerBound]),
      String(line[start.upperBound..<end.lowerBound])
    )
  }

  /// Returns what a program writes to its standard output and error, and the signal that ended it,
  /// 0 for none.
  ///
  /// - Parameter variables: what is added to the environment, on which it depends where libraries
  ///   are looked for.
  private static func output(
    of words: [String], adding added: [String] = []
  ) throws -> (text: String, signal: Int32) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
      throw ToolFailure("cannot ask the loader: \(OutputFile.reason())")
    }
    // Out of the way of the child's own three.
    for index in ends.indices {
      let high = fcntl(ends[index], F_DUPFD_CLOEXEC, 3)
      close(ends[index])
      ends[index] = high
    }
    defer { close(ends[0]) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO)
    var arguments = words.map { strdup($0) } + [nil]
    defer { arguments.forEach { free($0) } }
    var variables: [UnsafeMutablePointer<CChar>?] =
      ProcessInfo.processInfo.environment.map { strdup("\($0)=\($1)") }
      + added.map { strdup($0) } + [nil]
    defer { variables.forEach { free($0) } }
    var child: pid_t = 0
    let failure = posix_spawn(&child, words[0], &actions, nil, &arguments, &variables)
    close(ends[1])
    guard failure == 0 else {
      throw ToolFailure(
        "cannot ask the loader '\(words[0])': \(String(cString: strerror(failure)))")
    }
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(ends[0], &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      if count <= 0 { break }
      text += buffer[..<count]
    }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    return (String(decoding: text, as: UTF8.self), status & 0x7F)
  }
}
