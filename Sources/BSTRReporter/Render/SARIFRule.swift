// The rules of SARIF files: one for each kind of finding and rule of ownership that it breaks.
// Their words are in Wording/RuleWording.swift.

/// A class of findings, as code scanning counts them.
struct SARIFRule: Hashable {
  /// The kind.
  var kind: FindingKind
  /// The rule of ownership that was broken; `nil` where that is uncertain, or no question.
  var broken: Ownership.Rule?

  /// Creates the rule of a finding.
  init(_ finding: Finding) {
    kind = finding.kind
    broken = finding.ownership.rule
  }

  /// Creates a rule from its parts.
  init(_ kind: FindingKind, _ broken: Ownership.Rule?) {
    self.kind = kind
    self.broken = broken
  }

  /// The id: `leak-out`; does not change.
  var id: String { kind.id + (broken.map { "-\($0.rawValue)" } ?? "") }

  /// The severity of its findings, as a rule.
  var level: String { kind == .leak && broken == nil ? "warning" : "error" }

  /// The certainty of its findings, as a rule: a fault is seen, who broke a rule is inferred.
  var precision: String {
    if broken != nil { return "high" }
    return kind == .leak || kind == .doubleFree ? "medium" : "very-high"
  }

  /// The rule with its help.
  var json: JSONValue {
    let wording = RuleWording(kind, broken)
    return [
      "id": .string(id),
      "shortDescription": ["text": .string(wording.summary)],
      "fullDescription": ["text": .string(wording.description)],
      "defaultConfiguration": ["level": .string(level)],
      "help": ["text": .string(wording.help), "markdown": .string(wording.markdown)],
      "properties": [
        "precision": .string(precision),
        "problem.severity": .string(level),
        "tags": .array(
          ["bstr", kind == .leak ? "leak" : "memory"] + (broken == nil ? [] : ["ownership"])),
      ],
    ]
  }
}
