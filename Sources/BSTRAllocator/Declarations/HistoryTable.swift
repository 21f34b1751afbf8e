// The declarations of single strings, and the ownership that follows from them. Empty in programs
// that declare nothing: then it costs a load.

import Synchronization
import TraceStore

/// A table of histories by BSTR address, under one lock; the records are in the store.
@safe
struct HistoryTable: ~Copyable {
  /// The index of each BSTR's record.
  private let indices: UnsafeMutablePointer<AddressMap>
  private let lock = Lock()
  private let count = Atomic<Int>(0)

  init() {
    unsafe indices = .allocate(capacity: 1)
    unsafe indices.initialize(to: AddressMap())
  }

  /// Whether nothing was ever declared.
  @inline(__always)
  var isEmpty: Bool { count.load(ordering: .relaxed) == 0 }

  /// The ownership of a string before a declaration.
  struct Outcome {
    /// The declaration of the latest loan that has not ended.
    var lent: HistoryEntry?
    /// The declaration of a hand-over, if the string has not been adopted since.
    var handedOver: HistoryEntry?
  }

  /// Adds a declaration or a free to a string's history, and begins one if there is none.
  ///
  /// Takes the lock.
  ///
  /// - Parameter isNew: whether a history may begin: not with a free.
  /// - Returns: the ownership before; `nil` without a history.
  func add(
    _ entry: HistoryEntry, to bstr: UInt, serial: UInt64, isNew: Bool,
    in store: borrowing StoreWriter
  ) -> Outcome? {
    lock.acquire()
    defer { lock.release() }
    guard let record = unsafe record(of: bstr, serial, isNew: isNew, in: store) else { return nil }
    let outcome = unsafe Self.outcome(record.pointee)
    switch DeclaredAction(rawValue: entry.action) {
    case .lent: unsafe record.pointee.loans += 1
    case .givenBack: unsafe record.pointee.loans -= record.pointee.loans > 0 ? 1 : 0
    default: break
    }
    unsafe Self.append(entry, to: &record.pointee)
    return outcome
  }

  /// Returns the open loan and the open hand-over of a history.
  private static func outcome(_ record: HistoryRecord) -> Outcome {
    var outcome = Outcome()
    // Loans nest: the last one without an end is open.
    var open = InlineArray<8, Int>(repeating: 0)
    var depth = 0
    for index in 0..<HistoryRecord.capacity {
      let entry = record.entries[index]
      switch DeclaredAction(rawValue: entry.action) {
      case .lent:
        open[depth] = index
        depth += 1
      case .givenBack: depth = max(0, depth - 1)
      case .handedOver: outcome.handedOver = entry
      case .adopted, .received: outcome.handedOver = nil
      default: break
      }
    }
    if record.loans > 0, depth > 0 { outcome.lent = record.entries[open[depth - 1]] }
    return outcome
  }

  /// Appends to a history.
  ///
  /// A full one keeps its first and latest entries, and fewer of the older ones between them.
  private static func append(_ entry: HistoryEntry, to record: inout HistoryRecord) {
    let used = min(Int(record.total), HistoryRecord.capacity)
    record.total += 1
    if used < HistoryRecord.capacity {
      record.entries[used] = entry
      return
    }
    // The older an entry, the more rarely it is the one that is removed: old entries are thinned,
    // not cut off.
    let step = Int(record.total) - HistoryRecord.capacity
    let victim = 1 + (step.trailingZeroBitCount % (HistoryRecord.capacity - 2))
    var index = HistoryRecord.capacity - 1 - victim
    // Entries that decide whether a free is a fault are removed last.
    for _ in 1..<HistoryRecord.capacity - 1 where Self.decides(record.entries[index]) {
      index = index > 1 ? index - 1 : HistoryRecord.capacity - 2
    }
    while index < HistoryRecord.capacity - 1 {
      record.entries[index] = record.entries[index + 1]
      index += 1
    }
    record.entries[HistoryRecord.capacity - 1] = entry
  }

  /// Returns whether an entry decides if a free is a fault.
  private static func decides(_ entry: HistoryEntry) -> Bool {
    [.lent, .handedOver].contains(DeclaredAction(rawValue: entry.action))
  }

  /// Returns a string's record, and makes one if `isNew`; `nil` when there is none, or no room.
  ///
  /// Caller holds the lock.
  private func record(
    of bstr: UInt, _ serial: UInt64, isNew: Bool, in store: borrowing StoreWriter
  ) -> UnsafeMutablePointer<HistoryRecord>? {
    let records = unsafe store.start(of: .histories).assumingMemoryBound(to: HistoryRecord.self)
    if let index = unsafe indices.pointee.value(of: bstr) {
      let record = unsafe records + Int(index)
      if unsafe record.pointee.serial == serial { return unsafe record }
      // The address is another string's now, and so is the record.
      guard isNew else { return nil }
      unsafe record.pointee = HistoryRecord()
      unsafe record.pointee.serial = serial
      return unsafe record
    }
    let bytes = MemoryLayout<HistoryRecord>.stride
    let index = store.used(of: .histories) / bytes
    guard isNew, index < UInt32.max, let room = unsafe store.room(for: bytes, in: .histories),
      unsafe indices.pointee.set(bstr, to: UInt32(index))
    else { return nil }
    unsafe room.initializeMemory(as: HistoryRecord.self, to: HistoryRecord())
    let record = unsafe records + index
    unsafe record.pointee.serial = serial
    store.commit(bytes, in: .histories)
    count.add(1, ordering: .relaxed)
    return unsafe record
  }

  /// Forgets all histories: they are in the parent's store.
  func renewInForkedChild() {
    lock.renewInForkedChild()
    unsafe indices.pointee.removeAll()
    count.store(0, ordering: .relaxed)
  }
}
