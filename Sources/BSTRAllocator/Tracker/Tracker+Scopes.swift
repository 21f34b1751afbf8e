// The recording of scopes: their start, their end, and the strings that are live then.

import CBSTR
import CTracker
import Glibc
import TraceOptions
import TraceStore

extension Tracker {
  /// Begins a scope.
  ///
  /// Takes the depot lock and the scopes' lock, one at a time.
  ///
  /// - Parameter joins: whether the calling thread enters it; a task carries its scope itself.
  /// - Returns: `.none` when nothing is recorded.
  func beginScope(_ name: UnsafePointer<CChar>, joins: Bool, caller: CallSite) -> ScopeID {
    withStore { store in
      depotLock.acquire()
      let text = unsafe store.append(
        text: UnsafeRawBufferPointer(start: name, count: min(strlen(name), 1000)))
      depotLock.release()
      let record = unsafe ScopeRecord(
        name: text, parent: scopes.current(skipsIgnored: true, in: store),
        stack: recordStack(from: caller, in: store), thread: ct_thread().pointee.tid,
        milliseconds: milliseconds(since: store.header.pointee.startTime))
      let scope = scopes.begin(record, in: store)
      if scope != .none, joins, let misuse = scopes.join(scope, in: store) {
        warn(misuse, of: scope, in: store)
      }
      return scope
    } ?? .none
  }

  /// Puts the calling thread into a scope.
  func joinScope(_ scope: ScopeID) {
    withStore { store in
      if let misuse = scopes.join(scope, in: store) { warn(misuse, of: scope, in: store) }
    }
  }

  /// Takes the calling thread out of a scope.
  func leaveScope(_ scope: ScopeID) {
    withStore { store in
      if let misuse = scopes.leave(scope, in: store) { warn(misuse, of: scope, in: store) }
    }
  }

  /// Ends a scope, and returns the counts of its live strings and faults.
  ///
  /// Takes locks, one at a time.
  ///
  /// - Parameters:
  ///   - scope: an open scope; `.none` is the whole process, which does not end.
  ///   - leaves: whether the calling thread is in it.
  /// - Complexity: linear in the process's live strings.
  func endScope(_ scope: ScopeID, leaves: Bool) -> bstrtrace_scope_counts {
    withStore { store in
      if scope != .none {
        if let misuse = scopes.end(scope, in: store) {
          warn(misuse, of: scope, in: store)
          return bstrtrace_scope_counts()
        }
        if leaves, let misuse = scopes.leave(scope, in: store) {
          warn(misuse, of: scope, in: store)
        }
      }
      let filter = scope == .none ? nil : scope
      recordCorruption(scope: filter, in: store)
      let counts = count(scope: filter, in: store)
      if counts.bstrs > 0, !options.redact {
        depotLock.acquire()
        LiveValues.write(to: store, scope: filter)
        depotLock.release()
      }
      return counts
    } ?? bstrtrace_scope_counts()
  }

  /// Counts the live strings and the faults of a scope; `nil` for the whole process.
  ///
  /// Takes no lock.
  private func count(scope: ScopeID?, in store: borrowing StoreWriter) -> bstrtrace_scope_counts {
    var counts = bstrtrace_scope_counts()
    let blocks = unsafe store.start(of: .blocks).assumingMemoryBound(to: BlockRecord.self)
    for index in 0..<store.used(of: .blocks) / MemoryLayout<BlockRecord>.stride {
      let record = unsafe blocks[index]
      guard record.serial != 0, record.scope != .ignored, scope == nil || scope == record.scope
      else { continue }
      counts.bstrs += 1
      counts.bytes += UInt64(record.byteLength)
    }
    let events = unsafe store.start(of: .events).assumingMemoryBound(to: EventRecord.self)
    for index in 0..<store.used(of: .events) / MemoryLayout<EventRecord>.stride {
      let event = unsafe events[index]
      if event.isFault, scope == nil || scope == event.scope { counts.faults += 1 }
    }
    return counts
  }

  /// Takes a live string out of the leaks, wherever it was allocated.
  func ignore(_ bstr: UInt) {
    withStore { store in
      registry.move(block(ofString: bstr, in: store), to: .ignored, in: store)
    }
  }

  /// Warns of a misuse of scopes.
  private func warn(
    _ misuse: ScopeTable.Misuse, of scope: ScopeID, in store: borrowing StoreWriter
  ) {
    let what: StaticString =
      switch misuse {
      case .unknown: "is none of this process: the call is ignored"
      case .ended: "has ended before: the call is ignored"
      case .elsewhere:
        "was ended or left by a thread that is not in it: the threads that are stay in no scope"
      case .notIgnored: "(leaks are ignored) ended more often than it began: the call is ignored"
      case .notInnermost: "ended before a scope that had begun in it: that one is left, too"
      case .tooMany: "is one too many for this thread: what it allocates is not counted there"
      }
    var name = TextReference.empty
    if let record = unsafe scopes.record(of: scope, in: store) { name = unsafe record.pointee.name }
    let text = unsafe store.start(of: .text) + Int(name.offset)
    unsafe ct_warn_scope_misuse(text, Int(name.length), scope.rawValue, what.utf8Start)
  }
}
