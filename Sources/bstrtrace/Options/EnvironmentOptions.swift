// The options of the environment variable, for what no flag says.

import Glibc
import TraceOptions

/// What `BSTRTRACE_OPTIONS` gives.
enum EnvironmentOptions {
  /// Reads the variable, and complains about what it cannot understand.
  static func read() -> GivenOptions {
    var given = GivenOptions()
    guard let text = getenv("BSTRTRACE_OPTIONS") else { return given }
    for problem in given.parse(String(cString: text)) { ExitStatus.complain("\(problem)") }
    return given
  }
}
