// The flags that say how a report looks, shared by the subcommands. Names and helps come from the
// table of settings.

import ArgumentParser
import BSTRReporter
import Glibc
import TraceOptions

/// The shape of a report.
enum ReportFormat: String, CaseIterable, ExpressibleByArgument {
  case text
  case json
}

/// How and where to report.
struct ReportOptions: ParsableArguments {
  @Option(name: .setting(.format), help: .setting(.format))
  var format: ReportFormat?

  @Option(name: .setting(.output), help: .setting(.output), completion: .file())
  var output: String?

  @Flag(name: .setting(.redact), help: .setting(.redact))
  var redact = false

  @Option(name: .setting(.errorExitcode), help: .setting(.errorExitcode))
  var errorExitcode: Int?

  @Option(name: .setting(.wrappers), help: .setting(.wrappers))
  var wrappers: String?

  @OptionGroup var triage: TriageOptions

  @Flag(help: "Add who produced, owned and freed how many BSTRs, by modules and by functions.")
  var map = false

  @OptionGroup var names: NameOptions

  /// The reporter that these options, and elsewhere the environment's, ask for.
  func reporter(_ settings: Settings) -> Reporter {
    let added = wrappers.map { $0.split(separator: ",").map(String.init) } ?? settings.wrappers
    return Reporter(
      redact: redact || settings.redact == true, wrappers: Wrappers(adding: added ?? []),
      hasMap: map)
  }

  func validate() throws { try Self.validate(errorExitcode: errorExitcode) }

  /// Refuses what is no exit status.
  static func validate(errorExitcode: Int?) throws {
    if let errorExitcode, !(0...255).contains(errorExitcode) {
      throw ValidationError("--error-exitcode must be from 0 to 255, not \(errorExitcode).")
    }
  }
}

/// Where a report goes: opened before the program runs, so that hours are not lost to a typo.
struct ReportTarget {
  private let descriptor: Int32
  private let format: ReportFormat
  private let printsSuppressions: Bool

  /// Opens the output, or throws the sentence that says why it cannot be written.
  init(_ options: ReportOptions, _ settings: Settings) throws {
    printsSuppressions =
      options.triage.printSuppressions || settings.printSuppressions == true
    format = options.format ?? (settings.json == true ? .json : .text)
    guard let path = options.output ?? settings.output else {
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

extension NameSpecification {
  /// The long flag of a setting.
  static func setting(_ setting: Setting) -> NameSpecification {
    .customLong(setting.name.description)
  }
}

extension ArgumentHelp {
  /// The help of a setting, with its default.
  static func setting(_ setting: Setting) -> ArgumentHelp {
    let value =
      switch setting.values {
      case .path: "file"
      case .format: "text|json"
      case .integer, .oneOf: "number"
      case .onOff: "on|off"
      case .reportOrIgnore: "report|ignore"
      case .failures: "which"
      case .patterns: "names"
      case .level: "leaks|full"
      }
    return ArgumentHelp(
      "\(setting.help) (default: \(setting.defaultText))", valueName: value)
  }
}
