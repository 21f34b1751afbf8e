// Reads the source files that frames name, and makes the excerpts of findings. A store and the
// debug information that it leads to may name any file: only regular files with the ending of a
// known language are read, and nothing else is looked for.

/// The source files of a report.
public struct SourceFiles: Sendable {
  private let root: String?
  private var files: [String: SourceFile?] = [:]
  private var bytes = 0

  /// The limit of bytes of a file: nobody writes larger ones by hand.
  private static let maxFileBytes = 2 << 20
  /// The limit of bytes of all files that are kept at one time; their blocks take up to fifty times
  /// as much.
  private static let maxBytes = 4 << 20

  /// Creates an empty set.
  ///
  /// - Parameter root: the folder of the sources, for files that are not where the compiler read
  ///   them; `nil` for GitHub's of the checkout, where there is one.
  public init(root: String?) {
    self.root = SourceRoot.chosen(root).map { SourceRoot.normalized($0) }
  }

  /// Returns the excerpt for an owner; `nil` where the file cannot be read, or has no such line.
  ///
  /// - Parameters:
  ///   - owner: the frame in which the owner got the string.
  ///   - frees: the frames of the same function in which it freed siblings.
  mutating func excerpt(owner: Frame, frees: [Frame]) -> SourceExcerpt? {
    guard let name = owner.file, let line = owner.line, var file = self.file(name),
      file.hasLine(line)
    else { return nil }
    var excerpt = SourceExcerpt(file: file.path, owner: line)
    if let built = FileContent(path: owner.module)?.modified, file.modified > built {
      excerpt.isNewer = true
      return excerpt
    }
    excerpt.lines = file.lines((line - 1)...(line + 1))
    let numbers = Set(frees.filter { $0.file == name }.compactMap(\.line)).sorted()
    guard let last = numbers.last, file.hasLine(last) else { return excerpt }
    excerpt.frees = file.lines(numbers)
    if let blocks = file.blocks(havingRun: Set(numbers + [line])) {
      excerpt.waysOut = file.lines(WaysOut.lines(in: blocks, owner: line, frees: numbers))
      files[name] = .some(file)
    }
    return excerpt
  }

  // MARK: files

  private mutating func file(_ name: String) -> SourceFile? {
    if let known = files[name] { return known }
    let file = read(name)
    if bytes > Self.maxBytes {
      files = [:]
      bytes = 0
    }
    bytes += file?.count ?? 0
    files[name] = .some(file)
    return file
  }

  /// Reads a file at its path, or else below the root: its path's last parts, as many as there are.
  private func read(_ name: String) -> SourceFile? {
    guard let language = SourceLanguage(path: name) else { return nil }
    if name.utf8.first == UInt8(ascii: "/"),
      let file = SourceFile(path: name, language, maxBytes: Self.maxFileBytes)
    {
      return file
    }
    guard let root else { return nil }
    var parts: [Substring] = []
    for part in name.split(separator: "/") where part != "." {
      if part != ".." {
        parts.append(part)
      } else if parts.popLast() == nil {
        // It leads out of the root.
        return nil
      }
    }
    // The name alone may be another folder's file, unless there is no more.
    for count in parts.indices where parts.count - count > 1 || parts.count == 1 {
      let path = root + "/" + parts[count...].joined(separator: "/")
      if let file = SourceFile(path: path, language, maxBytes: Self.maxFileBytes) { return file }
    }
    return nil
  }
}
