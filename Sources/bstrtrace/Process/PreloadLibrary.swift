// The library that is loaded into traced programs, and the tracker that it loads: where they are,
// how the loader is told of them, and why a program did not start with them.

import FoundationEssentials
import Glibc

/// The library that is preloaded.
struct PreloadLibrary {
  private static let name = "libbstrtrace-preload.so"
  /// What it loads, from its own folder.
  private static let trackerName = "libbstrtrace-tracker.so"

  private let folder: String
  private var path: String { "\(folder)/\(Self.name)" }

  /// Finds the library: beside the command, as `swift build` leaves it, or where it is installed.
  ///
  /// - Throws: where there is none, or where the loader cannot be told of its folder.
  init() throws {
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    let beside = own.split(separator: "/", omittingEmptySubsequences: false).dropLast()
      .joined(separator: "/")
    let folders = ["", "/../lib/bstrtrace", "/../lib"].map { beside + $0 }
    guard let folder = folders.first(where: { access("\($0)/\(Self.name)", R_OK) == 0 }) else {
      throw ToolFailure(
        "'\(Self.name)' is neither in '\(beside)' nor in '\(beside)/../lib/bstrtrace': "
          + "build it with 'swift build', or install all of the archive")
    }
    guard access("\(folder)/\(Self.trackerName)", R_OK) == 0 else {
      throw ToolFailure(
        "'\(Self.trackerName)' is not in '\(folder)', beside '\(Self.name)': "
          + "build it with 'swift build', or install all of the archive")
    }
    self.folder = folder
    // Both separate the entries of LD_LIBRARY_PATH, and a colon those of LD_PRELOAD, too.
    if folder.contains(where: { $0 == ":" || $0 == ";" }) {
      throw ToolFailure(
        "the loader cannot preload '\(path)': its path must have no colon and no semicolon")
    }
  }

  /// Adds the library to the environment of a program.
  ///
  /// Spaces separate the entries of LD_PRELOAD, but not those of LD_LIBRARY_PATH.
  func add(to variables: inout [String: String]) {
    func prepend(_ entry: String, to name: String) {
      let others = variables[name] ?? ""
      variables[name] = others.isEmpty ? entry : "\(entry):\(others)"
    }
    guard folder.contains(" ") else { return prepend(path, to: "LD_PRELOAD") }
    prepend(Self.name, to: "LD_PRELOAD")
    prepend(folder, to: "LD_LIBRARY_PATH")
  }

  /// Asks the loader why it cannot load the library, or the tracker.
  ///
  /// - Throws: the reason, if there is one.
  func checkIsLoadable() throws {
    try Self.check(path, verb: "preload")
    try Self.check("\(folder)/\(Self.trackerName)", verb: "load")
  }

  private static func check(_ path: String, verb: String) throws {
    let needed = try NeededModules(of: path)
    var reasons: [String] = []
    if !needed.missing.isEmpty {
      reasons.append(needed.missing.joined(separator: " and ") + " was not found")
    }
    for (path, version) in needed.missingVersions {
      reasons.append("'\(path)' is too old, because it lacks \(version)")
    }
    if !reasons.isEmpty {
      throw ToolFailure(
        "the loader cannot \(verb) '\(path)': \(reasons.joined(separator: ", and "))")
    }
  }
}
