// The program to be run: finds it, and checks that the tracker can be preloaded into it.

import BSTRReporter
import Glibc

/// A program that can be run under the tracker.
struct TracedProgram {
  /// Its path.
  let path: String
  /// The path of the file that is executed: of a script, its interpreter's.
  let executable: String

  /// The reason why a program cannot be traced.
  struct Failure: Error, CustomStringConvertible {
    /// One sentence.
    let description: String
    /// The exit status for it.
    let status: Int32
  }

  /// Finds `name` as a shell would, and checks it and, for a script, its interpreter.
  init(_ name: String) throws {
    path = try Self.find(name)
    executable = try Self.check(path, named: name, depth: 0)
  }

  private static func find(_ name: String) throws -> String {
    if name.contains("/") { return name }
    var foundButNotExecutable: String?
    let folders = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
    for folder in folders.split(separator: ":", omittingEmptySubsequences: false) {
      let path = (folder.isEmpty ? "." : folder) + "/" + name
      if access(path, X_OK) == 0, !isDirectory(path) { return path }
      if access(path, F_OK) == 0, !isDirectory(path) { foundButNotExecutable = path }
    }
    if let path = foundButNotExecutable { return path }
    throw Failure(
      description: "'\(name)' was not found in PATH", status: ExitStatus.notFound)
  }

  /// Returns the path of the file that is executed.
  private static func check(_ path: String, named name: String, depth: Int) throws -> String {
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
    let header = ProgramHeader(ofFileAt: path)
    if case .script(let interpreter) = header {
      guard !interpreter.isEmpty, depth < 4 else {
        throw cannot("its first line names no interpreter")
      }
      guard access(interpreter, F_OK) == 0 else {
        throw cannot("its interpreter '\(interpreter)' does not exist")
      }
      return try check(interpreter, named: interpreter, depth: depth + 1)
    }
    // Of a script it is the interpreter's rights that count.
    if let elevation = Elevation(ofProgramAt: path) { throw cannot(elevation.reason) }
    switch header {
    // A program that may be executed but not read is let through unchecked.
    case nil where !ProgramHeader.isReadable(path): break
    case nil: throw cannot("it is neither a program of this kind of machine nor a script")
    case .bits32: throw cannot("it is a 32-bit program, and only 64-bit ones can be traced")
    case .fixed:
      throw cannot(
        "it is statically linked, so that nothing can be loaded into it; link it with "
          + "libbstrtrace-linked instead")
    case .dynamic, .script: break
    }
    return path
  }

  private static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}
