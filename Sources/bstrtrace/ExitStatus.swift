// The exit statuses of REPORT's contract, in one place (Docs/ReportFormat.md).

import ArgumentParser
import BSTRReporter
import Glibc
import TraceOptions

/// How bstrtrace ends.
enum ExitStatus {
  /// bstrtrace itself failed.
  static let toolFailed: Int32 = 2
  /// The program cannot be executed, or not under bstrtrace.
  static let cannotExecute: Int32 = 126
  /// There is no such program.
  static let notFound: Int32 = 127

  /// The status for a report, when the program itself ended with 0.
  static func of(
    _ report: Report, _ options: TraceOptions, _ triage: Triage
  ) -> ExitCode {
    if !report.damage.isEmpty { return ExitCode(toolFailed) }
    // A clean bill of health for a part of the allocations would be none.
    if report.findings.isEmpty, !triage.fails(report) {
      return report.unrecorded > 0 ? ExitCode(toolFailed) : .success
    }
    return ExitCode(Int32(options.errorExitcode))
  }

  /// Ends with one sentence on standard error.
  static func fail(_ message: String, _ status: Int32 = toolFailed) -> ExitCode {
    complain(message)
    return ExitCode(status)
  }

  /// Writes one line to standard error.
  static func complain(_ message: String) {
    // Not through `stderr`: a C global that Swift 6 will not read.
    ReportOutput.write("bstrtrace: \(Printable.escaped(message))\n", to: STDERR_FILENO)
  }
}
