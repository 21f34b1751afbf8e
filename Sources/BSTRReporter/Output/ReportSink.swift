// The destination, format and colour of a report. The same for the command line, linked programs
// and scopes.

import Glibc
public import TraceOptions

/// An open output with the renderer of its reports.
public struct ReportSink: Sendable {
  private let descriptor: Int32
  private let renderer: any ReportRenderer
  private let hasSuppressionRules: Bool

  /// Creates a sink over an open file, pipe or terminal, which stays open.
  ///
  /// - Parameters:
  ///   - colour: whether to use colour, in a format that has any.
  ///   - hasSuppressionRules: whether rules that would silence the findings follow the report.
  public init(
    _ descriptor: Int32, _ format: ReportFormat = .text, colour: Bool,
    hasSuppressionRules: Bool = false
  ) {
    self.descriptor = descriptor
    self.hasSuppressionRules = hasSuppressionRules
    renderer = format.renderer(colour: colour)
  }

  /// Creates a sink over an open file, pipe or terminal, with everything else as the options say;
  /// in colour on a terminal.
  public init(_ descriptor: Int32, _ options: TraceOptions) {
    self.init(
      descriptor, options.format, colour: ReportOutput.isColourful(descriptor),
      hasSuppressionRules: options.printSuppressions)
  }

  /// Opens the output that the options name, or standard error, without touching what is in it yet.
  public static func open(_ options: TraceOptions) throws(ReportOutput.Failure) -> ReportSink {
    guard let path = options.output else { return ReportSink(STDERR_FILENO, options) }
    return ReportSink(try ReportOutput.open(path), options)
  }

  /// Writes a report over the output's content.
  public func write(_ report: Report) throws(ReportOutput.Failure) {
    var text = renderer.render(report)
    if hasSuppressionRules { text += renderer.suppressionRules(for: report) }
    try write(text: text)
  }

  /// Writes text for people in place of a report.
  public func write(text: String) throws(ReportOutput.Failure) {
    try ReportOutput.replace(Array(text.utf8), in: descriptor)
  }
}
