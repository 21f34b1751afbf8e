// The recording of allocations, and the steps that all recording shares.

import CTracker
import Glibc
import Synchronization
import TraceOptions
import TraceStore

extension Tracker {
  /// Records a BSTR that was just allocated.
  ///
  /// Takes the depot lock, then a shard lock; captures the stack before both.
  ///
  /// - Parameters:
  ///   - block: the start of its block.
  ///   - bstr: its first character.
  ///   - layout: its string layout.
  ///   - byteLength: its payload in bytes.
  ///   - caller: the return address of the BSTR function that the program called.
  @_transparent  // Where `@inline(__always)` leaves a call.
  func recordAllocation(
    block: UInt, bstr: UInt, _ layout: StoredLayout, byteLength: UInt32, caller: CallSite
  ) {
    if !pins.isEmpty { pins.forget(bstr) }
    let serial = withStore { store in
      let stack = recordStack(from: caller, in: store)
      let serial = nextSerial(in: store)
      let record = unsafe BlockRecord(
        address: UInt64(bstr), layout: layout, serial: serial,
        scope: scopes.current(skipsIgnored: false, in: store), byteLength: byteLength, stack: stack,
        thread: ct_thread().pointee.tid,
        // Reading the time is a tenth of an allocation's time.
        milliseconds: recordsFrees
          ? milliseconds(since: store.header.pointee.startTime) : BlockRecord.noTime)
      if !registry.insert(block, record, in: store) {
        unsafe store.counter(.unrecordedBlocks).pointee.add(1, ordering: .relaxed)
      }
      return serial
    }
    if let serial, serial == breakOn { raise(SIGTRAP) }
  }

  /// Returns the serial of an allocation: a thread's serials ascend, and no two threads have the
  /// same.
  @inline(__always)
  private func nextSerial(in store: borrowing StoreWriter) -> UInt64 {
    let thread = unsafe ct_thread()
    if unsafe thread.pointee.next_serial == thread.pointee.end_serial { reserveSerials(in: store) }
    let serial = unsafe thread.pointee.next_serial
    unsafe thread.pointee.next_serial = serial &+ 1
    return serial
  }

  /// Reserves serials for the calling thread, so that threads do not contend for each, and updates
  /// the peak of live strings: at each of the first thousand allocations, then less often.
  @inline(never)
  private func reserveSerials(in store: borrowing StoreWriter) {
    let live = store.live
    if unsafe live > store.counter(.peakLive).pointee.load(ordering: .relaxed) {
      unsafe store.counter(.peakLive).pointee.max(live, ordering: .relaxed)
    }
    let known = unsafe store.counter(.allocations).pointee.load(ordering: .relaxed)
    let count: UInt64 = known < 1024 ? 1 : 64
    let end = unsafe store.counter(.allocations).pointee.add(count, ordering: .relaxed).newValue + 1
    let thread = unsafe ct_thread()
    if end - count == 1 { noteStatusAtExit() }
    unsafe thread.pointee.next_serial = end - count
    unsafe thread.pointee.end_serial = end
  }

  /// Returns whether the allocation that is being attempted is to fail, and records it if so.
  ///
  /// Takes the depot lock if so.
  @inline(__always)
  func failsAllocation(caller: CallSite) -> Bool {
    failures.isNone ? false : countsAsFailure(caller: caller)
  }

  private func countsAsFailure(caller: CallSite) -> Bool {
    guard let attempt = failures.next() else { return false }
    count(.injectedFailures)
    var event = EventRecord(.failedAllocation)
    event.changed = UInt32(truncatingIfNeeded: attempt)
    recordFault(event, 0, caller)
    return true
  }

  /// Records that the BSTR functions shortened a live string in place, and moves its guard.
  ///
  /// Takes a shard lock.
  func recordShortening(block: UInt, to byteCount: Int) {
    withStore { store in registry.shorten(block, to: byteCount, in: store) }
  }

  /// Adds 1 to a counter.
  func count(_ counter: StoreCounter) {
    withStore { store in
      _ = unsafe store.counter(counter).pointee.add(1, ordering: .relaxed)
    }
  }

  /// Returns the id of the stack that a call was made from; `.none` when the store is full.
  ///
  /// Takes the depot lock, except on an unwind-cache hit. The caller holds no lock.
  @inline(__always)
  func recordStack(from caller: CallSite, in store: borrowing StoreWriter) -> StackID {
    let unloads = ct_unload_count()
    let known = UnwindCache.stack(at: caller, unloads: unloads)
    if known == .none { return unwind(from: caller, unloads, in: store) }
    if verifiesStacks { verify(known, isHit: true, caller, in: store) }
    return known
  }

  /// Unwinds the stack, and puts it into depot and unwind cache.
  ///
  /// Takes the depot lock.
  @inline(never)
  private func unwind(
    from caller: CallSite, _ unloads: UInt32, in store: borrowing StoreWriter
  ) -> StackID {
    let byRules = unsafe UnwindCache.rules(unloads: unloads).flatMap {
      unsafe StackCapture.captureByRules(from: caller, depth: depth, $0)
    }
    let stack = unsafe byRules ?? StackCapture.capture(from: caller, depth: depth)
    depotLock.acquire()
    let id = unsafe depot.pointee.intern(stack, in: store)
    depotLock.release()
    if id == .none {
      unsafe store.counter(.unrecordedStacks).pointee.add(1, ordering: .relaxed)
      return id
    }
    // Other stacks have a frame that the cache does not support, or words that cannot be read.
    if unsafe byRules != nil {
      unsafe UnwindCache.insert(id, stack, at: caller, unloads: unloads)
      if verifiesStacks { verify(id, isHit: false, caller, in: store) }
    }
    return id
  }

  /// Compares a stack that was found without libunwind with the one that libunwind finds, and
  /// counts hits of the unwind cache, and all mismatches.
  ///
  /// Takes the depot lock.
  @inline(never)
  private func verify(
    _ known: StackID, isHit: Bool, _ caller: CallSite, in store: borrowing StoreWriter
  ) {
    let stack = unsafe StackCapture.capture(from: caller, depth: depth)
    depotLock.acquire()
    let id = unsafe depot.pointee.intern(stack, in: store)
    depotLock.release()
    if isHit { unsafe store.counter(.verifiedStacks).pointee.add(1, ordering: .relaxed) }
    if id != known { unsafe store.counter(.wrongStacks).pointee.add(1, ordering: .relaxed) }
  }

  /// Returns the milliseconds since a time in nanoseconds.
  func milliseconds(since start: UInt64) -> UInt32 {
    UInt32(truncatingIfNeeded: (ct_now() &- start) / 1_000_000)
  }

  /// Returns the event context of a call: its stack, the calling thread and the time.
  ///
  /// Takes the depot lock, except on an unwind-cache hit.
  @inline(__always)
  func context(of caller: CallSite, in store: borrowing StoreWriter) -> EventContext {
    unsafe EventContext(
      stack: recordStack(from: caller, in: store), thread: ct_thread().pointee.tid,
      milliseconds: milliseconds(since: store.header.pointee.startTime))
  }
}
