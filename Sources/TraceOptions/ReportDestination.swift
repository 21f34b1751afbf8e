// The outputs of a report, as the options spell them.

/// An output of a report: where it goes, and what it is.
public struct ReportDestination: Sendable, Equatable {
  /// What an output contains.
  public enum Content: Sendable, Equatable {
    /// The report, in a format.
    case report(ReportFormat)
    /// The stores that the report is made of, for `bstrtrace report`.
    case store
  }

  /// The path as it was given: `-` for standard output, `nil` for standard error.
  public var path: String?
  /// What it contains.
  public var content: Content

  /// Creates an output.
  ///
  /// - Parameter format: the format of all outputs; `nil` where the ending of the path chooses it,
  ///   and text where that says nothing.
  init(_ path: String?, format: ReportFormat?) {
    self.path = path
    func ends(with ending: String) -> Bool { path?.hasSuffix(".\(ending)") == true }
    content =
      if let format {
        .report(format)
      } else if ends(with: TraceOptions.storeEnding) {
        .store
      } else {
        .report(ReportFormat.allCases.first { ends(with: $0.ending) } ?? .text)
      }
  }
}

extension TraceOptions {
  /// The ending of an output that is a store in place of a report, without its dot.
  static let storeEnding = "store"

  /// The outputs of the report: those that were given, or standard error.
  public var destinations: [ReportDestination] {
    outputs.isEmpty
      ? [ReportDestination(nil, format: format)]
      : outputs.map { ReportDestination($0, format: format) }
  }
}
