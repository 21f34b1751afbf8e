// Copies the beginnings of live strings to the store, at the end of a process.

import CTracker
import TraceStore

/// A sample of what leaked strings say.
enum LiveValues {
  /// Strings kept of one stack.
  private static let mostPerStack: UInt32 = 3
  /// Strings kept in all.
  private static let most = 100_000

  /// Writes the first bytes of live strings.
  ///
  /// Caller holds the depot lock.
  ///
  /// - Parameter scope: the scope that they were allocated in; `nil` for any.
  static func write(to store: borrowing StoreWriter, scope: ScopeID? = nil) {
    // What was freed unseen says something else by now.
    guard unsafe store.header.pointee.isFreeUnwatched == 0 else { return }
    var seen = AddressMap()
    var written = 0
    let records = unsafe store.start(of: .blocks).assumingMemoryBound(to: BlockRecord.self)
    for index in 0..<store.used(of: .blocks) / MemoryLayout<BlockRecord>.stride {
      let record = unsafe records[index]
      guard record.serial != 0, record.stack != .none, scope == nil || scope == record.scope
      else { continue }
      let key = UInt(record.stack.rawValue)
      let count = seen.value(of: key) ?? 0
      guard count < mostPerStack, seen.set(key, to: count + 1) else { continue }
      guard written < most, write(record, to: store) else { return }
      written += 1
    }
  }

  private static func write(_ record: BlockRecord, to store: borrowing StoreWriter) -> Bool {
    let prefix = UInt(record.address) - 4
    let block = UInt(record.address) &- UInt(record.layout.payloadOffset)
    // A program that lost the block in a way we did not see may have unmapped it; a sanitizer knows.
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
