// The flags on the form and output of a report, shared by the subcommands.

import ArgumentParser
import BSTRReporter
import Glibc
import TraceOptions
import TraceStore

/// The form and output of a report.
struct ReportOptions: TableOptions {
  @Option(\.format) var format: GivenText?
  @Option(\.outputs) var output: [GivenText] = []
  @Option(\.sourceRoot) var sourceRoot: GivenText?
  @Flag(\.github) var github: Bool?
  @Option(\.groupBy) var groupBy: GivenText?
  @Flag(\.perProcess) var perProcess: Bool?
  @Flag(\.redact) var redact: Bool?
  @Option(\.errorExitcode) var errorExitcode: GivenText?
  @Option(\.wrappers) var wrappers: GivenText?

  @OptionGroup var triage: TriageOptions

  @Flag(help: "Add who produced, owned and freed how many BSTRs, by modules and by functions.")
  var map = false

  @OptionGroup var names: NameOptions

  /// The options that were given by these flags and by those of the triage.
  var allGiven: GivenOptions { given.overruled(by: triage.given) }

  /// Returns the report that was asked for, and shows its progress on a terminal.
  func report(
    on stores: [StoreReference], damage: [String], _ options: TraceOptions,
    _ separate: SeparateFamilies? = nil, symbolicator: inout some Symbolicator
  ) -> Report {
    let line = ProgressLine()
    var reporter = reporter(options)
    reporter.separateFamilies = separate
    return reporter.report(on: stores, symbolicator: &symbolicator, damage: damage) {
      line.note($0, of: $1)
    }
  }

  /// Returns the reporter that was asked for.
  func reporter(_ options: TraceOptions) -> Reporter {
    var reporter = Reporter(
      redact: options.redact, wrappers: Wrappers(adding: options.wrappers), hasMap: map,
      hasProfile: options.showProfiles,
      sources: SourceFiles(root: options.sourceRoot))
    reporter.givenFunctions = options.functions
    return reporter
  }
}

/// The outputs of a report: opened before the program runs, so that a typo does not cost a long
/// run.
///
/// Their failures are the tool's.
struct ReportTarget {
  private let sinks: ReportSinks

  /// Opens the outputs, or throws the sentence on why one cannot be written.
  init(_ options: TraceOptions) throws {
    var options = options
    options.github = options.github ?? (Self.isInGitHubJob && options.hasTextForPeople)
    do throws(ReportOutput.Failure) {
      sinks = try ReportSinks(options, start: ReportFile.fileTime)
    } catch {
      throw ToolFailure("cannot write \(error)")
    }
  }

  /// Whether this process runs in a job of GitHub Actions.
  private static var isInGitHubJob: Bool {
    getenv("GITHUB_ACTIONS").map { String(cString: $0) } == "true"
  }

  /// Writes the report, made of these stores.
  func write(_ report: Report, of stores: [StoreReference]) throws {
    try Self.rethrowing { () throws(ReportOutput.Failure) in
      try sinks.write(report) { StoreFile.bytes(of: stores) }
    }
  }

  /// Writes the difference between two runs.
  func write(_ diff: FindingDiff) throws {
    try Self.rethrowing { () throws(ReportOutput.Failure) in try sinks.write(diff) }
  }

  /// Writes text for people instead of a report.
  func write(_ text: String) throws {
    try Self.rethrowing { () throws(ReportOutput.Failure) in try sinks.write(text: text) }
  }

  private static func rethrowing(_ write: () throws(ReportOutput.Failure) -> Void) throws {
    do throws(ReportOutput.Failure) {
      try write()
    } catch {
      throw ToolFailure("cannot write the report: \(error)")
    }
  }
}

extension TraceOptions {
  /// Whether standard error is for people: a report for programs there stays as it is.
  fileprivate var hasTextForPeople: Bool {
    destinations.allSatisfy { $0.path != nil || $0.content == .report(.text) }
  }
}
