// The modules that recorded frames lie in. Does not lock: the depot's lock guards it.

import CTracker
import Glibc
import TraceStore

/// Every module that a recorded stack passed through, once, with its build-id.
///
/// A module that was unloaded keeps its record; when it is loaded again to the same place it gets
/// the same number, so that a plug-in opened in a loop does not fill the store.
@safe
struct ModuleTable: ~Copyable {
  // For each module, the unload count at which the loader last confirmed it, plus 1.
  private let confirmed: UnsafeMutablePointer<UInt32>?
  private var count = 0

  private static let most = Int(UInt16.max)

  init() {
    unsafe confirmed = PrivateMemory.map(Self.most * 4)?.assumingMemoryBound(to: UInt32.self)
  }

  /// The module that `address` lies in, recorded in `store` if it is new.
  ///
  /// Caller holds the depot lock. Calls into the loader, which neither locks nor allocates here.
  mutating func module(
    at address: UInt, unloads: UInt32, in store: borrowing StoreWriter
  ) -> ModuleID {
    guard let confirmed = unsafe confirmed else { return .none }
    let records = unsafe store.start(of: .modules).assumingMemoryBound(to: ModuleRecord.self)
    let place = UInt64(address)
    for index in 0..<count where unsafe confirmed[index] == unloads &+ 1 {
      if unsafe records[index].start <= place && place < records[index].end {
        return ModuleID(rawValue: UInt16(index + 1))
      }
    }
    let found = unsafe ct_find_module(address)
    guard unsafe found.end != 0 else { return .none }
    for index in 0..<count where unsafe isSame(found, records[index], in: store) {
      unsafe confirmed[index] = unloads &+ 1
      return ModuleID(rawValue: UInt16(index + 1))
    }
    guard count < Self.most, let record = unsafe record(of: found, in: store),
      let room = unsafe store.room(for: MemoryLayout<ModuleRecord>.stride, in: .modules)
    else { return .none }
    unsafe room.storeBytes(of: record, as: ModuleRecord.self)
    store.commit(MemoryLayout<ModuleRecord>.stride, in: .modules)
    unsafe confirmed[count] = unloads &+ 1
    count += 1
    return ModuleID(rawValue: UInt16(count))
  }

  /// Forgets every module.
  ///
  /// Only in a forked child, whose store is new.
  mutating func removeAll() {
    count = 0
  }

  private func isSame(
    _ found: ct_module, _ record: ModuleRecord, in store: borrowing StoreWriter
  ) -> Bool {
    guard unsafe record.start == UInt64(found.start) && record.end == UInt64(found.end) else {
      return false
    }
    let text = unsafe store.start(of: .text)
    if let buildID = unsafe found.buildID, unsafe found.buildIDBytes > 0 {
      return unsafe record.buildID.length == found.buildIDBytes
        && memcmp(text + Int(record.buildID.offset), buildID, Int(found.buildIDBytes)) == 0
    }
    return unsafe withAbsolutePath(of: found) { path in
      unsafe record.buildID == .empty && Int(record.path.length) == path.count
        && path.elementsEqual(
          UnsafeRawBufferPointer(start: text + Int(record.path.offset), count: path.count))
    }
  }

  private func record(of found: ct_module, in store: borrowing StoreWriter) -> ModuleRecord? {
    let path = unsafe withAbsolutePath(of: found) { unsafe store.append(text: $0) }
    var buildID = TextReference.empty
    if let bytes = unsafe found.buildID {
      buildID = unsafe store.append(
        text: UnsafeRawBufferPointer(start: bytes, count: Int(found.buildIDBytes)))
    }
    guard path != .empty else { return nil }
    return unsafe ModuleRecord(
      start: UInt64(found.start), end: UInt64(found.end), bias: UInt64(found.bias), path: path,
      buildID: buildID)
  }

  /// The module's path, from the root: the report is made in another directory, maybe.
  private func withAbsolutePath<Result>(
    of found: ct_module, _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result {
    var buffer = InlineArray<4096, UInt8>(repeating: 0)
    var span = buffer.mutableSpan
    return unsafe span.withUnsafeMutableBytes { room in
      guard let base = room.baseAddress else {
        return unsafe body(UnsafeRawBufferPointer(start: nil, count: 0))
      }
      let characters = unsafe base.assumingMemoryBound(to: CChar.self)
      var length = 0
      if unsafe found.path[0] == 0 {
        length = max(0, unsafe readlink("/proc/self/exe", characters, room.count))
      } else {
        if unsafe found.path[0] != 0x2F && found.path[0] != 0x5B && strchr(found.path, 0x2F) != nil,
          unsafe getcwd(characters, room.count / 2) != nil
        {
          length = unsafe Int(strlen(characters))
          unsafe characters[length] = 0x2F
          length += 1
        }
        let count = min(room.count - length, unsafe Int(strlen(found.path)))
        unsafe memcpy(base + length, found.path, count)
        length += count
      }
      return unsafe body(UnsafeRawBufferPointer(start: base, count: length))
    }
  }
}
