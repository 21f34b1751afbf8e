// The outputs of a job on GitHub Actions: its log, on standard error, and its summary, in the file
// that GitHub names.

import Glibc
import TraceOptions

/// The log and the summary of a job.
struct GitHubOutput: Sendable {
  private let options: TraceOptions
  private let log: GitHubLog
  /// The path of the summary, and how it is made; `nil` where the job has none.
  private let summary: (path: String, renderer: GitHubSummary)?

  /// Creates the outputs of the job that this process is in.
  init(_ options: TraceOptions) {
    let root = SourceRoot.chosen(options.sourceRoot)
    self.options = options
    let path = getenv("GITHUB_STEP_SUMMARY").map { String(cString: $0) }
    summary = path.flatMap { $0.isEmpty ? nil : ($0, GitHubSummary(sourceRoot: root)) }
    log = GitHubLog(
      sourceRoot: root, hasSuppressionRules: options.printSuppressions, hasSummary: summary != nil)
  }

  /// Writes the log, and appends to the summary.
  func write(_ report: Report) throws(ReportOutput.Failure) {
    let report = report.merged(options)
    try ReportFile(STDERR_FILENO).replace(Array(log.render(report).utf8))
    guard let summary else { return }
    let descriptor = try ReportOutput.open(summary.path)
    defer { close(descriptor) }
    // Other processes of the step append to it, too.
    _ = fcntl(descriptor, F_SETFL, O_APPEND)
    var status = stat()
    let used = fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    let text = summary.renderer.render(report, room: GitHubSummary.maxBytes - used)
    let failure = ReportOutput.write(text, to: descriptor)
    if failure != 0 {
      throw ReportOutput.Failure(description: String(cString: strerror(failure)))
    }
  }
}
