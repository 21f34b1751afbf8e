// What a program declared of single strings, with what follows from it. Empty in programs that
// declare nothing: then it costs a load.

import Glibc
import Synchronization
import TraceStore

/// Histories by BSTR address, under one lock; the records are in the store.
@safe
struct HistoryTable: ~Copyable {
  private let places: UnsafeMutablePointer<AddressMap>
  private let lock = Lock()
  private let count = Atomic<Int>(0)

  init() {
    unsafe places = .allocate(capacity: 1)
    unsafe places.initialize(to: AddressMap())
  }

  /// Whether nothing was ever declared.
  @inline(__always)
  var isEmpty: Bool { count.load(ordering: .relaxed) == 0 }

  /// What declaring something showed.
  struct Outcome {
    /// Where a loan began that has not ended.
    var lent: HistoryMoment?
    /// Where it was handed over and has not been adopted since.
    var handedOver: HistoryMoment?
  }

  /// Adds a moment to a string's history, and begins one if there is none.
  ///
  /// - Parameter isNew: whether a history may begin: not with a release.
  /// - Returns: what was open before; `nil` without a history.
  func add(
    _ moment: HistoryMoment, to bstr: UInt, serial: UInt64, isNew: Bool,
    in store: borrowing StoreWriter
  ) -> Outcome? {
    lock.acquire()
    defer { lock.release() }
    guard let record = unsafe record(of: bstr, serial, isNew: isNew, in: store) else { return nil }
    let outcome = unsafe Self.outcome(record.pointee)
    switch DeclaredAction(rawValue: moment.action) {
    case .lent: unsafe record.pointee.loans += 1
    case .givenBack: unsafe record.pointee.loans -= record.pointee.loans > 0 ? 1 : 0
    default: break
    }
    unsafe Self.append(moment, to: &record.pointee)
    return outcome
  }

  private static func outcome(_ record: HistoryRecord) -> Outcome {
    var outcome = Outcome()
    // Loans end in the opposite order: of those that are kept, the ones that no return belongs to
    // are open.
    var open = InlineArray<8, Int>(repeating: 0)
    var depth = 0
    for index in 0..<HistoryRecord.capacity {
      let moment = record.moments[index]
      switch DeclaredAction(rawValue: moment.action) {
      case .lent:
        open[depth] = index
        depth += 1
      case .givenBack: depth = max(0, depth - 1)
      case .handedOver: outcome.handedOver = moment
      case .adopted, .received: outcome.handedOver = nil
      default: break
      }
    }
    if record.loans > 0, depth > 0 { outcome.lent = record.moments[open[depth - 1]] }
    return outcome
  }

  /// The first and the latest moments stay; of those between, the older, the fewer.
  private static func append(_ moment: HistoryMoment, to record: inout HistoryRecord) {
    let used = min(Int(record.total), HistoryRecord.capacity)
    record.total += 1
    if used < HistoryRecord.capacity {
      record.moments[used] = moment
      return
    }
    // Which one gives way moves along, slower and slower: old ones are thinned, not cut off.
    let step = Int(record.total) - HistoryRecord.capacity
    let victim = 1 + (step.trailingZeroBitCount % (HistoryRecord.capacity - 2))
    var index = HistoryRecord.capacity - 1 - victim
    // What decides whether a release is right goes last.
    for _ in 1..<HistoryRecord.capacity - 1 where Self.decides(record.moments[index]) {
      index = index > 1 ? index - 1 : HistoryRecord.capacity - 2
    }
    while index < HistoryRecord.capacity - 1 {
      record.moments[index] = record.moments[index + 1]
      index += 1
    }
    record.moments[HistoryRecord.capacity - 1] = moment
  }

  private static func decides(_ moment: HistoryMoment) -> Bool {
    [.lent, .handedOver].contains(DeclaredAction(rawValue: moment.action))
  }

  /// Caller holds the lock.
  private func record(
    of bstr: UInt, _ serial: UInt64, isNew: Bool, in store: borrowing StoreWriter
  ) -> UnsafeMutablePointer<HistoryRecord>? {
    let records = unsafe store.start(of: .histories).assumingMemoryBound(to: HistoryRecord.self)
    if let place = unsafe places.pointee.value(of: bstr) {
      let record = unsafe records + Int(place)
      if unsafe record.pointee.serial == serial { return unsafe record }
      // The address is another string's now: so is the place.
      guard isNew else { return nil }
      unsafe record.pointee = HistoryRecord()
      unsafe record.pointee.serial = serial
      return unsafe record
    }
    let bytes = MemoryLayout<HistoryRecord>.stride
    let place = store.used(of: .histories) / bytes
    guard isNew, place < UInt32.max, let room = unsafe store.room(for: bytes, in: .histories),
      unsafe places.pointee.set(bstr, to: UInt32(place))
    else { return nil }
    unsafe room.initializeMemory(as: HistoryRecord.self, to: HistoryRecord())
    let record = unsafe records + place
    unsafe record.pointee.serial = serial
    store.commit(bytes, in: .histories)
    count.add(1, ordering: .relaxed)
    return unsafe record
  }

  /// Forgets all histories: they are in the parent's store.
  func renewInForkedChild() {
    lock.renewInForkedChild()
    unsafe places.pointee.removeAll()
    count.store(0, ordering: .relaxed)
  }
}
