// What the environment says, to a program in which it may be believed.

import CTracker
import Glibc

/// The environment of this process.
enum Environment {
  /// Whether the process has more rights than whoever started it and chose its environment.
  static var isPrivileged: Bool { ct_is_privileged() }

  /// The value of a variable; `nil` where it is not set, and for every one in a privileged process.
  static func value(_ name: String) -> UnsafeMutablePointer<CChar>? {
    unsafe ct_environment(name)
  }

  /// Takes our variables out of a privileged process's environment, as the loader does with
  /// `LD_PRELOAD`: what it starts, with its rights, would believe them.
  static func withdraw() {
    guard isPrivileged else { return }
    for name in ["BSTRTRACE_OPTIONS", "BSTRTRACE_STORE", "BSTRTRACE_RUNNER"]
    where unsafe getenv(name) != nil {
      unsafe unsetenv(name)
    }
  }
}
