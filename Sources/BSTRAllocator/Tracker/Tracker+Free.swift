// The free of a block: recorded, checked, quarantined, evicted, and freed to the heap.

import CInterpose
import CTracker
import Glibc
import Synchronization
import TraceStore

extension Tracker {
  /// Frees a live block.
  ///
  /// Takes the depot lock, then a shard lock; captures the stack before both and frees memory after
  /// them.
  ///
  /// - Parameters:
  ///   - block: its start address.
  ///   - stringLayout: the layout of a block that has no record in this process's store.
  ///   - caller: the return address of the function that the program called.
  @inline(__always)
  func free(block: UInt, _ stringLayout: StringLayout, caller: CallSite) -> FreeOutcome {
    if skipsFreeChecks, histories.isEmpty { return freeLeaksOnly(block: block) }
    return freeChecked(block: block, stringLayout, caller: caller)
  }

  @inline(never)
  private func freeChecked(block: UInt, _ stringLayout: StringLayout, caller: CallSite)
    -> FreeOutcome
  {
    return withStore { store in
      let context = self.context(of: caller, in: store)
      var result = Registry.FreeResult()
      let outcome = registry.free(
        block, by: context, BlockLayout(stringLayout: stringLayout, hasGuard: false),
        alwaysReport: !histories.isEmpty, &result, in: store)
      switch outcome {
      case .own(let isQuarantined):
        registry.countPair(result, by: context, in: store)
        var evicted = result.evicted
        if !result.slowPath.isEmpty {
          evicted = handleSlowPath(result, for: block, in: store)
        }
        if !isQuarantined { freeToHeap(block) }
        if evicted != 0 { freeToHeap(evicted) }
      case .unrecorded:
        unsafe store.counter(.frees).pointee.add(1, ordering: .relaxed)
        freeToHeap(block)
      case .inherited(let isQuarantined):
        unsafe store.counter(.inheritedFrees).pointee.add(1, ordering: .relaxed)
        if !isQuarantined { freeToHeap(block) }
        trimQuarantine(nextTo: block, in: store)
      case .unknown, .unwatched: break
      }
      return outcome
    } ?? .unwatched
  }

  /// Does the work that only the slow path of a free does.
  ///
  /// - Returns: the start of the evicted block, which the caller frees to the heap; 0 for none.
  @inline(never)
  private func handleSlowPath(
    _ result: Registry.FreeResult, for block: UInt, in store: borrowing StoreWriter
  ) -> UInt {
    var result = result
    if result.slowPath.contains(.rebalance) {
      registry.evictFromAnotherShard(nextTo: block, &result)
    }
    let details = unsafe Registry.Details.scratch
    if result.slowPath.contains(.report) {
      let freed = unsafe details.pointee.freed
      unsafe details.pointee.corruption.forEach {
        recordCorruption($0, seenAtFreeOf: freed, in: store)
      }
      recordDeclaredFree(of: freed, in: store)
    }
    if result.slowPath.contains(.verifyEvicted) {
      unsafe recordWriteAfterFree(details.pointee.evicted, in: store)
    }
    if result.slowPath.contains(.overBudget) { trimQuarantine(nextTo: block, in: store) }
    return result.evicted
  }

  /// Frees a live block to the heap, and remembers nothing of it.
  ///
  /// Takes a shard lock.
  @inline(__always)
  private func freeLeaksOnly(block: UInt) -> FreeOutcome {
    withStore { store in
      switch registry.take(block, in: store) {
      case .own:
        freeToHeap(block)
        return .own(isQuarantined: false)
      case .inherited:
        unsafe store.counter(.inheritedFrees).pointee.add(1, ordering: .relaxed)
        freeToHeap(block)
        return .inherited(isQuarantined: false)
      case .unrecorded:
        unsafe store.counter(.frees).pointee.add(1, ordering: .relaxed)
        freeToHeap(block)
        return .unrecorded
      case .unknown, .unwatched: return .unknown
      }
    } ?? .unwatched
  }

