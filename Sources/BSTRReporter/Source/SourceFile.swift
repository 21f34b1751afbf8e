// One source file: its lines and its blocks.

/// A source file, as it was read.
struct SourceFile: Sendable {
  /// The path that it was read from.
  let path: String
  /// The time when it was written last, in nanoseconds since 1970.
  let modified: Int64
  private let language: SourceLanguage
  private let bytes: [UInt8]
  /// The index of the first byte of each line.
  private let starts: [Int]
  private let conditionals: SourceConditionals
  /// The blocks that were found last, and the lines that were skipped then.
  private var parsed: (skipped: [Range<Int>], blocks: SourceBlocks?)?

  /// Reads a file; `nil` where it is no regular file of UTF-8, or too large.
  init?(path: String, _ language: SourceLanguage, maxBytes: Int) {
    guard let content = FileContent(path: path), content.count <= maxBytes,
      let modified = content.modified, let bytes = content.bytes(at: 0, content.count)
    else { return nil }
    self.init(path: path, modified: modified, language, bytes)
  }

  /// A file of these bytes; `nil` where they are no text of UTF-8.
  init?(path: String, modified: Int64, _ language: SourceLanguage, _ bytes: [UInt8]) {
    guard !bytes.contains(0), String(validating: bytes, as: UTF8.self) != nil else { return nil }
    self.path = path
    self.modified = modified
    self.language = language
    self.bytes = bytes
    starts = [0] + bytes.indices.filter { bytes[$0] == Ascii.newline }.map { $0 + 1 }
    conditionals = SourceConditionals(bytes, language)
  }

  /// The count of bytes.
  var count: Int { bytes.count }

  /// Returns the blocks; `nil` where braces do not match.
  ///
  /// - Parameter lines: lines that are known to have run.
  mutating func blocks(havingRun lines: Set<Int>) -> SourceBlocks? {
    let skipped = conditionals.skippedLines(havingRun: lines)
    if let parsed, parsed.skipped == skipped { return parsed.blocks }
    let blocks = SourceBlocks(
      SourceScanner.tokens(of: bytes, language, skipping: skipped), language)
    parsed = (skipped, blocks)
    return blocks
  }

  // MARK: lines

  /// The limit of bytes of a line that is shown.
  private static let maxLineBytes = 200

  /// Returns whether the file has a line.
  func hasLine(_ number: Int) -> Bool { starts.indices.contains(number - 1) }

  /// Returns the lines with these numbers, as far as the file has them.
  func lines(_ numbers: some Sequence<Int>) -> [SourceExcerpt.Line] {
    numbers.filter(hasLine).map { number in
      let start = starts[number - 1]
      let end = number < starts.count ? starts[number] - 1 : bytes.count
      let line = bytes[start..<max(start, end)]
      let shown = line.prefix(Self.maxLineBytes)
      let blanks = [Ascii.return, Ascii.space, Ascii.tab]
      // A tab moves what follows by an unknown width.
      let text = shown.dropLast(shown.reversed().prefix { blanks.contains($0) }.count)
        .flatMap { $0 == Ascii.tab ? [Ascii.space, Ascii.space] : [$0] }
      return SourceExcerpt.Line(
        number: number,
        text: String(decoding: text, as: UTF8.self) + (shown.count < line.count ? "…" : ""))
    }
  }
}
