// Records the modules that were loaded: those of recorded frames, and the others, whose strings may
// not be seen. Takes no lock: the depot's lock guards it.

import CTracker
import Glibc
import TraceStore

/// Every module that a recorded stack passed through, or that was loaded when the list was read,
/// once, with its build-id.
///
/// A module that was unloaded keeps its record; when it is loaded again at the same addresses it
/// gets the same id, so that a plug-in opened in a loop does not fill the store.
@safe
struct ModuleTable: ~Copyable {
  // For each module, the unload count at which the loader last confirmed it, plus 1.
  private let confirmed: UnsafeMutablePointer<UInt32>?
  private var count = 0
  /// Whether a stack has passed through a new module since the list of loaded modules was read.
  private(set) var hasNewModules = false
  /// Whether a module may be missing that is no longer loaded, or for which there was no room.
  private var hasGaps = false
  // Memory for reading the list: a process may end on a signal handler's small stack.
  private let list: UnsafeMutablePointer<ct_modules>?
  private let pathRoom: UnsafeMutableRawBufferPointer

  private static let maxModules = Int(UInt16.max)
  /// The limit of modules on no stack, which leaves room for those on stacks.
  private static let maxUnseen = maxModules / 2
  private static let pathBytes = 4096

  init() {
    unsafe confirmed = PrivateMemory.map(Self.maxModules * 4)?.assumingMemoryBound(to: UInt32.self)
    let room = unsafe PrivateMemory.map(MemoryLayout<ct_modules>.stride + Self.pathBytes)
    unsafe list = room?.bindMemory(to: ct_modules.self, capacity: 1)
    unsafe pathRoom = UnsafeMutableRawBufferPointer(
      start: room.map { unsafe $0 + MemoryLayout<ct_modules>.stride },
      count: room == nil ? 0 : Self.pathBytes)
  }

  /// Returns the module that `address` is in, and records it in `store` if it is new.
  ///
  /// Caller holds the depot lock. Calls into the loader, which neither locks nor allocates here.
  mutating func module(
    at address: UInt, unloads: UInt32, in store: borrowing StoreWriter
  ) -> ModuleID {
    guard let confirmed = unsafe confirmed else { return .none }
    let records = unsafe store.start(of: .modules).assumingMemoryBound(to: ModuleRecord.self)
    let address64 = UInt64(address)
    for index in 0..<count where unsafe confirmed[index] == unloads &+ 1 {
      if unsafe records[index].start <= address64 && address64 < records[index].end {
        return ModuleID(rawValue: UInt16(index + 1))
      }
    }
    let found = unsafe ct_find_module(address)
    guard unsafe found.end != 0 else { return .none }
    let known = count
    let id = unsafe self.id(of: found, unloads, in: store)
    if count > known { hasNewModules = true }
    return id
  }

  /// Records the loaded modules.
  ///
  /// - Returns: whether the store names all that were ever loaded, as far as that is known.
  ///
  /// Caller holds the depot lock. Neither locks nor allocates.
  ///
  /// - Parameter handle: a handle of `dlopen`, to read only its module and those that were loaded
  ///   later.
  @discardableResult
  mutating func recordLoaded(
    from handle: UnsafeRawPointer? = nil, in store: borrowing StoreWriter
  ) -> Bool {
    guard let confirmed = unsafe confirmed, let list = unsafe list else { return false }
    let records = unsafe store.start(of: .modules).assumingMemoryBound(to: ModuleRecord.self)
    unsafe ct_begin_modules(list, handle)
    let unloads = unsafe list.pointee.unloads
    while unsafe ct_next_module(list) {
      // Since no module was unloaded, the module at the address is still the same.
      let isKnown = (0..<count).contains { index in
        unsafe confirmed[index] == unloads &+ 1
          && isSameMapping(list.pointee.module, records[index])
      }
      guard !isKnown, unsafe ct_identify_module(list) else { continue }
      // A plug-in that is opened in a loop is named once, at whichever address it is mapped.
      let isNamed = (0..<count).contains { index in
        unsafe isSameFile(list.pointee.module, records[index], in: store)
      }
      if isNamed { continue }
      if count < Self.maxUnseen,
        unsafe id(of: list.pointee.module, unloads, in: store) != .none
      {
        continue
      }
      hasGaps = true
    }
    let sawAll = unsafe ct_end_modules(list)
    // Modules that are still loaded can be read again.
    if !sawAll, unsafe handle != nil { hasGaps = true }
    hasNewModules = false
    return sawAll && !hasGaps
  }

