// One run of a program with the tracker in it: starts it and waits, while the stores are collected.
// Does not report.

import FoundationEssentials
import Glibc
import TraceOptions
import TraceStore

/// A program that was run and has ended.
final class ProgramRun {
  private let folder: StoreFolder
  private let pid: pid_t
  private var collector: StoreCollector
  private let waitStatus: Int32
  /// Whether it was killed because of the timeout.
  let hasTimedOut: Bool
  private let hasGroup: Bool

  /// The time that traced processes which outlive the program are waited for, in milliseconds: they
  /// are often just ending.
  private static let graceMilliseconds = 300
  /// The time from one look for processes that have ended to the next, in milliseconds.
  private static let collectingMilliseconds = 200

  /// Runs the program to its end.
  ///
  /// Signals that end bstrtrace are passed on to it.
  ///
  /// - Parameters:
  ///   - timeout: seconds after which it is killed; `nil` for never.
  ///   - discardsOutput: whether its standard output and standard error are discarded.
  init(
    program: TracedProgram, arguments: [String], given: GivenOptions, timeout: Int? = nil,
    discardsOutput: Bool = false
  ) throws {
    var mask = sigset_t()
    sigprocmask(SIG_BLOCK, nil, &mask)
    // The next run must start with the same mask and handlers.
    defer { sigprocmask(SIG_SETMASK, &mask, nil) }
    let preload = try PreloadLibrary()
    folder = try StoreFolder(in: TraceOptions(given).storeDir)
    do {
      pid = try Self.start(
        program, arguments, preload, folder.path, given, discardsOutput: discardsOutput,
        hasGroup: timeout != nil)
    } catch {
      Self.remove(folder)
      throw error
    }
    var collector = StoreCollector(folder, of: pid)
    (waitStatus, hasTimedOut) = Self.wait(for: pid, timeout: timeout, &collector)
    self.collector = collector
    hasGroup = timeout != nil
    // The loader's own statuses: it ended the program before that could run.
    if signal == nil, [1, 127].contains(exitStatus), collector.isEmpty {
      try preload.checkIsLoadable()
    }
  }

  deinit {
    // Processes that a run with a timeout has started do not outlive it.
    if hasGroup { kill(-pid, SIGKILL) }
    Self.remove(folder)
  }

  /// The exit status that the program's own end asks for, or `nil` when it ended with 0.
  var ownStatus: Int32? {
    if let signal { return 128 + signal }
    return exitStatus == 0 ? nil : exitStatus
  }

  /// The signal that ended it.
  var signal: Int32? { waitStatus & 0x7F == 0 ? nil : waitStatus & 0x7F }
  private var exitStatus: Int32 { (waitStatus >> 8) & 0xFF }

  /// The reason why there may be no store.
  var missingStoreReason: String {
    "no process made a store in '\(folder.path)'; its disk may be full, or the program started its "
      + "children without LD_PRELOAD"
  }

  // MARK: collecting

  /// Returns the stores of all processes, with what is known of their ends, and errors of reading.
  ///
  /// They are in files that are gone with this run.
  func collect() -> (stores: [StoreReference], damage: [String]) {
    collector.collectAll(
      grace: Self.graceMilliseconds,
      end: (signal == nil ? .exit : .signal, signal ?? exitStatus))
    return (collector.stores, collector.damage)
  }

  // MARK: starting

  private static func remove(_ folder: StoreFolder) {
    try? FileManager.default.removeItem(atPath: folder.path)
  }

  private static func start(
    _ program: TracedProgram, _ arguments: [String], _ preload: PreloadLibrary, _ directory: String,
    _ given: GivenOptions, discardsOutput: Bool, hasGroup: Bool
  ) throws -> pid_t {
    var variables = ProcessInfo.processInfo.environment
    preload.add(to: &variables)
    variables["BSTRTRACE_STORE"] = directory
    variables["BSTRTRACE_RUNNER"] = "\(getpid())"
    variables["BSTRTRACE_OPTIONS"] = given.recordingText

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // A process that ignores SIGCHLD cannot wait for its children.
    Glibc.signal(SIGCHLD, SIG_DFL)
    var signals = sigset_t()
    // The program gets the mask that this process was started with.
    block(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    var flags = POSIX_SPAWN_SETSIGMASK
    if hasGroup {
      // A group of its own, so that all of it can be ended.
      posix_spawnattr_setpgroup(&attributes, 0)
      flags |= POSIX_SPAWN_SETPGROUP
    }
    posix_spawnattr_setflags(&attributes, Int16(flags))

    let argv = arguments.map { strdup($0) } + [nil]
    let envp = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { (argv + envp).forEach { free($0) } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for descriptor in [STDOUT_FILENO, STDERR_FILENO] where discardsOutput {
      posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0)
    }
    var pid = pid_t()
    let failure = posix_spawn(&pid, program.path, &actions, &attributes, argv, envp)
    if failure != 0 {
      throw TracedProgram.Failure(
        description: "cannot run '\(arguments[0])': \(String(cString: strerror(failure)))",
        status: failure == ENOENT ? ExitStatus.notFound : ExitStatus.cannotExecute)
    }
    return pid
  }

  // MARK: waiting

  private static var forwardedSignals: [Int32] {
    [SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2]
  }

  /// Keeps signals for `wait`, and stores the mask that was in force.
  private static func block(_ old: inout sigset_t) {
    var set = sigset_t()
    sigemptyset(&set)
    for signal in forwardedSignals + [SIGCHLD] { sigaddset(&set, signal) }
    sigprocmask(SIG_BLOCK, &set, &old)
  }

  /// Waits for the program's end, passes signals on to it, and collects what has ended meanwhile;
  /// kills it at the timeout.
  private static func wait(
    for pid: pid_t, timeout: Int?, _ collector: inout StoreCollector
  ) -> (status: Int32, hasTimedOut: Bool) {
    let deadline = timeout.map { ContinuousClock.now + .seconds($0) }
    var hasTimedOut = false
    var set = sigset_t()
    sigemptyset(&set)
    for signal in forwardedSignals + [SIGCHLD] { sigaddset(&set, signal) }
    var status: Int32 = 0
    while true {
      let ended = waitpid(pid, &status, WNOHANG)
      if ended == pid { return (status, hasTimedOut) }
      if ended < 0 && errno != EINTR { return (0, hasTimedOut) }
      if let deadline, deadline <= .now {
        hasTimedOut = true
        kill(-pid, SIGKILL)
      }
      var information = siginfo_t()
      var pause = timespec(tv_sec: 0, tv_nsec: collectingMilliseconds * 1_000_000)
      let signal = sigtimedwait(&set, &information, &pause)
      if signal < 0, errno == EAGAIN { collector.collectEnded() }
      // The terminal sends its signals to the program, too.
      let isFromTerminal = information.si_code == 0x80  // SI_KERNEL
      if signal > 0, signal != SIGCHLD, !isFromTerminal { kill(pid, signal) }
    }
  }
}
