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
  ///   - caller: the return address of the function that the program called.
  @inline(__always)
  func release(block: UInt, caller: CallSite) -> Release {
    if forgetsFreed, histories.isEmpty { return releaseUnseen(block: block) }
    return releaseWatched(block: block, caller: caller)
  }

  @inline(never)
  private func releaseWatched(block: UInt, caller: CallSite) -> Release {
    guard let layout = knownLayout else { return .unwatched }
    return withStore { store in
      let moment = moment(of: caller, in: store)
      var aftermath = Registry.Aftermath()
      switch registry.release(
        block, by: moment, layout, isTold: !histories.isEmpty, &aftermath, in: store)
      {
      case .own(let isHeld):
        registry.countPair(aftermath, by: moment, in: store)
        var evicted = aftermath.evicted
        if !aftermath.unusual.isEmpty {
          evicted = seeTo(aftermath, of: block, layout, in: store)
        }
        if !isHeld { giveBack(block) }
        if evicted != 0 { giveBack(evicted) }
      case .unrecorded:
        unsafe store.counter(.frees).pointee.add(1, ordering: .relaxed)
        giveBack(block)
      case .inherited(let isHeld):
        unsafe store.counter(.inheritedFrees).pointee.add(1, ordering: .relaxed)
        if !isHeld { giveBack(block) }
        trimQuarantine(nextTo: block, layout, in: store)
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
    _ aftermath: Registry.Aftermath, of block: UInt, _ layout: BlockLayout,
    in store: borrowing StoreWriter
  ) -> UInt {
    var aftermath = aftermath
    if aftermath.unusual.contains(.isToMove) {
      registry.evictElsewhere(nextTo: block, layout, &aftermath)
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
      unsafe recordWriteAfterFree(details.pointee.evicted, layout, in: store)
    }
    if aftermath.unusual.contains(.isOver) { trimQuarantine(nextTo: block, layout, in: store) }
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

  /// Releases a block that the program gave to `free` or `realloc`: the start of one, which is how
  /// private copies of SysFreeString release it, or a BSTR, which is a fault.
  ///
  /// Takes locks, one at a time.
  ///
  /// - Parameter detail: the function that it was given to.
  /// - Returns: false when it is none of ours.
  func releaseFromOutside(_ pointer: UInt, _ detail: EventDetail, caller: CallSite) -> Bool {
    guard isRecording, let block = block(ofOutside: pointer) else { return false }
    switch registry.standing(of: block) {
    case .live:
      if block != pointer {
        let live = withStore { registry.liveRecord(of: block, in: $0) } ?? nil
        recordFault(EventRecord(.wrongDeallocator, detail), pointer, live: live, caller)
      }
      return release(block: block, caller: caller) == .done
    case .freed(let freed, let isReused):
      // Without its memory in quarantine the address may be anyone's.
      guard freed.heldBytes > 0 else { return false }
      recordFault(
        EventRecord(.doubleFree, isReused ? .reused : .none), pointer, freed: freed, caller)
      return true
    case .unknown: return false
    }
  }

  /// Whether memory that `pointer`, given to `realloc`, names is ours.
  ///
  /// Takes a shard lock.
  func holdsOutside(_ pointer: UInt) -> Bool {
    guard isRecording, let block = block(ofOutside: pointer) else { return false }
    return registry.holds(block)
  }

  /// The start of the block that a pointer given to the heap's functions would belong to.
  private func block(ofOutside pointer: UInt) -> UInt? {
    if pointer % 16 == 0 { return pointer }
    guard let profile = knownProfile, pointer % 16 == UInt(profile.payloadOffset) else {
      return nil
    }
    return pointer - UInt(profile.payloadOffset)
  }

  /// Releases a block of another copy of the functions.
  ///
  /// As `release(block:caller:)` does, but that its record is what its prefix says.
  func release(foreign block: UInt, _ bstr: UInt, byteLength: UInt32, caller: CallSite) {
    guard let layout = knownLayout else { return giveBack(block) }
    withStore { store in
      let moment = moment(of: caller, in: store)
      let record = BlockRecord(
        address: UInt64(bstr), serial: 0, byteLength: byteLength, stack: .none, thread: 0,
        milliseconds: 0)
      if !registry.hold(foreign: block, record, by: moment, layout) { giveBack(block) }
      trimQuarantine(nextTo: block, layout, in: store)
    }
  }

  private func trimQuarantine(
    nextTo block: UInt, _ layout: BlockLayout, in store: borrowing StoreWriter
  ) {
    while let oldest = registry.takeOldest(nextTo: block) {
      leaveQuarantine(oldest, layout, in: store)
    }
  }

  /// Gives all memory in quarantine back: the program needs it more.
  func emptyQuarantine() {
    guard let layout = knownLayout else { return }
    withStore { store in
      registry.emptyQuarantine { freed in leaveQuarantine(freed, layout, in: store) }
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
  private func leaveQuarantine(
    _ freed: FreedBlock, _ layout: BlockLayout, in store: borrowing StoreWriter
  ) {
    if !freed.isInherited { recordWriteAfterFree(freed, layout, in: store) }
    giveBack(freed.block)
  }

  private func recordWriteAfterFree(
    _ freed: FreedBlock, _ layout: BlockLayout, in store: borrowing StoreWriter
  ) {
    guard let damage = layout.damage(ofPoisoned: freed) else { return }
    write(EventRecord(damage, in: freed), beginning: freed.beginning, in: store)
    haltIfAsked()
  }

  /// Gives a block's memory back to the heap.
  @inline(__always)
  private func giveBack(_ block: UInt) {
    unsafe ct_give_back(UnsafeMutableRawPointer(bitPattern: block))
  }
}
