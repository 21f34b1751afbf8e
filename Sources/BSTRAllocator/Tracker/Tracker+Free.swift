// What happens when a block is released: it is recorded, checked, held back, and at last given to
// the heap.

import CInterpose
import CTracker
import Glibc
import Synchronization
import TraceStore

extension Tracker {
  /// Releases a live block.
  ///
  /// Takes the depot lock, then a shard lock; captures the stack before both and frees memory after
  /// them.
  ///
  /// - Parameters:
  ///   - block: the start of its block.
  ///   - stringLayout: how a block lies that has no record in this process's store.
  ///   - caller: the return address of the function that the program called.
  @inline(__always)
  func release(block: UInt, _ stringLayout: StringLayout, caller: CallSite) -> ReleaseOutcome {
    if skipsFreeChecks, histories.isEmpty { return freeLeaksOnly(block: block) }
    return freeChecked(block: block, stringLayout, caller: caller)
  }

  @inline(never)
  private func freeChecked(block: UInt, _ stringLayout: StringLayout, caller: CallSite)
    -> ReleaseOutcome
  {
    return withStore { store in
      let context = self.context(of: caller, in: store)
      var result = Registry.ReleaseResult()
      let outcome = registry.release(
        block, by: context, BlockLayout(stringLayout: stringLayout, hasGuard: false),
        alwaysReport: !histories.isEmpty, &result, in: store)
      switch outcome {
      case .own(let isHeld):
        registry.countPair(result, by: context, in: store)
        var evicted = result.evicted
        if !result.slowPath.isEmpty {
          evicted = handleSlowPath(result, for: block, in: store)
        }
        if !isHeld { freeToHeap(block) }
        if evicted != 0 { freeToHeap(evicted) }
      case .unrecorded:
        unsafe store.counter(.frees).pointee.add(1, ordering: .relaxed)
        freeToHeap(block)
      case .inherited(let isHeld):
        unsafe store.counter(.inheritedFrees).pointee.add(1, ordering: .relaxed)
        if !isHeld { freeToHeap(block) }
        trimQuarantine(nextTo: block, in: store)
      case .unknown, .unwatched: break
      }
      return outcome
    } ?? .unwatched
  }

  /// Does the work that only the slow path of a free does.
  ///
  /// - Returns: the block that has left quarantine; 0 for none.
  @inline(never)
  private func handleSlowPath(
    _ result: Registry.ReleaseResult, for block: UInt, in store: borrowing StoreWriter
  ) -> UInt {
    var result = result
    if result.slowPath.contains(.rebalance) {
      registry.evictFromAnotherShard(nextTo: block, &result)
    }
    let details = unsafe Registry.Details.scratch
    if result.slowPath.contains(.report) {
      let freed = unsafe details.pointee.freed
      unsafe details.pointee.corruption.forEach {
        recordCorruption($0, seenAtReleaseOf: freed, in: store)
      }
      noteRelease(of: freed, in: store)
    }
    if result.slowPath.contains(.verifyEvicted) {
      unsafe recordWriteAfterFree(details.pointee.evicted, in: store)
    }
    if result.slowPath.contains(.overBudget) { trimQuarantine(nextTo: block, in: store) }
    return result.evicted
  }

  /// Releases a live block of which nothing is remembered then.
  ///
  /// Takes a shard lock.
  @inline(__always)
  private func freeLeaksOnly(block: UInt) -> ReleaseOutcome {
    withStore { store in
      let outcome = registry.take(block, in: store)
      switch outcome {
      case .unknown, .unwatched: return .unknown
      case .inherited:
        unsafe store.counter(.inheritedFrees).pointee.add(1, ordering: .relaxed)
      case .own: break
      case .unrecorded:
        unsafe store.counter(.frees).pointee.add(1, ordering: .relaxed)
      }
      freeToHeap(block)
      return outcome
    } ?? .unwatched
  }

  /// Releases a string that lies otherwise than the copy lays strings out through which it is
  /// freed.
  ///
  /// Without the tracker that copy would give the heap an address that is no block's, which is a
  /// fault where both layouts are certain.
  ///
  /// - Returns: false when it is no live string of ours.
  func release(ofOtherLayout bstr: UInt, _ layout: StoredLayout, caller: CallSite) -> Bool {
    let block = bstr &- UInt(StoredLayout.otherOffset(layout.payloadOffset))
    let live = withStore { registry.liveRecord(of: block, in: $0) } ?? nil
    guard let live, UInt(live.address) == bstr else { return false }
    if live.layout.isCertain && layout.isCertain {
      recordFault(EventRecord(.wrongDeallocator, .otherLayout), bstr, live: live, caller)
    }
    return release(block: block, StringLayout(live.layout), caller: caller).isReleased
  }

