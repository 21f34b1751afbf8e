// The summary of a GitHub Actions job: a table of findings in Markdown, with no value of a string.

/// Renders the summary of a job.
struct GitHubSummary {
  /// The folder that files are named relative to; `nil` for none.
  var sourceRoot: String?

  /// The maximum of bytes of a step's summary: GitHub refuses more than 1 MiB.
  static let maxBytes = 900 << 10

  /// Returns the summary, with as many findings as there is room for, the heaviest first; "" where
  /// nothing was found, or there is no room at all.
  ///
  /// - Parameter room: the maximum of bytes.
  func render(_ report: Report, room: Int) -> String {
    let results = SARIFResult.heaviestFirst(report)
    if results.isEmpty { return "" }
    var text = """
      ### \(Self.escaped(GitHubWording.title(results.count)))

      | kind | size | line | what happened |
      |---|---|---|---|

      """
    // The longest sentence behind the table.
    let end = "\n\(GitHubWording.leftOut(results.count))\n\n"
    if text.utf8.count + end.utf8.count > room { return "" }
    for (index, result) in results.enumerated() {
      let row = row(result)
      if text.utf8.count + row.utf8.count + end.utf8.count > room {
        return text + "\n\(GitHubWording.leftOut(results.count - index))\n\n"
      }
      text += row
    }
    return text + "\n"
  }

  private func row(_ result: SARIFResult) -> String {
    let finding = result.finding
    let frame = finding.primaryFrame
    let location = frame.map { frame in
      frame.file.map { SourceRoot.short($0, sourceRoot) + (frame.line.map { ":\($0)" } ?? "") }
        ?? frame.moduleOffset
    }
    let cells = [
      SARIFRule(finding).id, TextRenderer.size(of: finding), location ?? "",
      [finding.message, finding.stableReason].compactMap(\.self).joined(separator: " "),
    ]
    return "| \(cells.map(Self.escaped).joined(separator: " | ")) |\n"
  }

  /// Returns a text in which nothing is Markdown or HTML: whatever is neither a letter, a digit nor
  /// harmless is written as an entity.
  private static func escaped(_ text: String) -> String {
    let harmless = " .,;()/?".unicodeScalars
    return Printable.escaped(text).unicodeScalars.reduce(into: "") { result, scalar in
      if scalar.isASCII, !scalar.properties.isAlphabetic, !("0"..."9").contains(scalar),
        !harmless.contains(scalar)
      {
        result += "&#\(scalar.value);"
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
  }
}
