// Finds the symbols that were stripped from a module: in its debug file, or compressed in itself.

import Glibc

/// The symbols of a stripped module, from elsewhere.
struct SeparateSymbols {
  /// Where they were.
  enum Source: Equatable {
    /// In a debug file.
    case debugFile(String)
    /// In the module, compressed (`.gnu_debugdata`).
    case compressed
  }

  /// A file with the symbols.
  let file: ElfFile
  /// Where they were.
  let source: Source
}

/// A search for the symbols of stripped modules.
struct SeparateSymbolSearch {
  /// The folder of debug files of the system.
  private static let systemFolder = "/usr/lib/debug"

  private var files: DebugFiles
  private let decompressor: Decompressor?
  /// Modules with compressed symbols that nothing here decompresses.
  private(set) var unread: [String] = []

  /// Creates a search.
  ///
  /// - Parameters:
  ///   - folders: folders of debug files, which are looked at first.
  ///   - programs: the folders to look in for a program that decompresses, as in PATH.
  init(below folders: [String], programs: String) {
    files = DebugFiles(below: folders)
    decompressor = Decompressor(in: programs)
  }

  /// Returns the symbols that a module's own file lacks.
  ///
  /// - Returns: `nil` where it was not stripped, or they are nowhere.
  mutating func symbols(of path: String, _ file: ElfFile) -> SeparateSymbols? {
    if file.hasOwnSymbols { return nil }
    return debugFile(of: path, file) ?? compressed(in: path, file)
  }

  private mutating func debugFile(of path: String, _ file: ElfFile) -> SeparateSymbols? {
    let buildID = file.buildID
    var candidates: [String] = []
    if let buildID, buildID.utf8.count > 2 {
      if !files.isEmpty, let found = files.path(for: path, buildID: buildID) {
        candidates.append(found)
      }
      candidates.append(
        "\(Self.systemFolder)/.build-id/\(buildID.prefix(2))/\(buildID.dropFirst(2)).debug")
    }
    let link = file.debugLink
    if let link, let real = realPath(path) {
      let folder = real.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        .joined(separator: "/")
      candidates += [
        "\(folder)/\(link.name)", "\(folder)/.debug/\(link.name)",
        "\(Self.systemFolder)\(folder)/\(link.name)",
      ]
    }
    for candidate in candidates {
      guard let found = ElfFile(path: candidate), found.hasOwnSymbols else { continue }
      // The build-id says that it is this file's; without one its checksum does.
      let isIts = buildID != nil ? found.buildID == buildID : found.checksum == link?.checksum
      if isIts { return SeparateSymbols(file: found, source: .debugFile(candidate)) }
    }
    return nil
  }

  private mutating func compressed(in path: String, _ file: ElfFile) -> SeparateSymbols? {
    guard let bytes = file.content(ofSection: ".gnu_debugdata") else { return nil }
    guard let decompressor else {
      unread.append(path)
      return nil
    }
    guard let found = decompressor.decompressed(bytes).flatMap({ ElfFile(bytes: $0) }),
      found.hasOwnSymbols
    else { return nil }
    return SeparateSymbols(file: found, source: .compressed)
  }
}
