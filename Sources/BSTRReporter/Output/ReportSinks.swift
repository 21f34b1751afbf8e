// The outputs of one report: every one that the options name, each in its format.

import Glibc
public import TraceOptions

/// Open outputs, of reports and of stores.
public struct ReportSinks: Sendable {
  private var sinks: [ReportSink] = []
  private var stores: [ReportFile] = []
  private let gitHub: GitHubOutput?

  /// Opens every output that the options name, or standard error, without touching what is in them
  /// yet.
  ///
  /// For GitHub the log of the job, which is standard error, takes the part of text there.
  ///
  /// - Parameter start: when this process began, by `ReportFile.fileTime`.
  /// - Throws: the reason why one cannot be written.
  public init(_ options: TraceOptions, start: Int64) throws(ReportOutput.Failure) {
    gitHub = options.github == true ? GitHubOutput(options) : nil
    for destination in options.destinations {
      let file =
        if let path = destination.path {
          try ReportFile(opening: path, start: start)
        } else {
          ReportFile(STDERR_FILENO)
        }
      switch destination.content {
      case .report(.text) where destination.path == nil && gitHub != nil: continue
      case .report(let format):
        if file.isTerminal, !(format.renderer() is any TextualRenderer) {
          throw ReportOutput.Failure(
            description: "\(format.rawValue) to a terminal: it is no text. --output names a file.")
        }
        sinks.append(ReportSink(file, format, options))
      case .store: stores.append(file)
      }
    }
  }

  /// Writes a report to every output.
  ///
  /// - Throws: the first failure, when all outputs were written that can be.
  /// - Parameter store: returns the bytes of the stores that it was made of; called where an output
  ///   is to have them.
  public func write(
    _ report: Report, store: () -> [UInt8]
  ) throws(ReportOutput.Failure) {
    var failure: ReportOutput.Failure?
    for file in stores {
      do { try file.replace(store()) } catch { failure = failure ?? error }
    }
    do { try writeEach { sink throws(ReportOutput.Failure) in try sink.write(report) } } catch {
      failure = failure ?? error
    }
    do { try gitHub?.write(report) } catch { failure = failure ?? error }
    if let failure { throw failure }
  }

  /// Writes the difference between two runs to every output.
  public func write(_ diff: FindingDiff) throws(ReportOutput.Failure) {
    try writeEach { sink throws(ReportOutput.Failure) in try sink.write(diff) }
  }

  /// Writes text for people in place of a report.
  public func write(text: String) throws(ReportOutput.Failure) {
    try writeEach { sink throws(ReportOutput.Failure) in try sink.write(text: text) }
  }

  /// Writes to each sink: one that fails costs none of the others.
  ///
  /// - Throws: the first failure.
  private func writeEach(
    _ write: (ReportSink) throws(ReportOutput.Failure) -> Void
  ) throws(ReportOutput.Failure) {
    var failure: ReportOutput.Failure?
    for sink in sinks { do { try write(sink) } catch { failure = failure ?? error } }
    if let failure { throw failure }
  }
}
