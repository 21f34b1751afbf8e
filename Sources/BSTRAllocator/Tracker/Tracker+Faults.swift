// The recording of faults. The program goes on as without the tracker, unless the user asked for a
// halt.

import CTracker
import Glibc
import Synchronization
import TraceOptions
import TraceStore

extension Tracker {
  /// The treatment of a pointer that was to be freed and is no live BSTR of the registry.
  enum Treatment {
    /// It is foreign: free it to the heap.
    case foreign
    /// It is no BSTR, or no longer one, or not certainly one: leave it alone.
    case leaveAlone
  }

  /// Judges a pointer that was passed to SysFreeString, and records the fault if it is one.
  ///
  /// Takes the depot lock and shard locks, one at a time.
  func judgeFree(_ bstr: UnsafeMutableRawPointer, _ stringLayout: StringLayout, caller: CallSite)
    -> Treatment
  {
    let address = UInt(bitPattern: bstr)
    let state = state(ofString: address, stringLayout)
    // The heap has not allocated again what is in quarantine.
    if case .freed(let freed, let isReused) = state, freed.quarantinedBytes > 0 {
      recordFault(
        EventRecord(.doubleFree, isReused ? .reused : .none), address, freed: freed, caller)
      return .leaveAlone
    }
    if immortals.contains(address) {
      recordFault(EventRecord(.invalidFree, .immortal), address, caller)
      return .leaveAlone
    }
    if isInsideLive(address) {
      recordInvalidFree(address, caller)
      return .leaveAlone
    }
    var remembered: FreedBlock?
    if case .freed(let freed, _) = state { remembered = freed }
    switch unsafe ForeignBlock.judge(bstr, stringLayout, remembered: remembered) {
    case .foreign:
      count(.foreignFrees)
      if options.foreign == .report {
        recordFault(EventRecord(.invalidFree, .foreignBSTR), address, caller)
      }
      return .foreign
    case .foreignOrNone:
      count(.foreignFrees)
      return .leaveAlone
    case .none: break
    }
    if case .freed(let freed, let isReused) = state {
      let detail: EventDetail =
        isReused ? .reused : ForeignBlock.isStillFree(freed) ? .none : .recycled
      recordFault(EventRecord(.doubleFree, detail), address, freed: freed, caller)
      return .leaveAlone
    }
    recordInvalidFree(address, caller)
    return .leaveAlone
  }

  /// Returns the state of a string of any layout.
  private func state(ofString bstr: UInt, _ stringLayout: StringLayout) -> Registry.BlockState {
    withStore { store in
      registry.state(of: registry.block(ofString: bstr, stringLayout, in: store))
    } ?? .unknown
  }

  /// Returns whether the address is inside a live block; false, without a search, when there are
  /// many: it is very unlikely that an address inside a string looks like a block of the heap.
  private func isInsideLive(_ address: UInt) -> Bool {
    let found = withStore { store in
      store.used(of: .blocks) <= Self.fewBlocks * MemoryLayout<BlockRecord>.stride
        && registry.liveBlock(around: address, in: store) != nil
    }
    return found ?? false
  }

  private static let fewBlocks = 1 << 14

  private func recordInvalidFree(_ address: UInt, _ caller: CallSite) {
    let live = withStore { registry.liveBlock(around: address, in: $0) } ?? nil
    if let live {
      recordFault(EventRecord(.invalidFree, .interior), address, live: live, caller)
    } else if let freed = registry.freedBlock(around: address) {
      recordFault(EventRecord(.invalidFree, .freedInterior), address, freed: freed, caller)
    } else {
      let (detail, thread) = PointerKind.of(address)
      var event = EventRecord(.invalidFree, detail)
      event.changed = thread
      recordFault(event, address, caller)
    }
  }

