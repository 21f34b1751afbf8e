// Finds modules and debug files of another machine by build-id, below folders that the user names.

import Glibc

/// The files below some folders, found by their modules' build-ids.
public struct DebugFiles: Sendable {
  private let folders: [String]
  /// The paths of all files below the folders, by their names; `nil` before they are needed.
  private var byName: [String: [String]]?
  /// The same by their build-ids.
  private var byBuildID: [String: [String]]?
  /// The path for each build-id that was looked for.
  private var found: [String: String?] = [:]

  /// The limits of files and of folders inside one another; what is beyond is not looked at.
  private static let (maxFiles, maxDepth) = (200_000, 32)

  /// Creates a search below folders, in their order.
  public init(below folders: [String]) {
    self.folders = folders
  }

  /// Whether there is any folder.
  var isEmpty: Bool { folders.isEmpty }

  /// Returns the file for a module: itself or its debug file, whichever has debug information;
  /// `nil` where there is none of its build-id.
  ///
  /// Looked for are `.build-id/ab/cdef….debug`, as distributions have it, then files with the
  /// module's name, with or without `.debug`, and at last all others.
  mutating func path(for module: String, buildID: String) -> String? {
    if let known = found[buildID] { return known }
    let path = buildID.utf8.count > 2 ? search(module, buildID) : nil
    found[buildID] = .some(path)
    return path
  }

  private mutating func search(_ module: String, _ buildID: String) -> String? {
    let inTree = "\(buildID.prefix(2))/\(buildID.dropFirst(2)).debug"
    let trees = folders.flatMap { ["\($0)/.build-id/\(inTree)", "\($0)/\(inTree)"] }
    let (found, hasDebugInformation) = Self.best(of: trees, buildID)
    if hasDebugInformation { return found }
    let byName = self.byName ?? Self.files(below: folders)
    self.byName = byName
    let name = String(Frame.lastComponent(of: module))
    let (named, isComplete) = Self.best(
      of: [name, "\(name).debug"].flatMap { byName[$0] ?? [] }, buildID)
    if isComplete { return named }
    let byBuildID = self.byBuildID ?? Self.buildIDs(of: byName)
    self.byBuildID = byBuildID
    return Self.best(of: byBuildID[buildID] ?? [], buildID).path ?? named ?? found
  }

  /// Returns the first file of a build-id that has debug information, or else the first.
  private static func best(
    of paths: [String], _ buildID: String
  ) -> (path: String?, hasDebugInformation: Bool) {
    var stripped: String?
    for path in paths {
      guard let file = ElfFile(path: path), file.buildID == buildID else { continue }
      if file.hasSection(".debug_info") { return (path, true) }
      stripped = stripped ?? path
    }
    return (stripped, false)
  }

  private static func buildIDs(of files: [String: [String]]) -> [String: [String]] {
    var paths: [String: [String]] = [:]
    for path in files.values.joined() {
      if let buildID = ElfFile(path: path)?.buildID { paths[buildID, default: []].append(path) }
    }
    return paths.mapValues { $0.sorted() }
  }

  private static func files(below folders: [String]) -> [String: [String]] {
    var files: [String: [String]] = [:]
    var count = 0
    var open = folders.map { (path: $0, depth: 0) }
    while let folder = open.popLast(), count < maxFiles {
      for entry in entries(of: folder.path).prefix(maxFiles - count) {
        let path = "\(folder.path)/\(entry.name)"
        count += 1
        if entry.isFolder {
          if folder.depth < maxDepth { open.append((path, folder.depth + 1)) }
        } else {
          files[entry.name, default: []].append(path)
        }
      }
    }
    // The order of a folder's entries is the file system's.
    return files.mapValues { $0.sorted() }
  }

  private static func entries(of folder: String) -> [(name: String, isFolder: Bool)] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var entries: [(name: String, isFolder: Bool)] = []
    while let entry = readdir(stream), entries.count < maxFiles {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name == "." || name == ".." { continue }
      var isFolder = Int(entry.pointee.d_type) == DT_DIR
      if Int(entry.pointee.d_type) == DT_UNKNOWN {
        var status = stat()
        isFolder = lstat("\(folder)/\(name)", &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
      }
      entries.append((name, isFolder))
    }
    return entries
  }
}
