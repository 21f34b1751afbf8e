// Renderers of reports, and the one of each format.

public import TraceOptions

/// Renders reports in one format.
public protocol ReportRenderer: Sendable {
  /// Renders the whole report, ending with a newline.
  func render(_ report: Report) -> String

  /// Returns rules that would silence the findings of a report, to follow it where that was asked
  /// for.
  ///
  /// Empty in formats whose findings include their rules.
  func suppressionRules(for report: Report) -> String
}

extension ReportRenderer {
  /// Returns "": findings include their rules.
  public func suppressionRules(for report: Report) -> String { "" }
}

extension ReportFormat {
  /// Returns the renderer of this format.
  ///
  /// - Parameter colour: whether to use colour, in a format that has any.
  public func renderer(colour: Bool = false) -> any ReportRenderer {
    switch self {
    case .text: TextRenderer(colour: colour)
    case .json: JSONRenderer()
    }
  }
}
