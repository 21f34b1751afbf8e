// Reads the environment, in processes that may trust it.

import CTracker
import Glibc

/// The environment of this process.
enum Environment {
  /// Whether the process has more rights than its caller, which chose its environment.
  static var isPrivileged: Bool { ct_is_privileged() }

  /// Returns the value of a variable; `nil` where it is not set, and for every variable in a
  /// privileged process.
  static func value(_ name: String) -> UnsafeMutablePointer<CChar>? {
    unsafe ct_environment(name)
  }

  /// Removes the tracker's variables from a privileged process's environment, as the loader does
  /// with `LD_PRELOAD`: a child process with its rights would trust them.
  static func withdraw() {
    guard isPrivileged else { return }
    for name in ["BSTRTRACE_OPTIONS", "BSTRTRACE_STORE", "BSTRTRACE_RUNNER"]
    where unsafe getenv(name) != nil {
      unsafe unsetenv(name)
    }
  }
}
