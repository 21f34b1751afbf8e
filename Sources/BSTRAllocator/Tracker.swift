// The tracker of this process: what ties capture, depot, registry and store together, and the phases
// of its life. Does not allocate or free BSTRs: that is BSTRFunctions.

import CTracker
import CUnwind
import Glibc
import Synchronization
public import TraceStore
public import TraceOptions

/// Records this process's BSTRs.
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
/// Locks, in the order in which they may be taken: unwind gate, depot lock, shard locks, record lock,
/// pin lock. Only a fork takes more than two. Nothing unwinds or calls the loader's locking functions
/// while holding one.
@safe
public struct Tracker: ~Copyable {
  /// What users set.
  public let settings: Settings
  /// Parts of `BSTRTRACE_OPTIONS` that were ignored, with the reasons.
  public let problems: [Settings.Problem]

  let registry = Registry()
  let pins = PinTable()
  let gate = UnwindGate()
  private let depotLock = Lock()
  private let depot: UnsafeMutablePointer<Depot>
  // Replaced only in a forked child, before it has another thread; nil when nothing is recorded.
  private let store: UnsafeMutablePointer<StoreWriter?>
  private let directory: UnsafeMutablePointer<CChar>?
  private let depth: Int
  private let profileBits = Atomic<UInt64>(0)

  /// This process's tracker, started by the first use.
  public nonisolated(unsafe) static let current: UnsafeMutablePointer<Tracker> = {
    let tracker = UnsafeMutablePointer<Tracker>.allocate(capacity: 1)
    unsafe tracker.initialize(to: Tracker())
    unsafe tracker.pointee.start()
    return unsafe tracker
  }()

  private init() {
    var settings = Settings()
    problems =
      unsafe getenv("BSTRTRACE_OPTIONS").map {
        unsafe settings.parse(String(cString: $0))
      } ?? []
    self.settings = settings
    depth = settings.depth ?? 64
    unsafe depot = .allocate(capacity: 1)
    unsafe depot.initialize(to: Depot())
    unsafe store = .allocate(capacity: 1)
    unsafe store.initialize(to: nil)
    unsafe directory = getenv("BSTRTRACE_STORE").flatMap { unsafe strdup($0) }
    if let width = settings.olechar ?? settings.payloadOffset.map({ _ in 0 }) {
      let known = Profile(
        olecharBytes: width == 0 ? Profile.windows.olecharBytes : width,
        payloadOffset: settings.payloadOffset ?? Profile.windows.payloadOffset)
      // With only one of the two said, the other is still learnt.
      if settings.olechar != nil && settings.payloadOffset != nil {
        profileBits.store(Self.bits(of: known), ordering: .relaxed)
      }
    }
  }

  private func start() {
    cunwind_tune()
    if isWanted { openStore() }
    noteStatusAtExit()
    pthread_atfork(
      { unsafe Tracker.current.pointee.prepareToFork() },
      { unsafe Tracker.current.pointee.resumeInParent() },
      { unsafe Tracker.current.pointee.resumeInChild() })
  }

  /// Whether recording was asked for, in this process.
  private var isWanted: Bool {
    if settings.track == false { return false }
    let isUnderRun = unsafe directory != nil
    if isUnderRun, settings.followChildren == false,
      let runner = unsafe getenv("BSTRTRACE_RUNNER"), unsafe atoi(runner) != getppid()
    {
      return false
    }
    if ct_role == RecorderRole.preloaded.rawValue { return isUnderRun }
    #if DEBUG
      return true
    #else
      return isUnderRun || settings.track == true
    #endif
  }

  // MARK: profile

  private static func bits(of profile: Profile) -> UInt64 {
    UInt64(profile.olecharBytes) << 8 | UInt64(profile.payloadOffset)
  }

  /// The program's layout, or `nil` before it is known.
  public var knownProfile: Profile? {
    let bits = profileBits.load(ordering: .relaxed)
    if bits == 0 { return nil }
    return Profile(olecharBytes: Int(bits >> 8), payloadOffset: Int(bits & 0xFF))
  }

  /// Settles the program's layout; the first to say so wins.
  public func settle(_ profile: Profile) {
    let settled = profileBits.compareExchange(
      expected: 0, desired: Self.bits(of: profile), ordering: .relaxed)
    if settled.exchanged { noteProfile() }
  }

  private func noteProfile() {
    guard let profile = knownProfile else { return }
    withStore { store in
      unsafe store.header.pointee.olecharBytes = UInt32(profile.olecharBytes)
      unsafe store.header.pointee.payloadOffset = UInt32(profile.payloadOffset)
    }
  }

  // MARK: recording

  /// Whether allocations are recorded.
  public var isRecording: Bool { unsafe store.pointee != nil }

