// A table in Markdown, its columns aligned so that it can be read as it is.

/// Rows and columns of text.
struct Table: CustomStringConvertible {
  let title: String
  let head: [String]
  var rows: [[String]] = []
  var notes: [String] = []

  var description: String {
    let widths = head.indices.map { column in
      ([head] + rows).map { $0[column].count }.max() ?? 0
    }
    func line(_ cells: [String]) -> String {
      let padded = cells.indices.map { index in
        let space = String(repeating: " ", count: widths[index] - cells[index].count)
        return index == 0 ? cells[index] + space : space + cells[index]
      }
      return "| \(padded.joined(separator: " | ")) |"
    }
    let rule = widths.indices.map { index in
      String(repeating: "-", count: index == 0 ? widths[index] : widths[index] - 1)
        + (index == 0 ? "" : ":")
    }
    let lines = [line(head), line(rule)] + rows.map(line)
    let remarks = notes.map { "\n\($0)\n" }.joined()
    return "\n### \(title)\n\n\(lines.joined(separator: "\n"))\n\(remarks)"
  }
}

extension Double {
  /// Formats a number with as many decimals as are useful.
  var short: String {
    guard isFinite else { return "∞" }
    let digits = magnitude < 0.95 ? 2 : magnitude < 9.95 ? 1 : 0
    let factor = digits == 2 ? 100.0 : digits == 1 ? 10.0 : 1.0
    let scaled = Int((self * factor).rounded())
    guard digits > 0 else { return "\(scaled)" }
    let (whole, rest) = scaled.magnitude.quotientAndRemainder(dividingBy: UInt(factor))
    let tail = String(rest)
    return (scaled < 0 ? "−" : "") + "\(whole)."
      + String(repeating: "0", count: digits - tail.count) + tail
  }
}
