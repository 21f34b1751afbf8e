// One output of a report: destination, format and colour. The same for the command line, linked
// programs and scopes.

import Glibc
public import TraceOptions

/// An open output with the renderer of its reports.
public struct ReportSink: Sendable {
  private let file: ReportFile
  private let renderer: any ReportRenderer
  private let hasSuppressionRules: Bool
  private let options: TraceOptions

  /// Creates a sink over an open file, pipe or terminal, which stays open.
  ///
  /// - Parameters:
  ///   - colour: whether to use colour, in a format that has any.
  ///   - hasSuppressionRules: whether rules that would silence the findings follow the report.
  public init(
    _ descriptor: Int32, _ format: ReportFormat = .text, colour: Bool,
    hasSuppressionRules: Bool = false
  ) {
    file = ReportFile(descriptor)
    self.hasSuppressionRules = hasSuppressionRules
    options = TraceOptions()
    renderer = format.renderer(colour: colour)
  }

  /// Creates a sink over an open file, with everything else as the options say; in colour on a
  /// terminal.
  init(_ file: ReportFile, _ format: ReportFormat, _ options: TraceOptions) {
    self.file = file
    hasSuppressionRules = options.printSuppressions
    self.options = options
    renderer = format.renderer(
      colour: file.isColourful, sourceRoot: SourceRoot.chosen(options.sourceRoot))
  }

  /// Writes a report over the output's content.
  public func write(_ report: Report) throws(ReportOutput.Failure) {
    let report = renderer.mergesFaults ? report : report.merged(options)
    var bytes = renderer.bytes(of: report)
    if hasSuppressionRules { bytes += renderer.suppressionRules(for: report).utf8 }
    try file.replace(bytes)
  }

  /// Writes the difference between two runs over the output's content.
  public func write(_ diff: FindingDiff) throws(ReportOutput.Failure) {
    try file.replace(renderer.bytes(of: diff))
  }

  /// Writes text for people in place of a report.
  public func write(text: String) throws(ReportOutput.Failure) {
    try file.replace(Array(text.utf8))
  }
}