  /// Returns whether something is a BSTR, as far as that is known without a guess; records the
  /// fault if it is none.
  ///
  /// Takes the depot lock and shard locks, one at a time.
  ///
  /// - Parameter frees: whether it would be freed, which static BSTRs and those on a stack must not
  ///   be.
  func judgeUse(
    _ bstr: UnsafeMutableRawPointer, _ stringLayout: StringLayout, frees: Bool, caller: CallSite
  ) -> Bool {
    guard isRecording else { return true }
    let address = UInt(bitPattern: bstr)
    let state = state(ofString: address, stringLayout)
    if case .live = state { return true }
    if case .freed(let freed, _) = state, freed.quarantinedBytes > 0 {
      recordFault(EventRecord(.invalidUse, .freed), address, freed: freed, caller)
      return false
    }
    var remembered: FreedBlock?
    if case .freed(let freed, _) = state { remembered = freed }
    if unsafe immortals.contains(address) || PointerKind.isMarkedLiteral(address)
      || ForeignBlock.judge(bstr, stringLayout, remembered: remembered) != .none
    {
      return true
    }
    if case .freed(let freed, _) = state {
      recordFault(EventRecord(.invalidUse, .freed), address, freed: freed, caller)
    } else if ForeignBlock.hasLength(address, stringLayout) {
      // A length that fits, in static memory or on a stack: legal unless it would be freed.
      if !frees { return true }
      recordInvalidFree(address, caller)
    } else {
      let detail: EventDetail = PointerKind.of(address).detail == .static ? .literal : .noPrefix
      recordFault(EventRecord(.invalidUse, detail), address, caller)
    }
    return false
  }

  /// Returns the layout of a live string; `nil` when it has no record.
  func layout(ofString bstr: UInt) -> StoredLayout? {
    withStore { registry.liveRecord(ofString: bstr, in: $0)?.layout } ?? nil
  }

  /// Checks a live string before it is reallocated.
  ///
  /// - Parameter stringLayout: its layout if it has no record.
  /// - Returns: the bytes that were allocated for the string; `nil` when it has no record.
  func inspect(string bstr: UInt, _ stringLayout: StringLayout, caller: CallSite) -> Int? {
    let found =
      withStore { store in
        registry.inspect(registry.block(ofString: bstr, stringLayout, in: store), in: store)
      } ?? nil
    guard let found else { return nil }
    found.corruption.forEach { corruption in
      var event = EventRecord(corruption.kind)
      event.setCorruption(corruption)
      recordFault(event, UInt(found.record.address), live: found.record, caller)
    }
    return Int(found.record.byteLength)
  }

  // MARK: writing events

  /// Records a fault of which only the pointer is known.
  func recordFault(_ event: EventRecord, _ pointer: UInt, _ caller: CallSite) {
    recordFault(event, pointer, preview: TextPreview(), caller)
  }

  /// Records a fault that concerns a live block.
  func recordFault(
    _ event: EventRecord, _ pointer: UInt, live: BlockRecord?, _ caller: CallSite
  ) {
    var event = event
    if let live {
      event.setBlock(live)
      if event.changed == 0 { event.offset = Self.distance(from: live, to: pointer) }
    }
    recordFault(event, pointer, preview: live.map { TextPreview(of: $0) } ?? .init(), caller)
  }

  /// Records a fault that concerns a freed block.
  func recordFault(_ event: EventRecord, _ pointer: UInt, freed: FreedBlock, _ caller: CallSite) {
    var event = event
    event.setFreed(freed)
    event.offset = Self.distance(from: freed.record, to: pointer)
    recordFault(event, pointer, preview: freed.preview, caller)
  }

  private static func distance(from record: BlockRecord, to pointer: UInt) -> Int32 {
    Int32(truncatingIfNeeded: Int(bitPattern: pointer &- UInt(record.address)))
  }

