// One run of a program with the tracker in it: starts it, waits, collects the stores. Does not
// report.

import FoundationEssentials
import Glibc
import TraceOptions
import TraceStore

/// A program that was run and has ended.
final class ProgramRun {
  private let directory: String
  private let pid: pid_t
  private let waitStatus: Int32
  /// Whether it was killed because of the timeout.
  let hasTimedOut: Bool
  private let hasGroup: Bool

  /// The time that traced processes which outlive the program are waited for, in milliseconds: they
  /// are often just ending.
  private static let graceMilliseconds = 300

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
    directory = try Self.makeDirectory()
    do {
      pid = try Self.start(
        program, arguments, preload, directory, given, discardsOutput: discardsOutput,
        hasGroup: timeout != nil)
    } catch {
      Self.remove(directory)
      throw error
    }
    (waitStatus, hasTimedOut) = Self.wait(for: pid, timeout: timeout)
    hasGroup = timeout != nil
    // The loader's own statuses: it ended the program before that could run.
    if signal == nil, [1, 127].contains(exitStatus), !hasStores {
      try preload.checkIsLoadable()
    }
  }

  deinit {
    // Processes that a run with a timeout has started do not outlive it.
    if hasGroup { kill(-pid, SIGKILL) }
    Self.remove(directory)
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
    "no process made a store in '\(directory)'; its disk may be full, or the program started its "
      + "children without LD_PRELOAD"
  }

  // MARK: collecting

  /// Returns the stores of all processes, with what is known of their ends, and errors of reading.
  func collect() -> (images: [StoreImage], damage: [String]) {
    var (images, damage) = read()
    var waited = 0
    while waited < Self.graceMilliseconds, !running(images).isEmpty {
      usleep(10_000)
      waited += 10
      (images, damage) = read()
    }
    let running = running(images)
    let last = lastPrograms(of: images)
    for index in images.indices where last.contains(index) {
      let owner = images[index].header.processID
      if owner == pid {
        images[index].noteEnd(signal == nil ? .exit : .signal, status: signal ?? exitStatus)
      } else if running.contains(index) {
        images[index].noteEnd(.running, status: 0)
      }
    }
    return (images, damage)
  }

  private var hasStores: Bool {
    (try? FileManager.default.contentsOfDirectory(atPath: directory))?.isEmpty == false
  }

  private func read() -> ([StoreImage], [String]) {
    var images: [StoreImage] = []
    var damage: [String] = []
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    for name in names.sorted() where name.hasSuffix(".store") {
      do throws(StoreFile.Failure) {
        images += try StoreFile.images(at: "\(directory)/\(name)").images
      } catch {
        // A process that ended while it created its store has recorded nothing.
        if case .store(_, .notAStore) = error { continue }
        if case .store(_, .empty) = error { continue }
        damage.append("\(error)")
      }
    }
    return (images, damage)
  }

  /// Returns the indices of each process's latest store: the earlier ones ended with an `exec`.
  private func lastPrograms(of images: [StoreImage]) -> Set<Int> {
    var last: [UInt32: Int] = [:]
    for (index, image) in images.enumerated() {
      if let other = last[image.header.pid], images[other].header.startTime > image.header.startTime
      {
        continue
      }
      last[image.header.pid] = index
    }
    return Set(last.values)
  }

  private func running(_ images: [StoreImage]) -> Set<Int> {
    lastPrograms(of: images).filter { index in
      let header = images[index].header
      guard header.endState == EndState.none.rawValue, header.processID != pid else {
        return false
      }
      return Self.isAlive(header.processID)
    }
  }

  /// Returns whether the process exists and is no zombie.
  private static func isAlive(_ pid: pid_t) -> Bool {
    guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
      let end = text.lastIndex(of: ")")
    else { return false }
    let state = text[end...].dropFirst(2).first
    return state != "Z" && state != "X"
  }

  // MARK: starting

  private static func makeDirectory() throws -> String {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(parent)/bstrtrace-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw ToolFailure("cannot make a folder for stores in '\(parent)': \(OutputFile.reason())")
    }
    return template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
  }

  private static func remove(_ directory: String) {
    try? FileManager.default.removeItem(atPath: directory)
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

  /// Waits for the program's end, and passes signals on to it; kills it at the timeout.
  private static func wait(for pid: pid_t, timeout: Int?) -> (status: Int32, hasTimedOut: Bool) {
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
      var pause = timespec(tv_sec: 1, tv_nsec: 0)
      let signal =
        deadline == nil
        ? sigwaitinfo(&set, &information) : sigtimedwait(&set, &information, &pause)
      // The terminal sends its signals to the program, too.
      let isFromTerminal = information.si_code == 0x80  // SI_KERNEL
      if signal > 0, signal != SIGCHLD, !isFromTerminal { kill(pid, signal) }
    }
  }
}
