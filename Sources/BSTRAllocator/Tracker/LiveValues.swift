// Copies the first bytes of live strings to the store, at the end of a process.

import CTracker
import Glibc
import TraceStore

/// A sample of the values of leaked strings.
enum LiveValues {
  /// The count of strings kept of one stack.
  private static let maxPerStack = 3
  /// The count of strings kept in all.
  private static let maxValues = 100_000

  /// Writes the first bytes of live strings: for each stack those that were allocated first, which
  /// a report shows.
  ///
  /// Recycled records are in no order, so that the first ones of a stack are searched for among all
  /// records.
  ///
  /// Caller holds the depot lock.
  ///
  /// - Parameter scope: the scope that they were allocated in; `nil` for any.
  static func write(to store: borrowing StoreWriter, scope: ScopeID? = nil) {
    // A string that was freed unseen has other bytes by now.
    guard unsafe store.header.pointee.isFreeUnwatched == 0 else { return }
    let records = unsafe store.start(of: .blocks).assumingMemoryBound(to: BlockRecord.self)
    let recordCount = store.used(of: .blocks) / MemoryLayout<BlockRecord>.stride
    // Indices of records plus 1, 0 for none: `maxPerStack` for each stack, ordered by serial. There
    // are no more stacks than records, and pages that nothing is written to cost nothing.
    let bytes = recordCount * maxPerStack * MemoryLayout<UInt32>.stride
    guard bytes > 0, let memory = unsafe PrivateMemory.map(bytes) else { return }
    defer { unsafe munmap(memory, bytes) }
    let chosen = unsafe memory.assumingMemoryBound(to: UInt32.self)
    var groups = AddressMap()
    var groupCount = 0
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
      }
      unsafe insert(index, into: chosen + group * maxPerStack, records)
    }
    var written = 0
    for index in 0..<groupCount * maxPerStack where unsafe chosen[index] != 0 {
      guard written < maxValues, unsafe write(records[Int(chosen[index]) - 1], to: store) else {
        return
      }
      written += 1
    }
  }

  /// Inserts a record among those of a stack that have the lowest serials, if it is one of them.
  ///
  /// - Parameter group: the stack's `maxPerStack` indices plus 1, ordered by serial.
  private static func insert(
    _ index: Int, into group: UnsafeMutablePointer<UInt32>,
    _ records: UnsafePointer<BlockRecord>
  ) {
    // Another thread may free a string meanwhile: its record is then skipped by `write`.
    let serial = unsafe records[index].serial
    var position = maxPerStack
    while position > 0 {
      let other = unsafe group[position - 1]
      if other != 0, unsafe records[Int(other) - 1].serial <= serial { break }
      position -= 1
    }
    guard position < maxPerStack else { return }
    for later in stride(from: maxPerStack - 1, to: position, by: -1) {
      unsafe group[later] = group[later - 1]
    }
    unsafe group[position] = UInt32(index + 1)
  }

  /// Writes the first bytes of a record's string; returns false when the store is full.
  private static func write(_ record: BlockRecord, to store: borrowing StoreWriter) -> Bool {
    guard record.serial != 0 else { return true }
    let prefix = UInt(record.address) &- 4
    let block = UInt(record.address) &- UInt(record.layout.payloadOffset)
    // A program that freed the block unseen may have unmapped it; a sanitizer knows.
    if ct_heap_is_sanitizers(), ct_sanitizer_block_bytes(block) == 0 { return true }
    guard ct_is_readable(prefix, 4), let start = unsafe UnsafeRawPointer(bitPattern: prefix) else {
      return true
    }
    let length = unsafe start.loadUnaligned(as: UInt32.self)
    let kept = min(Int(min(length, record.byteLength)), StoreLayout.valueBytes)
    guard kept == 0 || ct_is_readable(UInt(record.address), kept) else { return true }
    let bytes = MemoryLayout<ValueHead>.stride + (kept + 7) / 8 * 8
    guard let room = unsafe store.room(for: bytes, in: .values) else { return false }
    unsafe room.storeBytes(
      of: ValueHead(
        serial: record.serial, byteLength: length, kept: UInt16(kept), layout: record.layout),
      as: ValueHead.self)
    unsafe (room + MemoryLayout<ValueHead>.stride).copyMemory(from: start + 4, byteCount: kept)
    store.commit(bytes, in: .values)
    return true
  }
}
