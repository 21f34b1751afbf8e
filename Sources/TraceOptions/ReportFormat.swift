// The formats of reports. Render/ReportRenderer.swift in BSTRReporter has what renders each.

/// The format of a report; the raw values are the words of `format`.
public enum ReportFormat: String, OptionWord {
  /// For people.
  case text
  /// For programs (Docs/ReportFormat.md).
  case json

  /// What it is for, behind its word in the help.
  var purpose: String {
    switch self {
    case .text: "for people"
    case .json: "for programs"
    }
  }
}