  /// Releases what the program gave to `free` or `realloc`, if it means a string of ours.
  ///
  /// That is the start of a block, which is how private copies of SysFreeString release it, and no
  /// fault; or a string's first character, which is one. An address a few bytes in front of the
  /// string that is not where its block starts is what a copy of another layout takes for the
  /// start: a fault where it is certain how the string or the caller's strings lie, and otherwise
  /// the release by a copy that could not be probed, which teaches its layout. Any other address in
  /// a block is a fault, and the string is left alone.
  ///
  /// Takes locks, one at a time.
  ///
  /// - Parameter detail: the function that it was given to.
  /// - Returns: false when it is none of ours.
  func releaseFromOutside(_ pointer: UInt, _ detail: EventDetail, caller: CallSite) -> Bool {
    guard isRecording else { return false }
    guard let block = block(ofOutside: pointer) else {
      recordForeignText(pointer, caller)
      return false
    }
    switch registry.state(of: block) {
    case .live:
      let live = withStore { registry.liveRecord(of: block, in: $0) } ?? nil
      if block != pointer, let live {
        guard judgeRelease(ofLive: live, from: pointer, detail, caller) else { return true }
      }
      let stringLayout = live.map { StringLayout($0.layout) } ?? StringLayout(LayoutTable.assumed)
      return release(block: block, stringLayout, caller: caller).isReleased
    case .freed(let freed, let isReused):
      // Without its memory in quarantine the address may be anyone's.
      guard freed.heldBytes > 0 else { return false }
      recordFault(
        EventRecord(.doubleFree, isReused ? .reused : .none), pointer, freed: freed, caller)
      return true
    case .unknown: return false
    }
  }

  /// Records that the characters of a string of another copy of the functions are given to the
  /// heap.
  ///
  /// Only where glibc's heap ends the program for that: it is left to it.
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

  /// Judges an address that was given to the heap and means a live string, but is not its block's
  /// start.
  ///
  /// - Returns: whether the string is to be released.
  private func judgeRelease(
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

  /// The start of the block of ours, live or in quarantine, that a pointer given to the heap's
  /// functions means; `nil` when there is none.
  ///
  /// Takes shard locks, one at a time.
  ///
  /// - Complexity: constant for what may be a block of the heap. glibc ends a program that frees
  ///   anything else: for that every block is looked at.
  func block(ofOutside pointer: UInt) -> UInt? {
    guard isRecording else { return nil }
    if registry.owns(pointer) { return pointer }
    if let block = registry.block(near: pointer) { return block }
    guard ct_heap_is_glibc(), pointer % 16 != 0 else { return nil }
    let live = withStore { registry.liveBlock(around: pointer, in: $0) } ?? nil
    if let live { return UInt(live.address) &- UInt(live.layout.payloadOffset) }
    let freed = registry.freedBlock(around: pointer)
    return freed.flatMap { $0.heldBytes > 0 ? $0.block : nil }
  }

  /// Releases a block of another copy of the functions.
  ///
  /// As `release(block:caller:)` does, but that its record is what its prefix says.
  func release(
    foreign block: UInt, _ bstr: UInt, _ stringLayout: StringLayout, byteLength: UInt32,
    caller: CallSite
  ) {
    withStore { store in
      let context = self.context(of: caller, in: store)
      let record = BlockRecord(
        address: UInt64(bstr), layout: stringLayout.stored, serial: 0, byteLength: byteLength,
        stack: .none, thread: 0,
        milliseconds: 0)
      if !registry.hold(foreign: block, record, by: context) { freeToHeap(block) }
      trimQuarantine(nextTo: block, in: store)
    }
  }

  private func trimQuarantine(nextTo block: UInt, in store: borrowing StoreWriter) {
    while let oldest = registry.takeOldest(nextTo: block) { leaveQuarantine(oldest, in: store) }
  }

  /// Gives all memory in quarantine back: the program needs it more.
  func emptyQuarantine() {
    withStore { store in
      registry.emptyQuarantine { freed in leaveQuarantine(freed, in: store) }
    }
  }

  private func recordCorruption(
    _ corruption: BlockLayout.Corruption, seenAtReleaseOf freed: FreedBlock,
    in store: borrowing StoreWriter
  ) {
    var event = EventRecord(corruption.kind)
    event.setBlock(freed.record)
    event.setCorruption(corruption)
    event.setDetected(freed.release)
    write(event, preview: freed.preview, in: store)
    haltIfAsked()
  }

  /// Caller has taken the block out of quarantine.
  private func leaveQuarantine(_ freed: FreedBlock, in store: borrowing StoreWriter) {
    if !freed.isInherited { recordWriteAfterFree(freed, in: store) }
    freeToHeap(freed.block)
  }

  private func recordWriteAfterFree(_ freed: FreedBlock, in store: borrowing StoreWriter) {
    guard let corruption = BlockLayout(freed.record.layout).corruption(ofPoisoned: freed) else {
      return
    }
    write(EventRecord(corruption, in: freed), preview: freed.preview, in: store)
    haltIfAsked()
  }

  /// Gives a block's memory back to the heap.
  @inline(__always)
  private func freeToHeap(_ block: UInt) {
    unsafe ct_heap_free(UnsafeMutableRawPointer(bitPattern: block))
  }
}
