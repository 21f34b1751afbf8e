// The sentence on findings that a format has no room for.

/// The words for a limit on findings.
enum ResultLimitWording {
  /// Returns the sentence that only the heaviest findings are listed.
  static func sentence(_ leftOut: Int, _ limit: Int) -> String {
    "\(leftOut + limit) findings are more than readers of this format take: the heaviest \(limit) are listed."
  }
}
