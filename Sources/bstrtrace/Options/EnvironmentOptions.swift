// The options of the environment variable, which flags overrule.

import Glibc
import TraceOptions

/// The options that `BSTRTRACE_OPTIONS` gives.
enum EnvironmentOptions {
  /// Reads the variable, and reports the parts that are invalid.
  static func read() -> GivenOptions {
    var given = GivenOptions()
    guard let text = getenv("BSTRTRACE_OPTIONS") else { return given }
    for problem in given.parse(String(cString: text)) { ExitStatus.complain("\(problem)") }
    return given
  }
}
