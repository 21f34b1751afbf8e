// Differences between two runs, in each format.

import TraceOptions

extension TextRenderer {
  /// Renders the difference between two runs, ending with a newline.
  public func render(_ diff: FindingDiff) -> String {
    var lines: [TextLine] = []
    for entry in diff.entries {
      let count: TextLine =
        switch entry.change {
        case .new: "\(entry.after)"
        case .gone: "\(entry.before)"
        case .grown, .shrunk: "\(entry.before) -> \(entry.after)"
        }
      let location = entry.frame.map { "   \($0.location)" } ?? ""
      lines.append(
        "\(strong: entry.change.rawValue.uppercased())  \(count)   \(entry.key.text)\(location)")
    }
    if !lines.isEmpty { lines.append("") }
    return text(of: lines + [TextLine("DIFF: bstrtrace: \(diff.summary)")])
  }
}

extension JSONRenderer {
  /// Renders the difference between two runs, ending with a newline.
  public func render(_ diff: FindingDiff) -> String { Self.text(of: DiffFile(diff)) }
}

/// The JSON form of a difference; every key is always present.
private struct DiffFile: Encodable {
  private let schema = "bstrtrace-diff"
  private let version = 1
  private let unchanged: Int
  private let findings: [Entry]

  init(_ diff: FindingDiff) {
    unchanged = diff.unchanged
    findings = diff.entries.map(Entry.init)
  }

  private struct Entry: Encodable {
    let entry: FindingDiff.Entry

    init(_ entry: FindingDiff.Entry) { self.entry = entry }

    private enum Key: CodingKey { case change, kind, detail, stack, before, after, file, line }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(entry.change.rawValue, forKey: .change)
      try container.encode(entry.key.kind, forKey: .kind)
      try container.encode(entry.key.detail, forKey: .detail)
      try container.encode(entry.key.stack, forKey: .stack)
      try container.encode(entry.before, forKey: .before)
      try container.encode(entry.after, forKey: .after)
      try container.encode(entry.frame?.file, forKey: .file)
      try container.encode(entry.frame?.line, forKey: .line)
    }
  }
}

extension SARIFRenderer {
  /// Renders the difference between two runs, ending with a newline: what is gone is `absent`.
  public func render(_ diff: FindingDiff) -> String {
    var locations = SARIFLocations(sourceRoot: sourceRoot)
    let rules = Set(diff.entries.map(\.key.kind)).sorted().map { id in
      FindingKind(id: id).map { SARIFRule($0, nil).json } ?? ["id": .string(id)]
    }
    let results = diff.entries.map { entry -> JSONValue in
      let state =
        switch entry.change {
        case .new: "new"
        case .grown, .shrunk: "updated"
        case .gone: "absent"
        }
      // Of stores without lines, and of baselines, there is none.
      let location = entry.frame.map { locations.location(of: $0) }
      return [
        "ruleId": .string(entry.key.kind),
        "level": entry.change == .new || entry.change == .grown ? "warning" : "note",
        "message": [
          "text": .string(SARIFText.withoutLinks("\(entry.change.rawValue): \(entry.key.text)"))
        ],
        "locations": location.map { [$0] },
        "occurrenceCount": .number(max(1, entry.after)),
        "partialFingerprints": SARIFResult.fingerprints(entry.key, ordinal: 1),
        "baselineState": .string(state),
        "properties": ["before": .number(entry.before), "after": .number(entry.after)],
      ]
    }
    let notification: JSONValue = ["level": "note", "message": ["text": .string(diff.summary)]]
    let invocation: JSONValue = [
      "executionSuccessful": true, "toolExecutionNotifications": [notification],
    ]
    return text(rules: rules, invocation: invocation, locations.baseIDs, results: results)
  }
}