  /// Returns the id of a module, and records it in `store` if it is new; `.none` where there is no
  /// room.
  private mutating func id(
    of found: ct_module, _ unloads: UInt32, in store: borrowing StoreWriter
  ) -> ModuleID {
    guard let confirmed = unsafe confirmed else { return .none }
    let records = unsafe store.start(of: .modules).assumingMemoryBound(to: ModuleRecord.self)
    for index in 0..<count where unsafe isSame(found, records[index], in: store) {
      unsafe confirmed[index] = unloads &+ 1
      return ModuleID(rawValue: UInt16(index + 1))
    }
    guard count < Self.maxModules, let record = unsafe record(of: found, in: store),
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
    hasNewModules = false
    hasGaps = false
  }

  private func isSame(
    _ found: ct_module, _ record: ModuleRecord, in store: borrowing StoreWriter
  ) -> Bool {
    unsafe isSameMapping(found, record) && isSameFile(found, record, in: store)
  }

  private func isSameMapping(_ found: ct_module, _ record: ModuleRecord) -> Bool {
    unsafe record.start == UInt64(found.start) && record.end == UInt64(found.end)
  }

  private func isSameFile(
    _ found: ct_module, _ record: ModuleRecord, in store: borrowing StoreWriter
  ) -> Bool {
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
    var record = unsafe ModuleRecord(
      start: UInt64(found.start), end: UInt64(found.end), bias: UInt64(found.bias), path: path,
      buildID: buildID)
    record.replacement = unsafe Self.replacement(inModuleAt: UInt(found.start))
    return record
  }

  /// Returns what became of the functions inside of a module.
  private static func replacement(inModuleAt start: UInt) -> FunctionReplacement {
    FunctionReplacement(rawValue: UInt16(ct_replacement_of(start).rawValue)) ?? .none
  }

  /// Records what became of the functions inside of the recorded modules.
  ///
  /// Caller holds the depot lock. Neither locks nor allocates.
  mutating func recordReplacements(in store: borrowing StoreWriter) {
    let records = unsafe store.start(of: .modules).assumingMemoryBound(to: ModuleRecord.self)
    for index in 0..<count {
      unsafe records[index].replacement = Self.replacement(
        inModuleAt: UInt(records[index].start))
    }
  }

  /// Calls `body` with the module's absolute path: the report may be made in another directory.
  private func withAbsolutePath<Result>(
    of found: ct_module, _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result {
    guard let base = unsafe pathRoom.baseAddress else {
      return unsafe body(UnsafeRawBufferPointer(start: nil, count: 0))
    }
    let characters = unsafe base.assumingMemoryBound(to: CChar.self)
    var length = 0
    if unsafe found.path[0] == 0 {
      length = max(0, unsafe readlink("/proc/self/exe", characters, pathRoom.count))
    } else {
      if unsafe found.path[0] != 0x2F && found.path[0] != 0x5B && strchr(found.path, 0x2F) != nil,
        unsafe getcwd(characters, pathRoom.count / 2) != nil
      {
        length = unsafe Int(strlen(characters))
        unsafe characters[length] = 0x2F
        length += 1
      }
      let count = unsafe min(pathRoom.count - length, Int(strlen(found.path)))
      unsafe memcpy(base + length, found.path, count)
      length += count
    }
    return unsafe body(UnsafeRawBufferPointer(start: base, count: length))
  }
}
