// The scopes of this process, and the one that a thread is in. Their records are in the store. Does
// not read strings.

import CTracker
import Synchronization
import TraceStore

/// A table of scopes by id, under one lock; without scopes it costs two loads.
@safe
struct ScopeTable: ~Copyable {
  private let lock = Lock()
  /// The id of the first scope of this process: lower ones are a parent's.
  ///
  /// Changed only in a forked child.
  private let first: UnsafeMutablePointer<UInt32>
  private let count = Atomic<UInt32>(0)

  init() {
    unsafe first = .allocate(capacity: 1)
    unsafe first.initialize(to: 1)
  }

  /// A misuse of scopes: a call that does nothing, or more than it says.
  enum Misuse {
    /// There is no such scope.
    case unknown
    /// It has ended.
    case ended
    /// It ends on a thread that is not in it.
    case elsewhere
    /// Leaks are not ignored on this thread any more.
    case notIgnored
    /// Scopes that began in it are still open.
    case notInnermost
    /// The thread is in too many scopes.
    case tooMany
  }

  /// Begins a scope, and returns its id; `.none` when the store is full.
  ///
  /// Takes the lock.
  func begin(_ record: ScopeRecord, in store: borrowing StoreWriter) -> ScopeID {
    lock.acquire()
    defer { lock.release() }
    let bytes = MemoryLayout<ScopeRecord>.stride
    let id = unsafe first.pointee + UInt32(store.used(of: .scopes) / bytes)
    guard id < ScopeID.ignored.rawValue, let room = unsafe store.room(for: bytes, in: .scopes)
    else { return .none }
    unsafe room.storeBytes(of: record, as: ScopeRecord.self)
    store.commit(bytes, in: .scopes)
    count.add(1, ordering: .relaxed)
    return ScopeID(rawValue: id)
  }

  /// Ends a scope.
  ///
  /// Takes the lock.
  func end(_ scope: ScopeID, in store: borrowing StoreWriter) -> Misuse? {
    lock.acquire()
    defer { lock.release() }
    guard let record = unsafe record(of: scope, in: store) else { return .unknown }
    if unsafe record.pointee.hasEnded != 0 { return .ended }
    unsafe record.pointee.hasEnded = 1
    return nil
  }

  /// Returns a scope's record; `nil` when this process has no such scope.
  func record(
    of scope: ScopeID, in store: borrowing StoreWriter
  ) -> UnsafeMutablePointer<ScopeRecord>? {
    let index = unsafe Int(scope.rawValue) - Int(first.pointee)
    guard scope != .ignored, index >= 0,
      index < store.used(of: .scopes) / MemoryLayout<ScopeRecord>.stride
    else { return nil }
    return unsafe store.start(of: .scopes).assumingMemoryBound(to: ScopeRecord.self) + index
  }

  /// Returns the innermost open scope of the calling code: of its thread's scopes and its task's,
  /// the one that began last.
  ///
  /// Caller holds the recursion guard.
  ///
  /// - Parameter skipsIgnored: whether a span in which leaks are ignored counts as none.
  @inline(__always)
  func current(skipsIgnored: Bool, in store: borrowing StoreWriter) -> ScopeID {
    if !ct_may_be_in_scope() { return .none }
    return search(skipsIgnored: skipsIgnored, in: store)
  }

  /// Does the work of `current` in programs with scopes.
  @inline(never)
  private func search(skipsIgnored: Bool, in store: borrowing StoreWriter) -> ScopeID {
    var best = ScopeID.none
    for index in unsafe (0..<Int(ct_thread().pointee.scope_count)).reversed() {
      let scope = ScopeID(rawValue: Self.joined(index))
      if scope == .ignored {
        if skipsIgnored { continue }
        return scope
      }
      if isOpen(scope, in: store) {
        best = scope
        break
      }
    }
    var task = ScopeID(rawValue: ct_scope_of_task())
    if task == .ignored { return skipsIgnored ? best : task }
    // A task that outlives its scope continues in the parent scope.
    while let record = unsafe record(of: task, in: store), unsafe record.pointee.hasEnded != 0 {
      task = unsafe record.pointee.parent
    }
    if unsafe record(of: task, in: store) == nil { task = .none }
    return max(best, task)
  }

  /// Returns whether a scope of this process has not ended.
  private func isOpen(_ scope: ScopeID, in store: borrowing StoreWriter) -> Bool {
    guard let record = unsafe record(of: scope, in: store) else { return false }
    return unsafe record.pointee.hasEnded == 0
  }

  // MARK: scopes of the calling thread. Caller holds the recursion guard.

  /// Puts the calling thread into a scope.
  func join(_ scope: ScopeID, in store: borrowing StoreWriter) -> Misuse? {
    if scope != .ignored {
      guard unsafe record(of: scope, in: store) != nil else { return .unknown }
      if !isOpen(scope, in: store) { return .ended }
    }
    let thread = unsafe ct_thread()
    guard unsafe thread.pointee.scope_count < CT_SCOPES else { return .tooMany }
    let count = unsafe Int(thread.pointee.scope_count)
    unsafe withUnsafeMutableBytes(of: &thread.pointee.scopes) { scopes in
      unsafe scopes.storeBytes(of: scope.rawValue, toByteOffset: count * 4, as: UInt32.self)
    }
    unsafe thread.pointee.scope_count += 1
    return nil
  }

  /// Takes the calling thread out of a scope, and of those that it has entered since.
  func leave(_ scope: ScopeID, in store: borrowing StoreWriter) -> Misuse? {
    let thread = unsafe ct_thread()
    var index = unsafe Int(thread.pointee.scope_count) - 1
    var misuse: Misuse?
    while index >= 0 {
      let joined = ScopeID(rawValue: Self.joined(index))
      if joined == scope {
        unsafe thread.pointee.scope_count = UInt32(index)
        return misuse
      }
      if isOpen(joined, in: store) { misuse = .notInnermost }
      index -= 1
    }
    return scope == .ignored ? .notIgnored : .elsewhere
  }

  /// Returns the id of a scope that the calling thread is in, by its index from the outermost.
  private static func joined(_ index: Int) -> UInt32 {
    unsafe withUnsafeBytes(of: &ct_thread().pointee.scopes) { scopes in
      unsafe scopes.load(fromByteOffset: index * 4, as: UInt32.self)
    }
  }

  // MARK: fork

  /// Forgets all scopes: they are the parent's.
  ///
  /// - Parameter scopesOfParent: the count of scopes in the parent's store.
  func renewInForkedChild(scopesOfParent: Int) {
    lock.renewInForkedChild()
    unsafe first.pointee += UInt32(scopesOfParent)
  }

  /// The id of the first scope of this process, for the store's header.
  var firstScope: UInt32 { unsafe first.pointee }
}
