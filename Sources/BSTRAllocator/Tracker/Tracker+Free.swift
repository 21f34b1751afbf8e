// What happens when a block is released: it is recorded, checked, held back, and at last given to
// the heap.

import CInterpose
import CTracker
import Glibc
import Synchronization
import TraceStore

extension Tracker {
  /// What became of a block that was to be released.
  enum Release {
    /// It was live, and its memory is taken care of.
    case done
    /// It is no live block of ours.
    case unknown
    /// Nothing was looked up: nothing is recorded.
    case unwatched
  }

  /// Releases a live block.
  ///
  /// Takes the depot lock, then a shard lock; captures the stack before both and frees memory after
  /// them.
  ///
  /// - Parameters:
  ///   - block: the start of its block.
  ///   - profile: how a block lies that has no record in this process's store.
  ///   - caller: the return address of the function that the program called.
  @inline(__always)
  func release(block: UInt, _ profile: Profile, caller: CallSite) -> Release {
    if forgetsFreed, histories.isEmpty { return releaseUnseen(block: block) }
    return releaseWatched(block: block, profile, caller: caller)
  }

  @inline(never)
  private func releaseWatched(block: UInt, _ profile: Profile, caller: CallSite) -> Release {
    return withStore { store in
      let moment = moment(of: caller, in: store)
      var aftermath = Registry.Aftermath()
      switch registry.release(
        block, by: moment, BlockLayout(profile: profile, hasGuard: false),
        isTold: !histories.isEmpty, &aftermath, in: store)
      {
      case .own(let isHeld):
        registry.countPair(aftermath, by: moment, in: store)
        var evicted = aftermath.evicted
        if !aftermath.unusual.isEmpty {
          evicted = seeTo(aftermath, of: block, in: store)
        }
        if !isHeld { giveBack(block) }
        if evicted != 0 { giveBack(evicted) }
      case .unrecorded:
        unsafe store.counter(.frees).pointee.add(1, ordering: .relaxed)
        giveBack(block)
      case .inherited(let isHeld):
        unsafe store.counter(.inheritedFrees).pointee.add(1, ordering: .relaxed)
        if !isHeld { giveBack(block) }
        trimQuarantine(nextTo: block, in: store)
      case .unknown: return .unknown
      }
      return .done
    } ?? .unwatched
  }

  /// Sees to what seldom follows a release.
  ///
  /// - Returns: the block that has left quarantine; 0 for none.
  @inline(never)
  private func seeTo(
    _ aftermath: Registry.Aftermath, of block: UInt, in store: borrowing StoreWriter
  ) -> UInt {
    var aftermath = aftermath
    if aftermath.unusual.contains(.isToMove) {
      registry.evictElsewhere(nextTo: block, &aftermath)
    }
    let details = unsafe Registry.Details.scratch
    if aftermath.unusual.contains(.isDescribed) {
      let freed = unsafe details.pointee.freed
      unsafe details.pointee.damages.forEach {
        recordDamage($0, seenAtReleaseOf: freed, in: store)
      }
      noteRelease(of: freed, in: store)
    }
    if aftermath.unusual.contains(.isToCheck) {
      unsafe recordWriteAfterFree(details.pointee.evicted, in: store)
    }
    if aftermath.unusual.contains(.isOver) { trimQuarantine(nextTo: block, in: store) }
    return aftermath.evicted
  }

  /// Releases a live block of which nothing is remembered then.
  ///
  /// Takes a shard lock.
  @inline(__always)
  private func releaseUnseen(block: UInt) -> Release {
    withStore { store in
      switch registry.take(block, in: store) {
      case .unknown: return .unknown
      case .inherited:
        unsafe store.counter(.inheritedFrees).pointee.add(1, ordering: .relaxed)
      case .own: break
      case .unrecorded:
        unsafe store.counter(.frees).pointee.add(1, ordering: .relaxed)
      }
      giveBack(block)
      return .done
    } ?? .unwatched
  }

  /// Releases a string that lies otherwise than the copy lays strings out through which it is freed.
  ///
  /// Without the tracker that copy would give the heap an address that is no block's, which is a fault where both
  /// layouts are certain.
  ///
  /// - Returns: false when it is no live string of ours.
  func release(ofOtherLayout bstr: UInt, _ layout: StoredLayout, caller: CallSite) -> Bool {
    let block = bstr &- UInt(StoredLayout.otherOffset(layout.payloadOffset))
    let live = withStore { registry.liveRecord(of: block, in: $0) } ?? nil
    guard let live, UInt(live.address) == bstr else { return false }
    if live.layout.isCertain && layout.isCertain {
      recordFault(EventRecord(.wrongDeallocator, .otherLayout), bstr, live: live, caller)
    }
    return release(block: block, Profile(live.layout), caller: caller) == .done
  }

