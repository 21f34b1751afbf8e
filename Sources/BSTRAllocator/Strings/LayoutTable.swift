// The layouts of the copies of the BSTR functions that a process has, by the modules that call them. Does not
// find them out: that is ProfileProbe.

import CTracker
import Glibc
import TraceStore

/// Which layout the strings of which module have: that of the copy of the functions that the module would reach
/// without the tracker.
///
/// It is asked once for each module; after that `ct_layout_of_caller` knows. All of it is guarded by a lock of its
/// own, which is taken last.
@safe
struct LayoutTable: ~Copyable {
  /// What is known of one module's calls.
  struct Entry {
    /// The mapped range of the module; 0 for code in none, such as a JIT compiler's.
    var start: UInt = 0
    var end: UInt = 0
    /// The module's own copy of SysFreeString; 0 where it has none.
    var copy: UInt = 0
    var layout = StoredLayout.unknown
    /// Whether the module has said so itself, by `bstr.h`.
    var isDeclared = false
  }

  @unsafe private struct State {
    var entries: UnsafeMutablePointer<Entry>?
    var count = 0
    /// What holds for modules that have no copy of their own: as another module declared it, as a release
    /// taught it, or the default.
    var assumed = StoredLayout(olecharBytes: 2, payloadOffset: 8)
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
  }

  /// What is known of a module, or of any that would reach the same copy.
  ///
  /// - Parameters:
  ///   - start: where the module is mapped.
  ///   - copy: its own SysFreeString; 0 to ask for the module alone.
  func entry(ofModule start: UInt, copy: UInt = 0) -> Entry? {
    lock.acquire()
    defer { lock.release() }
    removeUnloaded()
    guard let index = index(where: { $0.start == start || copy != 0 && $0.copy == copy }) else {
      return nil
    }
    return unsafe state.pointee.entries?[index]
  }

  /// What holds for a module without a copy of its own.
  var assumed: StoredLayout {
    lock.acquire()
    defer { lock.release() }
    return unsafe state.pointee.assumed
  }

  /// Adds what was found out of a module, unless something is known of it already.
  func add(_ entry: Entry) {
    lock.acquire()
    defer { lock.release() }
    removeUnloaded()
    if index(where: { $0.start == entry.start }) == nil { append(entry) }
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
      unsafe state.pointee.assumed = entry.layout
    }
  }

  /// Notes the payload offset that a release has taught: it holds wherever nothing is certain.
  ///
  /// - Returns: whether that is news.
  func learn(payloadOffset: Int) -> Bool {
    lock.acquire()
    defer { lock.release() }
    let news = unsafe state.pointee.assumed.payloadOffset != payloadOffset
    unsafe state.pointee.assumed = unsafe state.pointee.assumed.with(payloadOffset: payloadOffset)
    if let entries = unsafe state.pointee.entries {
      for index in unsafe 0..<state.pointee.count where unsafe !entries[index].layout.isCertain {
        unsafe entries[index].layout =
          unsafe entries[index].layout.with(payloadOffset: payloadOffset)
      }
    }
    return news
  }

  /// The layout that every caller has, if nothing else was seen.
  var only: StoredLayout? {
    lock.acquire()
    defer { lock.release() }
    guard let entries = unsafe state.pointee.entries, unsafe state.pointee.count > 0 else {
      return nil
    }
    let first = unsafe entries[0].layout
    let isOnly = index(where: { Profile($0.layout) != Profile(first) }) == nil
    return isOnly ? first : nil
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
      let module = unsafe ct_find_module(entry.start)
      guard unsafe entry.start == 0 || module.start == entry.start && module.end == entry.end
      else { continue }
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
