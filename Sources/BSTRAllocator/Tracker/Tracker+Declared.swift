// The program's declarations of its strings, and the faults that contradict them.

import CTracker
import Glibc
import TraceOptions
import TraceStore

extension Tracker {
  /// Adds a declaration to a live string's history.
  ///
  /// Takes the depot lock, a shard lock and the lock of histories, one at a time. A no-op for what
  /// is no live string of the registry.
  func declare(
    _ action: DeclaredAction, _ bstr: UInt, note: UnsafePointer<CChar>?, caller: CallSite
  ) {
    let known = withStore { registry.liveRecord(ofString: bstr, in: $0) } ?? nil
    guard let serial = known?.serial else { return }
    withStore { store in
      var entry = unsafe HistoryEntry(
        action, stack: recordStack(from: caller, in: store), thread: ct_thread().pointee.tid,
        milliseconds: milliseconds(since: store.header.pointee.startTime))
      if let note = unsafe note, !options.redact {
        depotLock.acquire()
        entry.note = unsafe store.append(
          text: UnsafeRawBufferPointer(start: note, count: min(strlen(note), 1000)))
        depotLock.release()
      }
      _ = histories.add(entry, to: bstr, serial: serial, isNew: true, in: store)
    }
  }

  /// Records the free of a string that has declarations, and the declaration that it contradicts.
  ///
  /// The caller holds no lock.
  func recordDeclaredFree(of freed: FreedBlock, in store: borrowing StoreWriter) {
    if histories.isEmpty { return }
    let bstr = UInt(freed.record.address)
    let entry = HistoryEntry(
      .freed, stack: freed.freeing.stack, thread: freed.freeing.thread,
      milliseconds: freed.freeing.milliseconds)
    let outcome = histories.add(
      entry, to: bstr, serial: freed.record.serial, isNew: false, in: store)
    guard let outcome else { return }
    let contradicted: (detail: EventDetail, entry: HistoryEntry)? =
      if let lent = outcome.lent {
        (.freedOnLoan, lent)
      } else if let given = outcome.handedOver,
        isSameActivation(given.stack, freed.freeing.stack, in: store),
        given.thread == freed.freeing.thread
      {
        (.freedAfterHandOver, given)
      } else {
        nil
      }
    guard let contradicted else { return }
    var event = EventRecord(.ownership, contradicted.detail)
    event.setBlock(freed.record)
    event.freed = contradicted.entry.stack
    event.freedThread = contradicted.entry.thread
    event.freedTime = contradicted.entry.milliseconds
    event.setDetected(freed.freeing)
    write(event, preview: freed.preview, in: store)
    haltIfAsked()
  }

  /// Returns whether two stacks differ at most in the location in their innermost function: it was
  /// called from the same location.
  private func isSameActivation(
    _ one: StackID, _ other: StackID, in store: borrowing StoreWriter
  ) -> Bool {
    guard one != .none, other != .none else { return false }
    let words = unsafe store.start(of: .stacks).assumingMemoryBound(to: UInt64.self)
    let (first, second) = unsafe (words + Int(one.rawValue), words + Int(other.rawValue))
    let count = unsafe StackHead(rawValue: first[0]).count
    guard unsafe StackHead(rawValue: second[0]).count == count else { return false }
    for index in 1..<max(1, count) where unsafe first[index + 1] != second[index + 1] {
      return false
    }
    return true
  }

  /// Records an ownership violation that the program declares itself.
  ///
  /// Takes the depot lock and shard locks, one at a time.
  func declareFault(_ detail: EventDetail, _ bstr: UInt, caller: CallSite) {
    guard let block = withStore({ block(ofString: bstr, in: $0) }) else { return }
    let event = EventRecord(.ownership, detail)
    switch registry.state(of: block) {
    case .live:
      let live = withStore { registry.liveRecord(of: block, in: $0) } ?? nil
      recordFault(event, bstr, live: live, caller)
    case .freed(let freed, _): recordFault(event, bstr, freed: freed, caller)
    case .unknown: break
    }
  }

  /// Returns whether a live string of the registry is at the address.
  func isLive(_ bstr: UInt) -> Bool {
    guard let block = withStore({ block(ofString: bstr, in: $0) }) else { return false }
    if case .live = registry.state(of: block) { return true }
    return false
  }
}

extension HistoryEntry {
  fileprivate init(
    _ action: DeclaredAction, stack: StackID, thread: UInt32, milliseconds: UInt32
  ) {
    self.init()
    self.action = action.rawValue
    self.stack = stack
    self.thread = thread
    self.milliseconds = milliseconds
  }
}
