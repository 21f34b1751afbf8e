// The flags on the form and output of a report, shared by the subcommands.

import ArgumentParser
import BSTRReporter
import TraceOptions

/// The form and output of a report.
struct ReportOptions: TableOptions {
  @Option(\.format) var format: GivenText?
  @Option(\.output) var output: GivenText?
  @Flag(\.redact) var redact: Bool?
  @Option(\.errorExitcode) var errorExitcode: GivenText?
  @Option(\.wrappers) var wrappers: GivenText?

  @OptionGroup var triage: TriageOptions

  @Flag(help: "Add who produced, owned and freed how many BSTRs, by modules and by functions.")
  var map = false

  @OptionGroup var names: NameOptions

  /// The options that were given by these flags and by those of the triage.
  var allGiven: GivenOptions { given.overruled(by: triage.given) }

  /// Returns the reporter that was asked for.
  func reporter(_ options: TraceOptions) -> Reporter {
    Reporter(redact: options.redact, wrappers: Wrappers(adding: options.wrappers), hasMap: map)
  }
}

/// The output of a report: opened before the program runs, so that a typo does not cost a long run.
///
/// Its failures are the tool's.
struct ReportTarget {
  private let sink: ReportSink

  /// Opens the output, or throws the sentence on why it cannot be written.
  init(_ options: TraceOptions) throws {
    do throws(ReportOutput.Failure) {
      sink = try ReportSink.open(options)
    } catch {
      throw ToolFailure("cannot write \(error)")
    }
  }

  /// Writes the report.
  func write(_ report: Report) throws {
    try Self.rethrowing { () throws(ReportOutput.Failure) in try sink.write(report) }
  }

  /// Writes text for people instead of a report.
  func write(_ text: String) throws {
    try Self.rethrowing { () throws(ReportOutput.Failure) in try sink.write(text: text) }
  }

  private static func rethrowing(_ write: () throws(ReportOutput.Failure) -> Void) throws {
    do throws(ReportOutput.Failure) {
      try write()
    } catch {
      throw ToolFailure("cannot write the report: \(error)")
    }
  }
}
