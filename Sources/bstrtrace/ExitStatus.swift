// The exit statuses of Docs/ReportFormat.md, in one file.

import ArgumentParser
import BSTRReporter
import Glibc
import TraceOptions

/// An exit status of bstrtrace.
enum ExitStatus {
  /// bstrtrace itself failed.
  static let toolFailed: Int32 = 2
  /// The program cannot be executed, or not under bstrtrace.
  static let cannotExecute: Int32 = 126
  /// There is no such program.
  static let notFound: Int32 = 127

  /// Returns the status for a report, when the program itself ended with 0.
  static func of(
    _ report: Report, _ options: TraceOptions, _ triage: Triage
  ) -> ExitCode {
    if !report.damage.isEmpty { return ExitCode(toolFailed) }
    // No findings in a part of the allocations do not show that there are none.
    if report.findings.isEmpty, !triage.fails(report) {
      return report.unrecorded > 0 ? ExitCode(toolFailed) : .success
    }
    return ExitCode(Int32(options.errorExitcode))
  }

  /// Ends the process with one sentence on standard error.
  static func fail(_ message: String, _ status: Int32 = toolFailed) -> ExitCode {
    complain(message)
    return ExitCode(status)
  }

  /// Writes one line to standard error.
  static func complain(_ message: String) {
    // Not through `stderr`: Swift 6 rejects access to a C global that is not safe between threads.
    ReportOutput.write("bstrtrace: \(Printable.escaped(message))\n", to: STDERR_FILENO)
  }
}
