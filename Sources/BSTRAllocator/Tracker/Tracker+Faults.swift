// What is recorded when something goes wrong. The program goes on as if we were not there, unless
// it was asked to halt.

import CTracker
import Glibc
import Synchronization
import TraceOptions
import TraceStore

extension Tracker {
  /// What to do with a pointer that was to be released and is no live BSTR of ours.
  enum Verdict {
    /// Another copy of the functions allocated it: give it to the heap.
    case foreign
    /// It is no BSTR, or no more, or not certainly one: leave it alone.
    case leaveAlone
  }

  /// Judges a pointer that SysFreeString was given, and records the fault if it is one.
  ///
  /// Takes the depot lock and shard locks, one at a time.
  func judgeRelease(_ bstr: UnsafeMutableRawPointer, _ stringLayout: StringLayout, caller: CallSite)
    -> Verdict
  {
    let address = UInt(bitPattern: bstr)
    let state = state(ofString: address, stringLayout)
    // What is in quarantine cannot be anyone else's.
    if case .freed(let freed, let isReused) = state, freed.heldBytes > 0 {
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

  /// What is known of a string, in whichever layout it lies.
  private func state(ofString bstr: UInt, _ stringLayout: StringLayout) -> Registry.BlockState {
    withStore { store in
      registry.state(of: registry.block(ofString: bstr, stringLayout, in: store))
    } ?? .unknown
  }

  /// Whether the address is inside a live block.
  ///
  /// Not looked for where there are many: what makes an
  /// address inside a string look like a block of the heap is very unlikely.
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

  /// Whether something is a BSTR, as far as that can be told without guessing; records the fault if
  /// it is none.
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
    if case .freed(let freed, _) = state, freed.heldBytes > 0 {
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
      // A length that fits, in static memory or on a stack: legal, unless it would be freed.
      if !frees { return true }
      recordInvalidFree(address, caller)
    } else {
      let detail: EventDetail = PointerKind.of(address).detail == .static ? .literal : .noPrefix
      recordFault(EventRecord(.invalidUse, detail), address, caller)
    }
    return false
  }

  /// How a live string lies; `nil` when nothing is known of it.
  func layout(ofString bstr: UInt, _ stringLayout: StringLayout) -> StoredLayout? {
    withStore { store in
      registry.liveRecord(of: registry.block(ofString: bstr, stringLayout, in: store), in: store)?
        .layout
    } ?? nil
  }

  /// Checks a live string before it is reallocated.
  ///
  /// - Parameter stringLayout: how it lies if nothing is known of it.
  /// - Returns: bytes that were allocated for the string; `nil` when nothing is known of it.
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

  /// Records a fault that concerns a released block.
  func recordFault(_ event: EventRecord, _ pointer: UInt, freed: FreedBlock, _ caller: CallSite) {
    var event = event
    event.setFreed(freed)
    event.offset = Self.distance(from: freed.record, to: pointer)
    recordFault(event, pointer, preview: freed.preview, caller)
  }

  private static func distance(from record: BlockRecord, to pointer: UInt) -> Int32 {
    Int32(truncatingIfNeeded: Int(bitPattern: pointer &- UInt(record.address)))
  }

  /// Completes an event with the stack of its moment, writes it, and halts if that was asked for.
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

  /// Aborts at the instruction that was wrong, so that a debugger stops there.
  ///
  /// The caller holds no lock.
  func haltIfAsked() {
    guard options.haltOnError else { return }
    unsafe Self.beforeHalt?()
    abort()
  }

  /// What a linked program does before it aborts: report, which nobody else would.
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
    // Where it happened, or else where the string is from.
    let current = scopes.current(skipsIgnored: true, in: store)
    if event.detected != .none, current != .none { event.scope = current }
    // Not an array to look in: it would come from the program's heap, out of the blocks that the
    // fault is about.
    switch EventDetail(rawValue: event.detail) {
    case .static, .literal, .immortal:
      event.place = unsafe depot.pointee.frame(at: UInt(event.pointer), in: store)
    default: break
    }
    if preview.count > 0, !options.redact {
      event.value = unsafe withUnsafeBytes(of: preview.bytes) { bytes in
        unsafe store.append(text: UnsafeRawBufferPointer(rebasing: bytes.prefix(preview.count)))
      }
    }
    unsafe room.storeBytes(of: event, as: EventRecord.self)
    store.commit(bytes, in: .events)
  }

  /// A fault in a loop must not fill the disk.
  private static let maxEventBytes = 100_000 * MemoryLayout<EventRecord>.stride
}

extension EventRecord {
  /// Something that was written to a released block.
  init(_ corruption: BlockLayout.Corruption, in freed: FreedBlock) {
    self.init(corruption.kind)
    setFreed(freed)
    setCorruption(corruption)
  }

  /// Says which BSTR is concerned.
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

  /// Says which released BSTR is concerned, and by whom it was released.
  mutating func setFreed(_ block: FreedBlock) {
    setBlock(block.record)
    freed = block.release.stack
    freedThread = block.release.thread
    freedTime = block.release.milliseconds
  }

  /// Says who did what is told, where and when.
  mutating func setDetected(_ moment: EventContext) {
    detected = moment.stack
    detectedThread = moment.thread
    detectedTime = moment.milliseconds
  }

  /// Says what was changed.
  mutating func setCorruption(_ corruption: BlockLayout.Corruption) {
    offset = Int32(truncatingIfNeeded: corruption.offset)
    changed = UInt32(truncatingIfNeeded: corruption.count)
    found = corruption.found
  }
}
