// The program to be run: found, and seen to be one that the tracker can get into.

import FoundationEssentials
import Glibc

/// A program that can be run under the tracker.
struct TracedProgram {
  /// Its path.
  let path: String

  /// Why a program cannot be traced.
  struct Failure: Error, CustomStringConvertible {
    /// One sentence.
    let description: String
    /// The exit status that says so.
    let status: Int32
  }

  /// Finds `name` as a shell would, and checks it and, for a script, its interpreter.
  init(_ name: String) throws {
    path = try Self.find(name)
    try Self.check(path, named: name, depth: 0)
  }

  private static func find(_ name: String) throws -> String {
    if name.contains("/") { return name }
    var foundButNotExecutable: String?
    let places = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
    for place in places.split(separator: ":", omittingEmptySubsequences: false) {
      let path = (place.isEmpty ? "." : place) + "/" + name
      if access(path, X_OK) == 0, !isDirectory(path) { return path }
      if access(path, F_OK) == 0, !isDirectory(path) { foundButNotExecutable = path }
    }
    if let path = foundButNotExecutable { return path }
    throw Failure(
      description: "'\(name)' was not found in PATH", status: ExitStatus.notFound)
  }

  private static func check(_ path: String, named name: String, depth: Int) throws {
    guard access(path, F_OK) == 0 else {
      throw Failure(
        description: "'\(name)' was not found: \(OutputFile.reason())",
        status: ExitStatus.notFound)
    }
    func cannot(_ why: String) -> Failure {
      Failure(description: "cannot run '\(name)': \(why)", status: ExitStatus.cannotExecute)
    }
    if isDirectory(path) { throw cannot("it is a directory") }
    guard access(path, X_OK) == 0 else { throw cannot("it is not executable") }
    let bytes = try? Data(contentsOf: URL(filePath: path), options: .alwaysMapped)
    let isScript = bytes?.starts(with: Array("#!".utf8)) == true
    // Of a script it is the interpreter's rights that count.
    if !isScript, let elevation = Elevation(ofProgramAt: path) { throw cannot(elevation.reason) }
    // A program that may be executed but not read is let through unchecked.
    guard let bytes else { return }
    if isScript {
      let line = bytes.dropFirst(2).prefix(256).prefix { $0 != 0x0A }
      let words = String(decoding: line, as: UTF8.self).split(whereSeparator: {
        $0 == " " || $0 == "\t"
      })
      guard let interpreter = words.first.map(String.init), depth < 4 else {
        throw cannot("its first line names no interpreter")
      }
      guard access(interpreter, F_OK) == 0 else {
        throw cannot("its interpreter '\(interpreter)' does not exist")
      }
      return try check(interpreter, named: interpreter, depth: depth + 1)
    }
    switch ProgramHeader(bytes) {
    case .none: throw cannot("it is neither a program of this kind of machine nor a script")
    case .bits32: throw cannot("it is a 32-bit program, and only 64-bit ones can be traced")
    case .fixed:
      throw cannot(
        "it is statically linked, so that nothing can be loaded into it; link it with "
          + "libbstrtrace-linked instead")
    case .dynamic: break
    }
  }

  private static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}

/// What the first bytes of a program say of how it is loaded.
private enum ProgramHeader {
  /// Loaded by the dynamic loader.
  case dynamic
  /// Linked statically.
  case fixed
  /// For 32-bit processors or modes.
  case bits32

  init?(_ bytes: Data) {
    guard bytes.count >= 52, bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46]) else { return nil }
    if bytes[4] == 1 {
      self = .bits32
      return
    }
    func number(_ offset: Int, _ size: Int) -> Int {
      (0..<size).reduce(0) {
        $0 | Int(offset + $1 < bytes.count ? bytes[offset + $1] : 0) << (8 * $1)
      }
    }
    #if arch(x86_64)
      let machine = 62
    #elseif arch(arm64)
      let machine = 183
    #endif
    guard bytes[5] == 1, number(18, 2) == machine else { return nil }
    let (table, size, count) = (number(32, 4), number(54, 2), number(56, 2))
    // PT_INTERP
    let hasInterpreter = (0..<count).contains { number(table + $0 * size, 4) == 3 }
    self = hasInterpreter ? .dynamic : .fixed
  }
}