  /// Whether the report is made by `bstrtrace run`, from a file.
  public var isUnderRun: Bool { unsafe directory != nil }

  private func withStore<Result>(_ body: (borrowing StoreWriter) -> Result) -> Result? {
    switch unsafe store.pointee {
    case .some(let store): body(store)
    case .none: nil
    }
  }

  /// Records a BSTR that was just allocated.
  ///
  /// Takes the depot lock, then a shard lock; captures the stack before both. Keeps `errno`.
  ///
  /// - Parameters:
  ///   - block: the start of its block.
  ///   - bstr: its first character.
  ///   - byteLength: its payload in bytes.
  ///   - caller: the return address of the BSTR function that the program called.
  func recordAllocation(block: UInt, bstr: UInt, byteLength: UInt32, caller: UInt) {
    let thread = unsafe ct_thread()
    guard unsafe thread.pointee.busy == 0 else { return }
    unsafe thread.pointee.busy = 1
    let saved = errno
    defer {
      errno = saved
      unsafe thread.pointee.busy = 0
    }
    withStore { store in
      let stack = recordStack(from: caller, in: store)
      let (old, serial) = unsafe store.counter(.allocations).pointee.add(1, ordering: .relaxed)
      _ = old
      let record = unsafe BlockRecord(
        address: UInt64(bstr), serial: serial, byteLength: byteLength, stack: stack,
        thread: threadID(thread), milliseconds: milliseconds(since: store.header.pointee.startTime))
      if serial == 1 { noteStatusAtExit() }
      if !registry.insert(block, record, in: store) {
        unsafe store.counter(.unrecordedBlocks).pointee.add(1, ordering: .relaxed)
      }
      let live = unsafe serial &- store.counter(.frees).pointee.load(ordering: .relaxed)
      if unsafe live > store.counter(.peakLive).pointee.load(ordering: .relaxed) {
        unsafe store.counter(.peakLive).pointee.max(live, ordering: .relaxed)
      }
    }
  }

  /// Forgets a block that is about to be released.
  ///
  /// Takes a shard lock.
  @discardableResult
  public func recordRelease(block: UInt) -> Removal {
    let thread = unsafe ct_thread()
    guard unsafe thread.pointee.busy == 0 else { return .unknown }
    unsafe thread.pointee.busy = 1
    defer { unsafe thread.pointee.busy = 0 }
    return withStore { store in
      let removal = registry.remove(block, in: store)
      switch removal {
      case .own: unsafe store.counter(.frees).pointee.add(1, ordering: .relaxed)
      case .inherited: unsafe store.counter(.inheritedFrees).pointee.add(1, ordering: .relaxed)
      case .unknown: break
      }
      return removal
    } ?? .unknown
  }

  /// Whether a live block of ours starts at the address.
  ///
  /// Takes a shard lock.
  public func isLive(block: UInt) -> Bool { registry.contains(block) }

  /// Notes that a live block's string was shortened in place.
  ///
  /// Takes a shard lock.
  func recordResize(block: UInt, to byteLength: UInt32) {
    withStore { store in registry.resize(block, to: byteLength, in: store) }
  }

  /// Raises one of the counters of what went wrong.
  func count(_ counter: StoreCounter) {
    withStore { store in
      _ = unsafe store.counter(counter).pointee.add(1, ordering: .relaxed)
    }
  }

  private func recordStack(from caller: UInt, in store: borrowing StoreWriter) -> StackID {
    gate.enterToUnwind()
    let stack = unsafe StackCapture.capture(from: caller, depth: depth)
    gate.leave()
    guard let stack = unsafe stack else { return .none }
    depotLock.acquire()
    defer { depotLock.release() }
    let id = unsafe depot.pointee.intern(stack, in: store)
    if id == .none {
      unsafe store.counter(.unrecordedStacks).pointee.add(1, ordering: .relaxed)
    }
    return id
  }

  private func threadID(_ thread: UnsafeMutablePointer<ct_thread>) -> UInt32 {
    if unsafe thread.pointee.tid == 0 { unsafe thread.pointee.tid = ct_thread_id() }
    return unsafe thread.pointee.tid
  }

  private func milliseconds(since start: UInt64) -> UInt32 {
    UInt32(truncatingIfNeeded: (Self.now() &- start) / 1_000_000)
  }

  /// Nanoseconds of the monotonic clock, to the kernel's tick: a few ms, at a quarter of the price.
  private static func now() -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  // MARK: store

