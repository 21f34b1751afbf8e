// The recording of what holds strings that are live when the process begins to end.

import CTracker
import CUnwind
import Glibc
import Synchronization
import TraceOptions
import TraceStore

extension Tracker {
  /// How long the search may take, in nanoseconds.
  private static let maxSearchTime: UInt64 = 2_000_000_000

  /// Looks for what refers to a few live strings of each stack, and records it.
  ///
  /// A no-op in a child of `vfork`, which is still its parent, and the second time. Takes the depot
  /// lock at its end.
  ///
  /// - Parameters:
  ///   - ownStack: the lowest address of the calling thread's stack that is the program's.
  ///   - isDestructor: whether the thread-local destructor calls: `main` may have returned then, so
  ///     that no part of the stack is the program's.
  func recordHolders(ownStack: UInt, isDestructor: Bool) {
    guard options.holders else { return }
    withStore { store in
      guard unsafe store.header.pointee.pid == UInt32(getpid()),
        // A signal handler's stack may be small.
        ct_handler_stack_has(24 << 10),
        !hasLookedForHolders.exchange(true, ordering: .relaxed)
      else { return }
      let isMainOver = isDestructor && Self.isMainOver()
      let outcome = recordHolders(isMainOver ? 0 : ownStack, in: store)
      unsafe store.header.pointee.holderScan = outcome.rawValue
    }
  }

  /// Returns whether the only frame of the program that is left is the one that it starts in.
  ///
  /// Where libc calls its own `exit`, as `err` does, `main` is there, too.
  private static func isMainOver() -> Bool {
    unsafe withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer?.self, capacity: 64) {
      frames in
      guard let base = frames.baseAddress else { return true }
      let count = unsafe Int(cunwind_unwind(base, Int32(frames.count)))
      func address(_ index: Int) -> UInt { unsafe UInt(bitPattern: frames[index]) }
      guard count > 0 else { return true }
      let own = unsafe ct_find_module(address(0)).end
      let first = (0..<count).first { index in
        unsafe ct_find_module(address(index)).end != own && !ct_is_system_module(address(index))
      }
      return (first ?? count) >= count - 1
    }
  }

  private func recordHolders(_ ownStack: UInt, in store: borrowing StoreWriter) -> HolderScan {
    guard let sample = LiveSample(of: store, hasLatest: true) else { return .needless }
    let limit = options.holdersLimit
    guard ProcessFacts.residentBytes >> 20 <= limit else {
      unsafe store.header.pointee.holdersLimit = UInt32(clamping: limit)
      return .tooLarge
    }
    guard var strings = HolderSearch.roomForTargets() else { return .unreadable }
    sample.forEach(in: store) { record in
      let layout = BlockLayout(record.layout)
      let text = UInt(record.address)
      let start = text &- UInt(layout.stringLayout.payloadOffset)
      let bytes = layout.blockBytes(forPayload: Int(record.byteLength))
      strings.append(
        ScanTarget(
          start: start, end: start + UInt(bytes), text: text, serial: record.serial,
          stack: record.stack))
      return strings.count < HolderSearch.maxStrings
    }
    if strings.count == 0 { return .needless }
    let count = strings.count
    guard
      var search = HolderSearch(
        for: strings, ownStack: ownStack, deadline: ct_precise_now() + Self.maxSearchTime,
        asksLoader: !isForked.load(ordering: .relaxed), store: store.addresses)
    else { return .unreadable }
    search.run()
    depotLock.acquire()
    defer { depotLock.release() }
    for string in 0..<count {
      guard write(chainsOf: string, in: search, to: store) else { break }
    }
    if search.isCutShort { return .cutShort }
    // A function that calls `exit` may have a string in a register, which its callees have saved.
    let hasFrames = ownStack != 0
    return search.isPartial || search.hasMissedHolders || hasFrames ? .partial : .complete
  }

  /// Writes what holds a string; false when the store is full.
  private func write(
    chainsOf string: Int, in search: borrowing HolderSearch, to store: borrowing StoreWriter
  ) -> Bool {
    let serial = search.targets[string].serial
    var isWritten = true
    let chains = search.forEachStep(of: string) { chain, reference, block, facts in
      var record = HolderRecord(
        serial: serial, kind: reference.kind, match: reference.match, chain: chain)
      record.thread = reference.thread
      switch reference.kind {
      case .data: record.place = frame(at: reference.slot, in: store)
      case .threadLocal:
        record.place = FrameWord(
          module: frame(at: reference.code, in: store).module, address: UInt64(reference.offset))
      case .stack:
        if reference.code != 0 { record.place = frame(at: reference.code, in: store) }
      case .heap:
        record.place = FrameWord(module: .none, address: UInt64(block.start))
        record.blockBytes = UInt64(block.byteCount)
        record.offset = UInt32(clamping: reference.slot - block.start)
        record.facts = facts.rawValue
        if let type = search.objectType(of: block) {
          record.type = frame(at: type.address, in: store)
          if type.isDescriptor { record.facts |= HolderFacts.isDescriptor.rawValue }
        }
      case .nobody: break
      }
      isWritten = isWritten && write(record, to: store)
    }
    if chains == 0, !search.hasMissedHolders {
      return write(HolderRecord(serial: serial, kind: .nobody), to: store)
    }
    return isWritten
  }

  /// Returns an address with its module.
  ///
  /// Caller holds the depot lock.
  private func frame(at address: UInt, in store: borrowing StoreWriter) -> FrameWord {
    unsafe depot.pointee.frame(at: address, in: store)
  }

  /// Writes a record; false when the store is full.
  ///
  /// Caller holds the depot lock.
  private func write(_ record: HolderRecord, to store: borrowing StoreWriter) -> Bool {
    let bytes = MemoryLayout<HolderRecord>.stride
    guard let room = unsafe store.room(for: bytes, in: .holders) else { return false }
    unsafe room.storeBytes(of: record, as: HolderRecord.self)
    store.commit(bytes, in: .holders)
    return true
  }
}

extension ProcessFacts {
  /// The resident memory of the process, in bytes; 0 where it is unknown.
  fileprivate static var residentBytes: Int {
    let descriptor = unsafe open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return 0 }
    defer { close(descriptor) }
    var text = InlineArray<128, UInt8>(repeating: 0)
    var span = text.mutableSpan
    let count = unsafe span.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, 128) }
    // Its second number, in pages.
    var (number, pages) = (0, 0)
    for index in 0..<max(0, count) {
      let character = text[index]
      if character == 0x20 { number += 1 }
      if number == 1, character >= 0x30, character <= 0x39 {
        pages = pages * 10 + Int(character - 0x30)
      }
    }
    return pages * Int(Page.size)
  }
}
