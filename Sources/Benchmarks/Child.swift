// One process: started, waited for, measured. Does not interpret what it prints.

import FoundationEssentials
import Glibc

/// A process that has ended.
struct Child {
  /// The time from before its start to after its end.
  let seconds: Double
  /// The maximum resident memory of it or of one of its children, in kilobytes.
  let peakKilobytes: Int
  /// The exit status, or `nil` when a signal ended it.
  let status: Int32?
  /// Whether it was killed because it took too long.
  let hasTimedOut: Bool
  let output: String
  let errors: String

  /// Runs a command to its end.
  ///
  /// - Parameters:
  ///   - command: an executable's path and its arguments.
  ///   - environment: variables in addition to the benchmark's own.
  ///   - folder: where its output is kept until it ends.
  ///   - timeout: seconds after which it is killed.
  init(
    _ command: [String], environment: [String: String] = [:], in folder: String,
    timeout: Double = 60
  ) throws {
    let (out, err) = ("\(folder)/stdout", "\(folder)/stderr")
    var children = sigset_t()
    sigemptyset(&children)
    sigaddset(&children, SIGCHLD)
    sigprocmask(SIG_BLOCK, &children, nil)

    let clock = ContinuousClock()
    let start = clock.now
    let pid = try Self.start(command, environment, folder, out, err)
    var usage = rusage()
    var waitStatus: Int32 = 0
    var hasTimedOut = false
    while wait4(pid, &waitStatus, WNOHANG, &usage) == 0 {
      let left = timeout - (clock.now - start).inSeconds
      if left <= 0 {
        hasTimedOut = true
        kill(-pid, SIGKILL)
      }
      let pause = max(left, 0.01)
      var time = timespec(
        tv_sec: Int(pause), tv_nsec: Int(pause.truncatingRemainder(dividingBy: 1) * 1e9))
      sigtimedwait(&children, nil, &time)
    }
    seconds = (clock.now - start).inSeconds
    peakKilobytes = usage.ru_maxrss
    status = waitStatus & 0x7F == 0 ? (waitStatus >> 8) & 0xFF : nil
    self.hasTimedOut = hasTimedOut
    output = Self.text(of: out)
    errors = Self.text(of: err)
  }

  /// Returns the number that the program printed behind a name.
  func printed(_ name: String) -> Double? {
    for line in output.split(separator: "\n") where line.hasPrefix("\(name) ") {
      return Double(line.dropFirst(name.count + 1))
    }
    return nil
  }

  private static func start(
    _ command: [String], _ environment: [String: String], _ folder: String, _ out: String,
    _ err: String
  ) throws -> pid_t {
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    // A group of its own, so that all of it can be killed.
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    for (descriptor, path) in [(STDOUT_FILENO, out), (STDERR_FILENO, err)] {
      posix_spawn_file_actions_addopen(
        &actions, descriptor, path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    }

    var variables = ProcessInfo.processInfo.environment
    for name in ["LD_PRELOAD", "BSTRTRACE_OPTIONS", "BSTRTRACE_STORE"] { variables[name] = nil }
    variables.merge(environment) { $1 }
    let argv = command.map { strdup($0) } + [nil]
    let envp = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in argv + envp { free(text) } }
    var pid = pid_t()
    let failure = posix_spawn(&pid, command[0], &actions, &attributes, argv, envp)
    guard failure == 0 else {
      throw Failure(
        description: "cannot run '\(command[0])': \(String(cString: strerror(failure)))")
    }
    return pid
  }

  private static func text(of path: String) -> String {
    let bytes = (try? Data(contentsOf: URL(filePath: path))) ?? Data()
    return String(decoding: bytes.prefix(10_000_000), as: UTF8.self)
  }
}

extension Duration {
  /// Returns the same as a number of seconds.
  var inSeconds: Double {
    Double(components.seconds) + 1e-18 * Double(components.attoseconds)
  }
}