  private func openStore() {
    guard let region = makeRegion() else { return }
    let writer = StoreWriter(in: region)
    let header = unsafe writer.header
    unsafe header.pointee.role = ct_role
    unsafe header.pointee.pid = UInt32(getpid())
    unsafe header.pointee.parentPid = UInt32(getppid())
    unsafe header.pointee.startTime = Self.now()
    unsafe header.pointee.depth = UInt32(depth)
    unsafe header.pointee.firstBlock = registry.firstBlock
    ProcessFacts.write(to: writer)
    writer.publish()
    unsafe store.pointee = consume writer
    noteProfile()
  }

  private func makeRegion() -> Region? {
    guard let directory = unsafe directory else { return try? Region.anonymous() }
    var path = InlineArray<4096, CChar>(repeating: 0)
    var span = path.mutableSpan
    return unsafe span.withUnsafeMutableBufferPointer { buffer -> Region? in
      guard let base = buffer.baseAddress else { return nil }
      // A process that executes another program, or holds two recorders, has several stores.
      for attempt in 0..<10_000 {
        let length = unsafe withVaList([Int(bitPattern: directory), getpid(), Int32(attempt)]) {
          unsafe vsnprintf(base, buffer.count, "%s/%d.%d.store", $0)
        }
        guard length > 0, length < buffer.count else { return nil }
        do throws(Region.Failure) {
          return try unsafe Region.file(at: base)
        } catch {
          if error != .file(EEXIST) { return nil }
        }
      }
      return nil
    }
  }

  /// The store as it is now, for a report made by this process.
  public func image() -> StoreImage? {
    withoutRecording {
      withStore { store in try? unsafe StoreImage(bytes: store.bytes) } ?? nil
    }
  }

  /// Runs `body` with nothing on this thread recorded: the tracker's own work.
  public func withoutRecording<Result>(_ body: () -> Result) -> Result {
    let thread = unsafe ct_thread()
    unsafe thread.pointee.busy += 1
    defer { unsafe thread.pointee.busy -= 1 }
    return body()
  }

  // MARK: end

  /// Asks to be told the status that `exit` is called with.
  ///
  /// Done at the start, for processes without BSTRs, and again at the first allocation: what is
  /// registered before `main` runs after the libraries' destructors, where a linked program's report
  /// is made.
  private func noteStatusAtExit() {
    unsafe on_exit(
      { status, _ in unsafe Tracker.current.pointee.noteEnd(.exit, status: status) }, nil)
  }

  /// Notes how the process ends.
  ///
  /// A no-op in a child of `vfork`, which is still its parent.
  public func noteEnd(_ state: EndState, status: Int32) {
    withStore { store in
      guard unsafe store.header.pointee.pid == UInt32(getpid()) else { return }
      unsafe store.header.pointee.exitStatus = status
      unsafe store.header.pointee.endState = state.rawValue
    }
  }

  /// Keeps the first characters of a few live strings of each stack, for the report.
  ///
  /// Takes the depot lock, and reads only memory that can be read. Nothing with `redact`.
  public func keepValues() {
    guard settings.redact != true, knownProfile != nil else { return }
    let thread = unsafe ct_thread()
    guard unsafe thread.pointee.busy == 0 else { return }
    unsafe thread.pointee.busy = 1
    defer { unsafe thread.pointee.busy = 0 }
    depotLock.acquire()
    defer { depotLock.release() }
    withStore { store in
      guard unsafe store.header.pointee.pid == UInt32(getpid()) else { return }
      LiveValues.write(to: store)
    }
  }

  // MARK: fork

  /// Whether a signal handler forks in the middle of our own work: this thread may hold a lock that
  /// it would then wait for. The child renews all locks either way.
  private var isForkingInside: Bool { unsafe ct_thread().pointee.busy != 0 }

  private func prepareToFork() {
    if isForkingInside { return }
    gate.enterToFork()
    depotLock.acquire()
    registry.lockAll()
    pins.lockAll()
  }

  private func resumeInParent() {
    if isForkingInside { return }
    pins.unlockAll()
    registry.unlockAll()
    depotLock.release()
    gate.leave()
  }

  /// Starts the child on a store of its own.
  ///
  /// What it inherited stays known by address, so that freeing it is right, but its parent answers
  /// for it.
  private func resumeInChild() {
    gate.renewInForkedChild()
    depotLock.renewInForkedChild()
    pins.renewInForkedChild()
    let recordsOfParent =
      withStore { $0.used(of: .blocks) / MemoryLayout<BlockRecord>.stride } ?? 0
    registry.renewInForkedChild(recordsOfParent: recordsOfParent)
    unsafe depot.pointee.removeAll()
    unsafe ct_thread().pointee.tid = 0
    // The parent's region is shared with it: let go of the mapping, never write to it.
    if let parents = unsafe store.pointee.take() { parents.unmap() }
    if isWanted { openStore() }
  }
}
