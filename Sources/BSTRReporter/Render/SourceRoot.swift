// Names of source files relative to the folder that a project is in.

import Glibc

/// The folder of a project's sources.
enum SourceRoot {
  /// Returns the folder that was given, or else GitHub's of the checkout, where there is one.
  static func chosen(_ given: String?) -> String? {
    given
      ?? getenv("GITHUB_WORKSPACE").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// Returns a file's path, relative to a folder where it is below that one.
  static func short(_ path: String, _ root: String?) -> String {
    root.flatMap { relative(path, to: normalized($0)) } ?? path
  }

  /// Returns a folder's path without a slash at its end.
  static func normalized(_ path: String) -> String {
    let slash = UInt8(ascii: "/")
    let end = path.utf8.lastIndex { $0 != slash }
    return end.map { String(path[...$0]) } ?? "/"
  }

  /// Returns a file's path relative to a folder; `nil` for a file that is not below it.
  static func relative(_ path: String, to root: String) -> String? {
    // By bytes: with a combining mark behind it, a slash is part of another character.
    let folder = root == "/" ? root : root + "/"
    guard path.utf8.starts(with: folder.utf8), path.utf8.count > folder.utf8.count else {
      return nil
    }
    return String(Substring(path.utf8.dropFirst(folder.utf8.count)))
  }
}
