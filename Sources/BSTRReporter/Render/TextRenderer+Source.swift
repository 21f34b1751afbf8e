// The lines of source in the report for people.

extension TextRenderer {
  /// The limit of ways out that are shown.
  private static let maxWaysOut = 5

  /// Returns the rows for the owner's lines: each once, marked by what happens there.
  func render(_ source: SourceExcerpt?) -> [TextLine] {
    guard let source else { return [] }
    if source.isNewer {
      let name = Frame.lastComponent(of: source.file)
      return [Self.row("source", "\(name) was changed after it was built: no line of it is shown")]
    }
    let shown = source.waysOut.prefix(Self.maxWaysOut)
    var lines: [Int: (text: String, mark: String)] = [:]
    for line in source.lines { lines[line.number] = (line.text, "") }
    let free = source.frees.last?.number ?? 0
    for line in shown { lines[line.number] = (line.text, "leaves before line \(free)") }
    for line in source.frees { lines[line.number] = (line.text, "frees others") }
    lines[source.owner]?.mark = "owner"
    let width = "\(lines.keys.max() ?? 0)".count
    var rows = lines.sorted { $0.key < $1.key }.enumerated().map { index, line in
      let number = "\(line.key)"
      let padding = String(repeating: " ", count: width - number.count)
      let mark = line.value.mark.isEmpty ? "" : "   <- \(line.value.mark)"
      return Self.row(
        index == 0 ? "source" : "", "\(padding)\(number)  \(line.value.text)\(mark)")
    }
    let more = source.waysOut.count - shown.count
    if more > 0 {
      rows.append(Self.row("", "… \(Self.count(more, "more way out", "more ways out"))"))
    }
    return rows
  }
}