  /// Releases what the program gave to `free` or `realloc`, if it means a string of ours.
  ///
  /// That is the start of a block, which is how private copies of SysFreeString release it, and no fault; or a
  /// string's first character, which is one. An address a few bytes in front of the string that is
  /// not where its block starts is what a copy of another layout takes for the start: a fault where it is
  /// certain how the string or the caller's strings lie, and otherwise the release by a copy that could
  /// not be probed, which teaches its layout. Any other address in a block is a fault, and the string is left
  /// alone.
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
    switch registry.standing(of: block) {
    case .live:
      let live = withStore { registry.liveRecord(of: block, in: $0) } ?? nil
      if block != pointer, let live {
        guard judgeRelease(ofLive: live, from: pointer, detail, caller) else { return true }
      }
      let profile = live.map { Profile($0.layout) } ?? Profile(LayoutTable.assumed)
      return release(block: block, profile, caller: caller) == .done
    case .freed(let freed, let isReused):
      // Without its memory in quarantine the address may be anyone's.
      guard freed.heldBytes > 0 else { return false }
      recordFault(
        EventRecord(.doubleFree, isReused ? .reused : .none), pointer, freed: freed, caller)
      return true
    case .unknown: return false
    }
  }

  /// Records that the characters of a string of another copy of the functions are given to the heap.
  ///
  /// Only where glibc's heap ends the program for that: it is left to it.
  private func recordForeignText(_ pointer: UInt, _ caller: CallSite) {
    guard ct_heap_is_glibc(), pointer % 16 == 4 || pointer % 16 == 8,
      let bstr = unsafe UnsafeMutableRawPointer(bitPattern: pointer)
    else { return }
    let profile = Profile(
      olecharBytes: LayoutTable.assumed.olecharBytes, payloadOffset: Int(pointer % 16))
    guard unsafe ForeignBlock.judge(bstr, profile, remembered: nil) == .foreign else { return }
    var event = EventRecord(.wrongDeallocator, .foreignBSTR)
    event.layout = profile.stored
    recordFault(event, pointer, caller)
  }

  /// Judges an address that was given to the heap and means a live string, but is not its block's start.
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
      learnLayout(payloadOffset: distance)
    }
    return true
  }

  /// The start of the block of ours, live or in quarantine, that a pointer given to the heap's functions means;
  /// `nil` when there is none.
  ///
  /// Takes shard locks, one at a time.
  ///
  /// - Complexity: constant for what may be a block of the heap. glibc ends a program that frees anything else:
  ///   for that every block is looked at.
  func block(ofOutside pointer: UInt) -> UInt? {
    guard isRecording else { return nil }
    if registry.holds(pointer) { return pointer }
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
    foreign block: UInt, _ bstr: UInt, _ profile: Profile, byteLength: UInt32, caller: CallSite
  ) {
    withStore { store in
      let moment = moment(of: caller, in: store)
      let record = BlockRecord(
        address: UInt64(bstr), layout: profile.stored, serial: 0, byteLength: byteLength,
        stack: .none, thread: 0,
        milliseconds: 0)
      if !registry.hold(foreign: block, record, by: moment) { giveBack(block) }
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

  /// Here and now.
  @inline(__always)
  private func moment(of caller: CallSite, in store: borrowing StoreWriter) -> Moment {
    unsafe Moment(
      stack: recordStack(from: caller, in: store), thread: ct_thread().pointee.tid,
      milliseconds: milliseconds(since: store.header.pointee.startTime))
  }

  private func recordDamage(
    _ damage: BlockLayout.Damage, seenAtReleaseOf freed: FreedBlock, in store: borrowing StoreWriter
  ) {
    var event = EventRecord(damage.kind)
    event.setBlock(freed.record)
    event.setDamage(damage)
    event.setDetected(freed.release)
    write(event, beginning: freed.beginning, in: store)
    haltIfAsked()
  }

  /// Caller has taken the block out of quarantine.
  private func leaveQuarantine(_ freed: FreedBlock, in store: borrowing StoreWriter) {
    if !freed.isInherited { recordWriteAfterFree(freed, in: store) }
    giveBack(freed.block)
  }

  private func recordWriteAfterFree(_ freed: FreedBlock, in store: borrowing StoreWriter) {
    guard let damage = BlockLayout(freed.record.layout).damage(ofPoisoned: freed) else { return }
    write(EventRecord(damage, in: freed), beginning: freed.beginning, in: store)
    haltIfAsked()
  }

  /// Gives a block's memory back to the heap.
  @inline(__always)
  private func giveBack(_ block: UInt) {
    unsafe ct_give_back(UnsafeMutableRawPointer(bitPattern: block))
  }
}
