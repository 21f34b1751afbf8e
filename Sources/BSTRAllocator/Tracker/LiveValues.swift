// Copies the first bytes of live strings to the store, at the end of a process.

import CTracker
import Glibc
import TraceStore

/// A sample of the values of leaked strings.
enum LiveValues {
  /// The count of strings kept in all.
  private static let maxValues = 100_000

  /// Writes the first bytes of live strings, a few of each stack.
  ///
  /// Caller holds the depot lock.
  ///
  /// - Parameter scope: the scope that they were allocated in; `nil` for any.
  static func write(to store: borrowing StoreWriter, scope: ScopeID? = nil) {
    // A string that was freed unseen has other bytes by now.
    guard unsafe store.header.pointee.isFreeUnwatched == 0,
      let sample = LiveSample(of: store, scope: scope)
    else { return }
    var written = 0
    sample.forEach(in: store) { record in
      guard written < maxValues, write(record, to: store) else { return false }
      written += 1
      return true
    }
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
