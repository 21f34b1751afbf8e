// Sentences for the logs and summaries of GitHub Actions.

/// The words for a job.
enum GitHubWording {
  /// Returns the title of the text in the log, and of the summary.
  static func title(_ count: Int) -> String {
    switch count {
    case 0: "bstrtrace: no findings"
    case 1: "bstrtrace: 1 finding"
    default: "bstrtrace: \(count) findings"
    }
  }

  /// Returns the sentence on findings that have no annotation.
  static func more(_ count: Int, _ hasSummary: Bool) -> String {
    let findings = count == 1 ? "1 more finding is" : "\(count) more findings are"
    return "\(findings) in \(hasSummary ? "the summary of the job" : "the log of this step")."
  }

  /// Returns the sentence on findings that the summary has no room for.
  static func leftOut(_ count: Int) -> String {
    let findings = count == 1 ? "1 more finding is" : "\(count) more findings are"
    return "\(findings) in the log: the summary has no room for more."
  }
}
