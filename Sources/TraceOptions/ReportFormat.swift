// The formats of reports. Render/ReportRenderer.swift in BSTRReporter has their renderers.

/// The format of a report; the raw values are the words of `format`.
public enum ReportFormat: String, OptionWord {
  /// For people.
  case text
  /// For programs (Docs/ReportFormat.md).
  case json
  /// For browsers: a page with everything in one file.
  case html
  /// For code scanning and editors: the Static Analysis Results Interchange Format 2.1.0 (OASIS).
  case sarif
  /// For profilers: pprof's format, in a file of gzip.
  case pprof
  /// For IDEs and CI servers: protocol 4 of Valgrind's XML output, as Memcheck writes it.
  case valgrindXML = "valgrind-xml"

  /// The purpose, behind its word in the help, and the ending of files that have the format.
  private var row: (purpose: String, ending: String) {
    switch self {
    case .text: ("for people", "txt")
    case .json: ("for programs", "json")
    case .html: ("for browsers", "html")
    case .sarif: ("for code scanning and editors", "sarif")
    case .pprof: ("for profilers", "pb.gz")
    case .valgrindXML: ("for IDEs that load Valgrind's", "xml")
    }
  }

  /// The purpose, behind its word in the help.
  var purpose: String { row.purpose }
  /// The ending of files that have the format, without its dot.
  public var ending: String { row.ending }
}
