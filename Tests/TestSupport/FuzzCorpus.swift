// The inputs of a fuzz target that the suite replays.

import FoundationEssentials

/// A folder of inputs below `Tests/Fuzz`: seeds, and what was found once (`crash-*`).
public struct FuzzCorpus: Sendable {
  private let folder: URL

  /// The corpus with a name.
  public init(_ name: String) {
    folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fuzz/\(name)")
  }

  /// The names of the inputs, sorted; at least one, or nothing would be tried.
  public var names: [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    precondition(!names.isEmpty, "\(folder.path) has no inputs")
    return names.sorted()
  }

  /// The bytes of an input.
  public func bytes(of name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: folder.appending(path: name)))
  }
}
