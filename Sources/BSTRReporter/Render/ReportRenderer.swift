// What turns reports into text, and which type does so for which format.

public import TraceOptions

/// Renders reports in one format.
public protocol ReportRenderer: Sendable {
  /// The whole report, ending with a newline.
  func render(_ report: Report) -> String

  /// Rules that would silence the findings of a report, to follow it where that was asked for.
  ///
  /// Empty in formats whose findings have their rules.
  func suppressionRules(for report: Report) -> String
}

extension ReportRenderer {
  /// None: findings have their rules.
  public func suppressionRules(for report: Report) -> String { "" }
}

extension ReportFormat {
  /// What renders reports in this format.
  ///
  /// - Parameter colour: whether to use colour, in a format that has any.
  public func renderer(colour: Bool = false) -> any ReportRenderer {
    switch self {
    case .text: TextRenderer(colour: colour)
    case .json: JSONRenderer()
    }
  }
}
