// The end of a process, in words.

import Glibc

extension ProcessReport {
  /// Whether it did not end by itself: strings that were live then may have been freed later.
  var wasCutShort: Bool {
    switch end {
    case .signal: true
    case .unknown: unseenEnd == .lost
    case .exit, .running: false
    }
  }

  /// The second half of a sentence on its end that begins with "it"; `nil` for an end with status
  /// 0, and while it runs.
  var endText: String? {
    switch end {
    case .exit(0), .running: nil
    case .exit(let status): "ended with status \(status)"
    case .signal(let signal): "was killed by \(Self.name(ofSignal: signal))"
    case .unknown:
      switch unseenEnd {
      case .lost: "was killed or became a program that is not recorded: its end was not seen"
      case .replaced: "became another program"
      case .reporting, .untraced: nil
      }
    }
  }

  /// "SIGABRT (signal 6)", or "signal 34" for one without a name.
  private static func name(ofSignal signal: Int) -> String {
    let names: [Int32: String] = [
      SIGHUP: "SIGHUP", SIGINT: "SIGINT", SIGQUIT: "SIGQUIT", SIGILL: "SIGILL", SIGTRAP: "SIGTRAP",
      SIGABRT: "SIGABRT", SIGBUS: "SIGBUS", SIGFPE: "SIGFPE", SIGKILL: "SIGKILL",
      SIGUSR1: "SIGUSR1", SIGSEGV: "SIGSEGV", SIGUSR2: "SIGUSR2", SIGPIPE: "SIGPIPE",
      SIGALRM: "SIGALRM", SIGTERM: "SIGTERM", SIGXCPU: "SIGXCPU", SIGXFSZ: "SIGXFSZ",
      SIGVTALRM: "SIGVTALRM", SIGPROF: "SIGPROF", SIGSYS: "SIGSYS",
    ]
    let name = Int32(exactly: signal).flatMap { names[$0] }
    return name.map { "\($0) (signal \(signal))" } ?? "signal \(signal)"
  }
}
