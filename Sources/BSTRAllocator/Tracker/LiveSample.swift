// Chooses a few live strings of each stack, for what is too costly to be done for all.

import Glibc
import TraceStore

/// The records of live strings: for each stack those that were allocated first, which a report
/// shows, or the latest one in place of the last of these.
///
/// Recycled records are in no order, so that the first ones of a stack are searched for among all
/// records.
struct LiveSample: ~Copyable {
  /// The count of strings of one stack.
  private static let maxPerStack = 3

  private let hasLatest: Bool
  /// Indices of records plus 1, 0 for none: `maxPerStack` for each stack, ordered by serial.
  ///
  /// There are no more stacks than records, and pages that nothing is written to cost nothing.
  private var chosen: PrivateArray<UInt32>
  /// The count of stacks.
  private var groupCount = 0

  /// Chooses; `nil` when there never was a string, or no memory.
  ///
  /// Takes no lock: another thread may free a string meanwhile.
  ///
  /// - Parameters:
  ///   - scope: the scope that they were allocated in; `nil` for any.
  ///   - hasLatest: whether the third one is the latest: early strings may be kept where later ones
  ///     are lost.
  init?(of store: borrowing StoreWriter, scope: ScopeID? = nil, hasLatest: Bool = false) {
    let records = unsafe store.start(of: .blocks).assumingMemoryBound(to: BlockRecord.self)
    let recordCount = store.used(of: .blocks) / MemoryLayout<BlockRecord>.stride
    guard recordCount > 0,
      let chosen = PrivateArray<UInt32>(capacity: recordCount * Self.maxPerStack)
    else { return nil }
    self.chosen = chosen
    self.hasLatest = hasLatest
    var groups = AddressMap()
    for index in 0..<recordCount {
      let record = unsafe records[index]
      guard record.serial != 0, record.stack != .none, scope == nil || scope == record.scope
      else { continue }
      let key = UInt(record.stack.rawValue)
      let group: Int
      if let known = groups.value(of: key) {
        group = Int(known)
      } else {
        guard groups.set(key, to: UInt32(groupCount)) else { break }
        group = groupCount
        groupCount += 1
        for _ in 0..<Self.maxPerStack { self.chosen.append(0) }
      }
      unsafe insert(index, into: group * Self.maxPerStack, records)
    }
  }

  /// Inserts a record among those of a stack that have the lowest serials, if it is one of them, or
  /// has the highest one where that is chosen, too.
  ///
  /// - Parameter group: where the stack's `maxPerStack` indices plus 1 begin, ordered by serial.
  private mutating func insert(
    _ index: Int, into group: Int, _ records: UnsafePointer<BlockRecord>
  ) {
    // Another thread may free a string meanwhile: its record is then skipped.
    let serial = unsafe records[index].serial
    var end = Self.maxPerStack
    let last = chosen[group + end - 1]
    if hasLatest, last != 0 {
      if unsafe records[Int(last) - 1].serial < serial {
        chosen[group + end - 1] = UInt32(index + 1)
        return
      }
      end -= 1
    }
    var position = end
    while position > 0 {
      let other = chosen[group + position - 1]
      if other != 0, unsafe records[Int(other) - 1].serial <= serial { break }
      position -= 1
    }
    guard position < end else { return }
    for later in stride(from: end - 1, to: position, by: -1) {
      chosen[group + later] = chosen[group + later - 1]
    }
    chosen[group + position] = UInt32(index + 1)
  }

  /// Calls `body` with each record that was chosen and is still live, until that returns false.
  func forEach(in store: borrowing StoreWriter, _ body: (BlockRecord) -> Bool) {
    let records = unsafe store.start(of: .blocks).assumingMemoryBound(to: BlockRecord.self)
    for index in 0..<chosen.count where chosen[index] != 0 {
      let record = unsafe records[Int(chosen[index]) - 1]
      if record.serial != 0, !body(record) { return }
    }
  }
}