  /// Frees a string whose layout is not that of the copy of the functions that frees it.
  ///
  /// Without the tracker that copy would pass the heap an address that is no block's, which is a
  /// fault where both layouts are certain.
  ///
  /// - Returns: false when it is no live string of the registry.
  func free(ofOtherLayout bstr: UInt, _ layout: StoredLayout, caller: CallSite) -> Bool {
    let live = withStore { registry.liveRecord(ofString: bstr, in: $0) } ?? nil
    guard let live else { return false }
    let block = bstr &- UInt(live.layout.payloadOffset)
    if live.layout.isCertain && layout.isCertain {
      recordFault(EventRecord(.wrongDeallocator, .otherLayout), bstr, live: live, caller)
    }
    return free(block: block, StringLayout(live.layout), caller: caller).isFreed
  }

  /// Frees the string that a pointer passed to `free` or `realloc` means, if the registry has it.
  ///
  /// - The start of a block is how private copies of SysFreeString free it, and no fault.
  /// - A string's first character is a fault, and the string is freed.
  /// - An address 4 or 8 bytes before the string that is not its block's start is what a copy of
  ///   another layout takes for the start: a fault where the layout of the string or of the
  ///   caller's strings is certain, and otherwise the free by a copy that could not be probed,
  ///   whose layout is adopted. The string is freed.
  /// - Any other address in a block is a fault, and the string is left alone.
  ///
  /// Takes locks, one at a time.
  ///
  /// - Parameter detail: the function that it was passed to.
  /// - Returns: false when the registry has no such string.
  func freeFromOutside(_ pointer: UInt, _ detail: EventDetail, caller: CallSite) -> Bool {
    guard isRecording else { return false }
    guard let block = block(meantBy: pointer) else {
      recordForeignText(pointer, caller)
      return false
    }
    switch registry.state(of: block) {
    case .live:
      let live = withStore { registry.liveRecord(of: block, in: $0) } ?? nil
      if block != pointer, let live {
        guard judgeFree(ofLive: live, from: pointer, detail, caller) else { return true }
      }
      let stringLayout = live.map { StringLayout($0.layout) } ?? StringLayout(LayoutTable.assumed)
      return free(block: block, stringLayout, caller: caller).isFreed
    case .freed(let freed, let isReused):
      // Without its memory in quarantine, the heap may have allocated at the address again.
      guard freed.quarantinedBytes > 0 else { return false }
      recordFault(
        EventRecord(.doubleFree, isReused ? .reused : .none), pointer, freed: freed, caller)
      return true
    case .unknown: return false
    }
  }

  /// Records that the characters of a foreign string are passed to the heap.
  ///
  /// Only in glibc's heap, which ends the program for that: the string is left to the heap.
  private func recordForeignText(_ pointer: UInt, _ caller: CallSite) {
    guard ct_heap_is_glibc(), pointer % 16 == 4 || pointer % 16 == 8,
      let bstr = unsafe UnsafeMutableRawPointer(bitPattern: pointer)
    else { return }
    let stringLayout = StringLayout(
      olecharBytes: LayoutTable.assumed.olecharBytes, payloadOffset: Int(pointer % 16))
    guard unsafe ForeignBlock.judge(bstr, stringLayout, remembered: nil) == .foreign else { return }
    var event = EventRecord(.wrongDeallocator, .foreignBSTR)
    event.layout = stringLayout.stored
    recordFault(event, pointer, caller)
  }

  /// Judges an address that was passed to the heap and means a live string, but is not its block's
  /// start.
  ///
  /// - Returns: whether the string is to be freed.
  private func judgeFree(
    ofLive live: BlockRecord, from pointer: UInt, _ detail: EventDetail, _ caller: CallSite
  ) -> Bool {
    let distance = Int(bitPattern: UInt(live.address) &- pointer)
    guard distance == 4 || distance == 8 else {
      let isText = distance == 0
      recordFault(
        EventRecord(.wrongDeallocator, isText ? detail : .interior), pointer, live: live, caller)
      return isText
    }
    let declared = declaredLayout(of: caller)
    if declared?.payloadOffset == distance { return true }
    if live.layout.isCertain || declared != nil {
      recordFault(EventRecord(.wrongDeallocator, .inFront), pointer, live: live, caller)
    } else {
      adoptLayout(payloadOffset: distance)
    }
    return true
  }

