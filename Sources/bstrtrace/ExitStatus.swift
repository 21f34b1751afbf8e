// The exit statuses of REPORT's contract, in one place (Docs/ReportFormat.md).

import ArgumentParser
import BSTRReporter
import Glibc
import TraceOptions

/// How bstrtrace ends.
enum ExitStatus {
  /// bstrtrace itself failed.
  static let toolFailed: Int32 = 2
  /// There are findings, unless another number was asked for.
  static let findings = 23
  /// The program cannot be executed, or not under bstrtrace.
  static let cannotExecute: Int32 = 126
  /// There is no such program.
  static let notFound: Int32 = 127

  /// The status for a report, when the program itself ended with 0.
  static func of(
    _ report: Report, _ options: ReportOptions, _ settings: Settings, _ triage: Triage
  ) -> ExitCode {
    if !report.damage.isEmpty { return ExitCode(toolFailed) }
    // A clean bill of health for a part of the allocations would be none.
    if report.findings.isEmpty, !triage.fails(report) {
      return report.unrecorded > 0 ? ExitCode(toolFailed) : .success
    }
    return ofFindings(options.errorExitcode, settings)
  }

  /// The status that says that something is wrong: by a flag, else by the environment.
  static func ofFindings(_ flag: Int?, _ settings: Settings) -> ExitCode {
    ExitCode(Int32(flag ?? settings.errorExitcode ?? findings))
  }

  /// Ends with one sentence on standard error.
  static func fail(_ message: String, _ status: Int32 = toolFailed) -> ExitCode {
    complain(message)
    return ExitCode(status)
  }

  /// Writes one line to standard error.
  static func complain(_ message: String) {
    // Not through `stderr`: a C global that Swift 6 will not read.
    ReportOutput.write("bstrtrace: \(message)\n", to: STDERR_FILENO)
  }
}
