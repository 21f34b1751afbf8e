// The layouts of the copies of the BSTR functions that a process has, by the modules that call
// them. Does not find them out: that is LayoutProbe.

import CTracker
import Glibc
import TraceStore

/// Which layout the strings of which module have: that of the copy of the functions that the module
/// would reach without the tracker.
///
/// It is asked once for each call; after that `ct_layout_of_caller` knows. All of it is guarded by
/// a lock of its own, which is taken last, but for the layout that is assumed.
@safe
struct LayoutTable: ~Copyable {
  /// What is known of one module's calls.
  struct Entry {
    /// The mapped range of the module; 0 for code in none, such as a JIT compiler's.
    var start: UInt = 0
    var end: UInt = 0
    /// What another module that is mapped there later does not have.
    var identity: UInt64 = 0
    /// Whether the module imports or defines any of the functions; others come here by a function's
    /// jump.
    var usesFunctions = true
    /// The module's own copy of SysFreeString; 0 where it has none.
    var copy: UInt = 0
    /// Whether there is nothing more to find out: the copy was tried out, or there is none.
    var isSettled = false
    var layout = StoredLayout.unknown
    /// Whether the module has said so itself, by `bstr.h`.
    var isDeclared = false
  }

  @unsafe private struct State {
    var entries: UnsafeMutablePointer<Entry>?
    var count = 0
    var isAssumptionDeclared = false
    /// Unloads up to which entries were looked over.
    var unloads: UInt32 = 0
  }

  private static let capacity = 512

  private let lock = Lock()
  private let state: UnsafeMutablePointer<State>

  init() {
    unsafe state = .allocate(capacity: 1)
    unsafe state.initialize(to: State())
    if ct_get_assumed_layout() == 0 {
      ct_set_assumed_layout(StoredLayout(olecharBytes: 2, payloadOffset: 8).rawValue)
    }
  }

  /// What is known of a module; `nil` for nothing.
  func entry(ofModule start: UInt) -> Entry? {
    first { $0.start == start }
  }

  /// What was found out of a copy of the functions; `nil` while it was not tried out.
  func entry(ofCopy copy: UInt) -> Entry? {
    first { $0.copy == copy && $0.isSettled }
  }

  /// What holds for a module without a copy of its own: as another module declared it, as a release
  /// taught it, or the default.
  ///
  /// Takes no lock: signal handlers ask.
  static var assumed: StoredLayout { StoredLayout(rawValue: ct_get_assumed_layout()) }

  /// What is known of the module at an address, in a signal handler, say; what is assumed where
  /// that is nothing.
  ///
  /// Takes no lock: in the moment in which code is unloaded, the answer may be another module's.
  func layoutWithoutLock(at address: UInt) -> StoredLayout {
    guard let entries = unsafe state.pointee.entries else { return Self.assumed }
    for index in unsafe 0..<min(state.pointee.count, Self.capacity) {
      let entry = unsafe entries[index]
      if entry.start <= address, address < entry.end, entry.layout.isKnown { return entry.layout }
    }
    return Self.assumed
  }

  /// Notes what was found out of a module, in place of what was known, but for what the module says
  /// of itself.
  func set(_ entry: Entry) {
    lock.acquire()
    defer { lock.release() }
    removeUnloaded()
    guard let index = index(where: { $0.start == entry.start }) else { return append(entry) }
    if unsafe state.pointee.entries?[index].isDeclared != true {
      unsafe state.pointee.entries?[index] = entry
    }
  }

  /// Notes what a module says of itself.
  func declare(_ entry: Entry) {
    lock.acquire()
    defer { lock.release() }
    removeUnloaded()
    if let index = index(where: { $0.start == entry.start }) {
      unsafe state.pointee.entries?[index] = entry
    } else {
      append(entry)
    }
    if unsafe !state.pointee.isAssumptionDeclared {
      unsafe state.pointee.isAssumptionDeclared = true
      ct_set_assumed_layout(entry.layout.rawValue)
    }
  }

  /// Notes the payload offset that a release has taught: it holds where nothing is certain or
  /// declared.
  ///
  /// - Returns: whether that is news.
  func adopt(payloadOffset: Int) -> Bool {
    lock.acquire()
    defer { lock.release() }
    var isNews = Self.assumed.payloadOffset != payloadOffset
    ct_set_assumed_layout(Self.assumed.with(payloadOffset: payloadOffset).rawValue)
    guard let entries = unsafe state.pointee.entries else { return isNews }
    for index in unsafe 0..<state.pointee.count {
      let entry = unsafe entries[index]
      if entry.isDeclared || entry.layout.isCertain || entry.layout.payloadOffset == payloadOffset {
        continue
      }
      unsafe entries[index].layout = entry.layout.with(payloadOffset: payloadOffset)
      isNews = true
    }
    return isNews
  }

  /// Whether modules have different layouts.
  var haveDifferences: Bool { only == nil && first { _ in true } != nil }

  /// The layout that every caller has, if nothing else was seen.
  var only: StoredLayout? {
    lock.acquire()
    defer { lock.release() }
    guard let entries = unsafe state.pointee.entries, unsafe state.pointee.count > 0 else {
      return nil
    }
    let first = unsafe entries[0].layout
    let isOnly = index(where: { StringLayout($0.layout) != StringLayout(first) }) == nil
    return isOnly ? first : nil
  }

  private func first(where matches: (Entry) -> Bool) -> Entry? {
    lock.acquire()
    defer { lock.release() }
    removeUnloaded()
    guard let index = index(where: matches) else { return nil }
    return unsafe state.pointee.entries?[index]
  }

  // MARK: entries. Caller holds the lock.

  private func index(where matches: (Entry) -> Bool) -> Int? {
    guard let entries = unsafe state.pointee.entries else { return nil }
    for index in unsafe 0..<state.pointee.count where unsafe matches(entries[index]) {
      return index
    }
    return nil
  }

  private func append(_ entry: Entry) {
    if unsafe state.pointee.entries == nil {
      unsafe state.pointee.entries = PrivateMemory.map(
        Self.capacity * MemoryLayout<Entry>.stride)?.assumingMemoryBound(to: Entry.self)
    }
    guard let entries = unsafe state.pointee.entries, unsafe state.pointee.count < Self.capacity
    else { return }
    unsafe entries[state.pointee.count] = entry
    unsafe state.pointee.count += 1
  }

  /// Another module may lie where one was unloaded.
  private func removeUnloaded() {
    let unloads = ct_unload_count()
    guard unsafe unloads != state.pointee.unloads, let entries = unsafe state.pointee.entries
    else { return }
    unsafe state.pointee.unloads = unloads
    var kept = 0
    for index in unsafe 0..<state.pointee.count {
      let entry = unsafe entries[index]
      guard entry.start == 0 || ct_module_identity(entry.start) == entry.identity else {
        continue
      }
      unsafe entries[kept] = entry
      kept += 1
    }
    unsafe state.pointee.count = kept
  }

  // MARK: fork

  func renewInForkedChild() {
    lock.renewInForkedChild()
  }
}
