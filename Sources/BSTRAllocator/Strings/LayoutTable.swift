// The string layouts of the copies of the BSTR functions in a process, by the modules that call
// them. Does not detect them: that is LayoutProbe.

import CTracker
import TraceStore

/// A table of the string layout of each module: that of the copy of the functions that the module
/// would reach without the tracker.
///
/// It is looked up once for each caller's address; after that `ct_layout_of_caller` has the layout.
/// All of it is guarded by a lock of its own, which is taken last, except the assumed layout.
@safe
struct LayoutTable: ~Copyable {
  /// The entry of one module.
  struct Entry {
    /// The start of the module's mapped range; 0 for code in none, such as a JIT compiler's.
    var start: UInt = 0
    /// The end of that range.
    var end: UInt = 0
    /// An identity that another module, mapped at the same address later, does not have.
    var identity: UInt64 = 0
    /// Whether the module imports or defines any of the functions; others call them by a tail call
    /// or a pointer.
    var usesFunctions = true
    /// The SysFreeString that the module would reach without the tracker; 0 when there is none.
    var copy: UInt = 0
    /// Whether nothing is left to detect: the copy was probed, or there is none.
    var isSettled = false
    /// The layout of its strings.
    var layout = StoredLayout.unknown
    /// Whether the module has declared the layout itself, by `bstr.h`.
    var isDeclared = false

    /// Whether the layout is the module's own for all that can be known: not one that is assumed
    /// until a copy is tried out, or for code that has nothing to do with the functions.
    var counts: Bool { usesFunctions && isSettled }
  }

  @unsafe private struct State {
    var entries: UnsafeMutablePointer<Entry>?
    var count = 0
    var isAssumptionDeclared = false
    /// The count of unloads at which unloaded modules' entries were removed last.
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

  /// Returns the entry of a module by its start address; `nil` when there is none.
  func entry(ofModule start: UInt) -> Entry? {
    first { $0.start == start }
  }

  /// Returns a settled entry of a copy of the functions; `nil` when the copy is not probed yet.
  func entry(ofCopy copy: UInt) -> Entry? {
    first { $0.copy == copy && $0.isSettled }
  }

  /// The layout of a module without a copy of its own: declared by another module, adopted from a
  /// free, or the default.
  ///
  /// Takes no lock: safe in a signal handler.
  static var assumed: StoredLayout { StoredLayout(rawValue: ct_get_assumed_layout()) }

  /// Returns the layout of the module at an address; the assumed one when it has no entry.
  ///
  /// Takes no lock: safe in a signal handler. While code is unloaded, the result may be another
  /// module's.
  func layoutWithoutLock(at address: UInt) -> StoredLayout {
    guard let entries = unsafe state.pointee.entries else { return Self.assumed }
    for index in unsafe 0..<min(state.pointee.count, Self.capacity) {
      let entry = unsafe entries[index]
      if entry.start <= address, address < entry.end, entry.layout.isKnown { return entry.layout }
    }
    return Self.assumed
  }

  /// Sets a module's entry, replacing an older one unless the module declared that itself.
  func set(_ entry: Entry) {
    lock.acquire()
    defer { lock.release() }
    removeUnloaded()
    replace(with: entry) { !$0.isDeclared }
    tellDifferences()
  }

  /// Sets the entry that a module declares of itself; the first one is assumed for others, too.
  func declare(_ entry: Entry) {
    lock.acquire()
    defer { lock.release() }
    removeUnloaded()
    replace(with: entry) { _ in true }
    tellDifferences()
    if unsafe !state.pointee.isAssumptionDeclared {
      unsafe state.pointee.isAssumptionDeclared = true
      ct_set_assumed_layout(entry.layout.rawValue)
    }
  }

  /// Adopts the payload offset that a free has shown, where nothing is certain or declared.
  ///
  /// - Returns: whether any layout has changed.
  func adopt(payloadOffset: Int) -> Bool {
    lock.acquire()
    defer { lock.release() }
    var isChanged = Self.assumed.payloadOffset != payloadOffset
    ct_set_assumed_layout(Self.assumed.with(payloadOffset: payloadOffset).rawValue)
    guard let entries = unsafe state.pointee.entries else { return isChanged }
    for index in unsafe 0..<state.pointee.count {
      let entry = unsafe entries[index]
      if entry.isDeclared || entry.layout.isCertain || entry.layout.payloadOffset == payloadOffset {
        continue
      }
      unsafe entries[index].layout = entry.layout.with(payloadOffset: payloadOffset)
      isChanged = true
    }
    tellDifferences()
    return isChanged
  }

  /// The layout of all modules, if all have the same; `nil` when they differ, or there are none.
  var only: StoredLayout? {
    lock.acquire()
    defer { lock.release() }
    return layoutOfAll.layout
  }

  private func first(where matches: (Entry) -> Bool) -> Entry? {
    lock.acquire()
    defer { lock.release() }
    removeUnloaded()
    guard let index = index(where: matches) else { return nil }
    return unsafe state.pointee.entries?[index]
  }

  // MARK: entries. Caller holds the lock.

  /// The layout of all modules, if all have the same, and whether they differ.
  private var layoutOfAll: (layout: StoredLayout?, differs: Bool) {
    guard let index = index(where: { $0.counts }), let entries = unsafe state.pointee.entries else {
      return (nil, false)
    }
    let first = unsafe entries[index].layout
    let other = self.index { $0.counts && StringLayout($0.layout) != StringLayout(first) }
    return other == nil ? (first, false) : (nil, true)
  }

  /// Has callers told apart by call where modules differ.
  private func tellDifferences() {
    if layoutOfAll.differs { ct_tell_calls_apart() }
  }

  /// Replaces the entry of a module if it may be, or appends one.
  private func replace(with entry: Entry, if mayReplace: (Entry) -> Bool) {
    guard let index = index(where: { $0.start == entry.start }),
      let entries = unsafe state.pointee.entries
    else { return append(entry) }
    if unsafe mayReplace(entries[index]) { unsafe entries[index] = entry }
  }

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

  /// Removes the entries of unloaded modules: another may be mapped at the same address.
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

  /// Renews the lock; the entries stay.
  func renewInForkedChild() {
    lock.renewInForkedChild()
  }
}
