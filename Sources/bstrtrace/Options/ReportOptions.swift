// The flags that say how a report looks, shared by the subcommands, and where it goes.

import ArgumentParser
import BSTRReporter
import TraceOptions

/// How and where to report.
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

  /// What was given by these flags and by those of the triage.
  var allGiven: GivenOptions { given.overruled(by: triage.given) }

  /// The reporter that was asked for.
  func reporter(_ options: TraceOptions) -> Reporter {
    Reporter(redact: options.redact, wrappers: Wrappers(adding: options.wrappers), hasMap: map)
  }
}

/// Where a report goes: opened before the program runs, so that hours are not lost to a typo.
///
/// Its failures are the tool's.
struct ReportTarget {
  private let sink: ReportSink

  /// Opens the output, or throws the sentence that says why it cannot be written.
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

  /// Writes text for people in place of a report.
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
