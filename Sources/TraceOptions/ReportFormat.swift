// The formats of reports. Render/ReportRenderer.swift in BSTRReporter has their renderers.

/// The format of a report; the raw values are the words of `format`.
public enum ReportFormat: String, OptionWord {
  /// For people.
  case text
  /// For programs (Docs/ReportFormat.md).
  case json

  /// The purpose, behind its word in the help.
  var purpose: String {
    switch self {
    case .text: "for people"
    case .json: "for programs"
    }
  }
}
