// The flags that say how a report looks, shared by the subcommands, and where it goes.

import ArgumentParser
import BSTRReporter
import Glibc
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
struct ReportTarget {
  private let descriptor: Int32
  private let format: ReportFormat
  private let printsSuppressions: Bool

  /// Opens the output, or throws the sentence that says why it cannot be written.
  init(_ options: TraceOptions) throws {
    printsSuppressions = options.printSuppressions
    format = options.format
    guard let path = options.output else {
      descriptor = STDERR_FILENO
      return
    }
    descriptor = try OutputFile.open(path)
  }

  /// Writes the report.
  func write(_ report: Report) throws {
    switch format {
    case .text:
      let renderer = TextRenderer(colour: ReportOutput.isColourful(descriptor))
      let rules = printsSuppressions ? renderer.suppressionRules(for: report) : ""
      try OutputFile.write(renderer.render(report) + rules, to: descriptor)
    case .json: try OutputFile.write(JSONRenderer().render(report), to: descriptor)
    }
  }

  /// Writes text for people in place of a report.
  func write(_ text: String) throws { try OutputFile.write(text, to: descriptor) }
}
