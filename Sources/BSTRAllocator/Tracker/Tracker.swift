// The tracker of this process, which ties capture, depot, registry and store together, and the
// phases of its life. Does not allocate or free BSTRs: that is BSTRFunctions.

import CInterpose
import CTracker
import CUnwind
import Glibc
import Synchronization
import TraceStore
public import TraceOptions

/// A recorder of this process's BSTRs.
///
/// ```
///   (load) ── first use or constructor ──▶ recording ── fork ──▶ parent: recording
///                     │                        │                 child: recording, new store,
///                     ▼                        ▼                        or off
///                    off  ◀── no store ── (destructors) ──▶ still recording, values written
/// ```
///
/// There is no end phase: blocks that other libraries' destructors free are recorded as freed.
///
/// Callers hold the recursion guard, from `ct_enter` to `ct_leave`. A fork waits until no thread
/// holds it.
///
/// Locks, in the order in which they may be taken: Docs/Architecture.md. No thread holds more than
/// two. Nothing unwinds or calls the loader's locking functions while it holds one.
@safe
public struct Tracker: ~Copyable {
  /// The options that the user set.
  public let options: TraceOptions
  /// Parts of `BSTRTRACE_OPTIONS` that were ignored, with the reasons.
  public let problems: [GivenOptions.Problem]

  let registry: Registry
  let pins = PinTable()
  let immortals = ImmortalTable()
  let histories = HistoryTable()
  let scopes = ScopeTable()
  /// The string layouts of the copies of the functions.
  let layouts = LayoutTable()
  let failures: AllocationFailures
  let depotLock = Lock()
  let depot: UnsafeMutablePointer<StackDepot>
  // Replaced only in a forked child, before it has another thread; nil when nothing is recorded.
  let store: UnsafeMutablePointer<StoreWriter?>
  let directory: UnsafeMutablePointer<CChar>?
  let depth: Int
  /// Whether the stacks that free strings are recorded.
  let recordsFrees: Bool
  /// Whether nothing is checked or remembered when strings are freed: only leaks are looked for.
  let skipsFreeChecks: Bool
  /// Whether a guard is written after each string.
  let setsGuards: Bool
  /// The serial of the allocation at which a debugger is to stop; 0 for none.
  let breakOn: UInt64
  /// Whether stacks are unwound on unwind-cache hits, too, and compared.
  let verifiesStacks: Bool
  let hasEnded = Atomic<Bool>(false)
  /// Whether holders were looked for.
  let hasLookedForHolders = Atomic<Bool>(false)
  /// Whether this is a forked child, whose parent's threads may have held the loader's lock.
  let isForked = Atomic<Bool>(false)

  /// This process's tracker, started by the first use.
  public static var current: UnsafeMutablePointer<Tracker> {
    @inline(__always) get {
      unsafe ct_get_tracker()?.assumingMemoryBound(to: Tracker.self) ?? started
    }
  }

  private nonisolated(unsafe) static let started: UnsafeMutablePointer<Tracker> = {
    ct_choose_recorder()
    let tracker = UnsafeMutablePointer<Tracker>.allocate(capacity: 1)
    unsafe tracker.initialize(to: Tracker())
    unsafe tracker.pointee.start()
    unsafe ct_set_tracker(tracker)
    return unsafe tracker
  }()

  private init() {
    var given = GivenOptions()
    problems =
      unsafe Environment.value("BSTRTRACE_OPTIONS").map { unsafe given.parse(String(cString: $0)) }
      ?? []
    options = TraceOptions(given)
    depth = options.depth
    recordsFrees = options.level == .full
    setsGuards = options.guards
    let quarantine = QuarantineLimits(
      processBytes: options.quarantine, processBlocks: options.quarantineBlocks,
      shards: Registry.shardCount)
    registry = Registry(quarantine)
    skipsFreeChecks = !recordsFrees && !setsGuards && quarantine.blocks == 0
    breakOn = UInt64(options.breakOn ?? 0)
    verifiesStacks = options.verifyStacks
    failures = AllocationFailures(options.failAllocation)
    unsafe depot = .allocate(capacity: 1)
    unsafe depot.initialize(to: StackDepot())
    unsafe store = .allocate(capacity: 1)
    unsafe store.initialize(to: nil)
    unsafe directory = Environment.value("BSTRTRACE_STORE").flatMap { unsafe strdup($0) }
  }

  private func start() {
    Environment.withdraw()
    cunwind_tune()
    if isWanted {
      // Now, while no freed string's block can be taken for it.
      ForeignBlock.findKeyOfFreedBlocks()
      openStore()
    }
    withStore { unsafe recordModules(in: $0) }
    unsafe ct_tell_unloads { unsafe Tracker.current.pointee.recordUnload(of: $0) }
    updateFastPath()
    noteStatusAtExit()
    if options.holders, isRecording { ct_watch_end() }
    ct_watch_forks(
      { ct_begin_fork() }, { ct_end_fork() }, { unsafe Tracker.current.pointee.resumeInChild() })
  }

  /// Whether this process is to be recorded, by its options, its runner and its other recorders.
  var isWanted: Bool {
    if options.track == false || Environment.isPrivileged || ct_has_other_recorder()
      || ct_meets_other_version()
    {
      return false
    }
    let isUnderRun = unsafe directory != nil
    if isUnderRun, !options.followChildren,
      let runner = unsafe Environment.value("BSTRTRACE_RUNNER"), unsafe atoi(runner) != getppid()
    {
      return false
    }
    if ct_role == RecorderRole.preloaded.rawValue { return isUnderRun }
    #if DEBUG
      return true
    #else
      return isUnderRun || options.track == true
    #endif
  }

  /// Whether allocations are recorded.
  public var isRecording: Bool { unsafe store.pointee != nil }

  /// Whether another copy of this library records in place of this one.
  public static var isElsewhere: Bool {
    ct_choose_recorder()
    return ct_has_other_recorder()
  }

  /// Whether the report is made by `bstrtrace run`, from a file.
  public var isUnderRun: Bool { unsafe directory != nil }

  /// Runs `body` on the store, and returns its result; `nil` when nothing is recorded.
  @discardableResult
  @inline(__always)
  func withStore<Result>(_ body: (borrowing StoreWriter) -> Result) -> Result? {
    switch unsafe store.pointee {
    case .some(let store): body(store)
    case .none: nil
    }
  }
}