  /// Completes an event with its event context, writes it, and halts if the user asked for that.
  ///
  /// Takes the depot lock; the caller holds none.
  private func recordFault(
    _ event: EventRecord, _ pointer: UInt, preview: TextPreview, _ caller: CallSite
  ) {
    let isFault = event.kind != EventKind.failedAllocation.rawValue
    withStore { store in
      // As at the first allocation, which there may never be.
      if store.used(of: .events) == 0 { noteStatusAtExit() }
      var event = event
      event.pointer = UInt64(pointer)
      event.detected = recordStack(from: caller, in: store)
      event.detectedThread = unsafe ct_thread().pointee.tid
      unsafe event.detectedTime = milliseconds(since: store.header.pointee.startTime)
      write(event, preview: preview, in: store)
    }
    if isFault { haltIfAsked() }
  }

  /// Aborts in the call that was wrong if the user asked for that, so that a debugger stops there.
  ///
  /// The caller holds no lock.
  func haltIfAsked() {
    guard options.haltOnError else { return }
    unsafe Self.beforeHalt?()
    abort()
  }

  /// The function that a linked program calls before it aborts: it reports, since no runner does.
  public nonisolated(unsafe) static var beforeHalt: (@convention(c) () -> Void)?

  /// Appends an event to the store.
  ///
  /// Takes the depot lock; the caller holds none.
  func write(
    _ event: EventRecord, preview: TextPreview = .init(), in store: borrowing StoreWriter
  ) {
    depotLock.acquire()
    defer { depotLock.release() }
    let bytes = MemoryLayout<EventRecord>.stride
    guard store.used(of: .events) < Self.maxEventBytes,
      let room = unsafe store.room(for: bytes, in: .events)
    else {
      unsafe store.counter(.unrecordedEvents).pointee.add(1, ordering: .relaxed)
      return
    }
    var event = event
    // The scope in which it happened, or else the one of the string.
    let current = scopes.current(skipsIgnored: true, in: store)
    if event.detected != .none, current != .none { event.scope = current }
    // No array: it would come from the program's heap, out of the blocks that the fault is about.
    switch EventDetail(rawValue: event.detail) {
    case .static, .literal, .immortal:
      event.data = unsafe depot.pointee.frame(at: UInt(event.pointer), in: store)
    default: break
    }
    if options.redact {
      event.redactFound(olecharBytes: unsafe Int(store.header.pointee.olecharBytes))
    } else if preview.count > 0 {
      event.value = unsafe withUnsafeBytes(of: preview.bytes) { bytes in
        unsafe store.append(text: UnsafeRawBufferPointer(rebasing: bytes.prefix(preview.count)))
      }
    }
    unsafe room.storeBytes(of: event, as: EventRecord.self)
    store.commit(bytes, in: .events)
  }

  /// The limit of the events section: a fault in a loop must not fill the disk.
  private static let maxEventBytes = 100_000 * MemoryLayout<EventRecord>.stride
}

extension EventRecord {
  /// Makes the event of a write to a freed block.
  init(_ corruption: BlockLayout.Corruption, in freed: FreedBlock) {
    self.init(corruption.kind)
    setFreed(freed)
    setCorruption(corruption)
  }

  /// Sets the BSTR that is concerned.
  mutating func setBlock(_ record: BlockRecord) {
    serial = record.serial
    layout = record.layout
    pointer = record.address
    byteLength = record.byteLength
    allocated = record.stack
    allocatedThread = record.thread
    allocatedTime = record.milliseconds
    scope = record.scope == .ignored ? .none : record.scope
  }

  /// Sets the freed BSTR that is concerned, and the event context of its free.
  mutating func setFreed(_ block: FreedBlock) {
    setBlock(block.record)
    freed = block.freeing.stack
    freedThread = block.freeing.thread
    freedTime = block.freeing.milliseconds
  }

  /// Sets the event context in which the event was detected.
  mutating func setDetected(_ context: EventContext) {
    detected = context.stack
    detectedThread = context.thread
    detectedTime = context.milliseconds
  }

  /// Sets the bytes that were changed.
  mutating func setCorruption(_ corruption: BlockLayout.Corruption) {
    offset = Int32(truncatingIfNeeded: corruption.offset)
    changed = UInt32(truncatingIfNeeded: corruption.count)
    found = corruption.found
  }
}