  /// Returns the start of the registered block, live or quarantined, that a pointer passed to the
  /// heap's functions means; `nil` when there is none.
  ///
  /// Takes shard locks, one at a time.
  ///
  /// - Complexity: constant for what may be a block of the heap; linear in the records for anything
  ///   else, for which glibc ends the program.
  func block(meantBy pointer: UInt) -> UInt? {
    guard isRecording else { return nil }
    if registry.owns(pointer) { return pointer }
    if let block = registry.block(near: pointer) { return block }
    guard ct_heap_is_glibc(), pointer % 16 != 0 else { return nil }
    let live = withStore { registry.liveBlock(around: pointer, in: $0) } ?? nil
    if let live { return UInt(live.address) &- UInt(live.layout.payloadOffset) }
    let freed = registry.freedBlock(around: pointer)
    return freed.flatMap { $0.quarantinedBytes > 0 ? $0.block : nil }
  }

  /// Frees a foreign block.
  ///
  /// As `free(block:_:caller:)` does, but with a record made from its prefix.
  func free(
    foreign block: UInt, _ bstr: UInt, _ stringLayout: StringLayout, byteLength: UInt32,
    caller: CallSite
  ) {
    withStore { store in
      let context = self.context(of: caller, in: store)
      let record = BlockRecord(
        address: UInt64(bstr), layout: stringLayout.stored, serial: 0, byteLength: byteLength,
        stack: .none, thread: 0,
        milliseconds: 0)
      if !registry.quarantine(foreign: block, record, by: context) { freeToHeap(block) }
      trimQuarantine(nextTo: block, in: store)
    }
  }

  /// Evicts from the shard that `block` belongs to until it is within its limits.
  ///
  /// Takes locks, one at a time; the caller holds none.
  private func trimQuarantine(nextTo block: UInt, in store: borrowing StoreWriter) {
    while let oldest = registry.takeOldest(nextTo: block) { freeEvicted(oldest, in: store) }
  }

  /// Evicts all quarantined blocks, because the program needs the memory.
  ///
  /// Takes locks, one at a time; the caller holds none.
  func emptyQuarantine() {
    withStore { store in
      registry.emptyQuarantine { freed in freeEvicted(freed, in: store) }
    }
  }

  /// Records corruption of a block that was detected when it was freed.
  ///
  /// Takes the depot lock; the caller holds none.
  private func recordCorruption(
    _ corruption: BlockLayout.Corruption, seenAtFreeOf freed: FreedBlock,
    in store: borrowing StoreWriter
  ) {
    var event = EventRecord(corruption.kind)
    event.setBlock(freed.record)
    event.setCorruption(corruption)
    event.setDetected(freed.freeing)
    write(event, preview: freed.preview, in: store)
    haltIfAsked()
  }

  /// Checks an evicted block for writes, and frees it to the heap.
  private func freeEvicted(_ freed: FreedBlock, in store: borrowing StoreWriter) {
    if !freed.isInherited { recordWriteAfterFree(freed, in: store) }
    freeToHeap(freed.block)
  }

  /// Records what was written to an evicted block, if anything was.
  ///
  /// Takes the depot lock; the caller holds none.
  private func recordWriteAfterFree(_ freed: FreedBlock, in store: borrowing StoreWriter) {
    guard let corruption = BlockLayout(freed.record.layout).corruption(ofPoisoned: freed) else {
      return
    }
    write(EventRecord(corruption, in: freed), preview: freed.preview, in: store)
    haltIfAsked()
  }

  /// Frees a block's memory to the heap.
  @inline(__always)
  private func freeToHeap(_ block: UInt) {
    unsafe ct_heap_free(UnsafeMutableRawPointer(bitPattern: block))
  }
}
