// What is recorded of allocations, and the parts that all recording shares.

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
  ///   - layout: how it lies in its block.
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
        // Asking for the time is a tenth of what an allocation takes.
        milliseconds: recordsFrees
          ? milliseconds(since: store.header.pointee.startTime) : BlockRecord.noTime)
      if serial == 1 { noteStatusAtExit() }
      if !registry.insert(block, record, in: store) {
        unsafe store.counter(.unrecordedBlocks).pointee.add(1, ordering: .relaxed)
      }
      return serial
    }
    if let serial, serial == breakOn { raise(SIGTRAP) }
  }

  /// The number of an allocation: of a thread they count up, and two threads never have the same.
  @inline(__always)
  private func nextSerial(in store: borrowing StoreWriter) -> UInt64 {
    let thread = unsafe ct_thread()
    if unsafe thread.pointee.next_serial == thread.pointee.end_serial { setSerialsAside(in: store) }
    let serial = unsafe thread.pointee.next_serial
    unsafe thread.pointee.next_serial = serial &+ 1
    return serial
  }

  /// Sets numbers aside for the calling thread, so that threads do not fight for each, and looks
  /// how many strings are live: of the first thousand after each allocation, then less often.
  @inline(never)
  private func setSerialsAside(in store: borrowing StoreWriter) {
    let live = store.live
    if unsafe live > store.counter(.peakLive).pointee.load(ordering: .relaxed) {
      unsafe store.counter(.peakLive).pointee.max(live, ordering: .relaxed)
    }
    let known = unsafe store.counter(.allocations).pointee.load(ordering: .relaxed)
    let count: UInt64 = known < 1024 ? 1 : 64
    let end = unsafe store.counter(.allocations).pointee.add(count, ordering: .relaxed).newValue + 1
    let thread = unsafe ct_thread()
    unsafe thread.pointee.next_serial = end - count
    unsafe thread.pointee.end_serial = end
  }

  /// Whether the allocation that is being tried is one that is to fail.
  ///
  /// Takes the depot lock when it is.
  @inline(__always)
  func failsAllocation(caller: CallSite) -> Bool {
    failures.isNone ? false : countsAsFailure(caller: caller)
  }

  private func countsAsFailure(caller: CallSite) -> Bool {
    guard let number = failures.next() else { return false }
    count(.injectedFailures)
    var event = EventRecord(.failedAllocation)
    event.changed = UInt32(truncatingIfNeeded: number)
    recordFault(event, 0, caller)
    return true
  }

  /// Notes that our functions shortened a live string in place, and moves its guard.
  ///
  /// Takes a shard lock.
  func recordShortening(block: UInt, to byteCount: Int) {
    withStore { store in registry.shorten(block, to: byteCount, in: store) }
  }

  /// Raises a counter.
  func count(_ counter: StoreCounter) {
    withStore { store in
      _ = unsafe store.counter(counter).pointee.add(1, ordering: .relaxed)
    }
  }

  /// The number of the stack that a call was made from.
  ///
  /// Takes the depot lock, unless the stack is recognised.
  @inline(__always)
  func recordStack(from caller: CallSite, in store: borrowing StoreWriter) -> StackID {
    let unloads = ct_unload_count()
    let known = UnwindCache.stack(at: caller, unloads: unloads)
    if known == .none { return walk(from: caller, unloads, in: store) }
    if verifiesStacks { verify(known, caller, in: store) }
    return known
  }

  @inline(never)
  private func walk(
    from caller: CallSite, _ unloads: UInt32, in store: borrowing StoreWriter
  ) -> StackID {
    let stack = unsafe StackCapture.capture(from: caller, depth: depth)
    depotLock.acquire()
    let id = unsafe depot.pointee.intern(stack, in: store)
    depotLock.release()
    if id == .none {
      unsafe store.counter(.unrecordedStacks).pointee.add(1, ordering: .relaxed)
    } else {
      unsafe UnwindCache.insert(id, stack, at: caller, unloads: unloads)
    }
    return id
  }

  /// Holds a stack that was recognised to what a full walk finds.
  @inline(never)
  private func verify(_ known: StackID, _ caller: CallSite, in store: borrowing StoreWriter) {
    let stack = unsafe StackCapture.capture(from: caller, depth: depth)
    depotLock.acquire()
    let id = unsafe depot.pointee.intern(stack, in: store)
    depotLock.release()
    unsafe store.counter(.verifiedStacks).pointee.add(1, ordering: .relaxed)
    if id != known { unsafe store.counter(.wrongStacks).pointee.add(1, ordering: .relaxed) }
  }

  func milliseconds(since start: UInt64) -> UInt32 {
    UInt32(truncatingIfNeeded: (ct_now() &- start) / 1_000_000)
  }

  /// Here and now.
  @inline(__always)
  func context(of caller: CallSite, in store: borrowing StoreWriter) -> EventContext {
    unsafe EventContext(
      stack: recordStack(from: caller, in: store), thread: ct_thread().pointee.tid,
      milliseconds: milliseconds(since: store.header.pointee.startTime))
  }
}
