// Renderers of reports, and the one of each format.

public import TraceOptions

/// Renders reports in one format.
public protocol ReportRenderer: Sendable {
  /// Whether it merges findings by itself; others are given reports in which that is done.
  var mergesFaults: Bool { get }

  /// Whether it shows the profiles of processes.
  var showsProfiles: Bool { get }

  /// Renders the whole report.
  func bytes(of report: Report) -> [UInt8]

  /// Renders the difference between two runs.
  func bytes(of diff: FindingDiff) -> [UInt8]

  /// Returns rules that would silence the findings of a report, to follow it where that was asked
  /// for.
  ///
  /// Empty in formats whose findings include their rules.
  func suppressionRules(for report: Report) -> String
}

/// Renders reports as text.
public protocol TextualRenderer: ReportRenderer {
  /// Renders the whole report, ending with a newline.
  func render(_ report: Report) -> String

  /// Renders the difference between two runs, ending with a newline.
  func render(_ diff: FindingDiff) -> String
}

extension TextualRenderer {
  /// Returns the text.
  public func bytes(of report: Report) -> [UInt8] { Array(render(report).utf8) }

  /// Returns the text.
  public func bytes(of diff: FindingDiff) -> [UInt8] { Array(render(diff).utf8) }
}

extension ReportRenderer {
  /// False.
  public var mergesFaults: Bool { false }

  /// False.
  public var showsProfiles: Bool { false }

  /// Returns "": findings include their rules.
  public func suppressionRules(for report: Report) -> String { "" }
}

extension ReportFormat {
  /// Returns the renderer of this format.
  ///
  /// - Parameters:
  ///   - colour: whether to use colour, in a format that has any.
  ///   - sourceRoot: the folder that source files are named relative to, in a format that does so.
  public func renderer(colour: Bool = false, sourceRoot: String? = nil) -> any ReportRenderer {
    switch self {
    case .text: TextRenderer(colour: colour)
    case .json: JSONRenderer()
    case .sarif: SARIFRenderer(sourceRoot: sourceRoot)
    case .valgrindXML: ValgrindXMLRenderer()
    case .html: HTMLRenderer()
    case .pprof: PprofRenderer()
    }
  }
}

extension TraceOptions {
  /// Whether any output shows the profiles of processes.
  public var showProfiles: Bool {
    destinations.contains { destination in
      if case .report(let format) = destination.content {
        format.renderer().showsProfiles
      } else {
        false
      }
    }
  }
}
