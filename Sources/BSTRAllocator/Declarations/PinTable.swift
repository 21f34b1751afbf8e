// The strings that SysAddRefString protects from SysFreeString. Independent of tracing: pinning
// works when nothing is recorded.

import Synchronization
import TraceStore

/// A table of pin counts by BSTR address, and of the events of pins, under one lock; an empty one
/// costs a load.
@safe
struct PinTable: ~Copyable {
  @safe private struct State: ~Copyable {
    /// The count of pins of each BSTR, with `deferred`.
    var pins = AddressMap()
    /// The events in their order; as many as fit are remembered.
    var events: UnsafeMutablePointer<PinEvent>?
    /// The count of slots of `events` that are in use, with free ones between them.
    var used = 0

    init() { unsafe events = nil }
  }

  private let state: UnsafeMutablePointer<State>
  private let lock = Lock()
  private let count = Atomic<Int>(0)

  /// A bit of a pin count: a SysFreeString is deferred to the last unpinning.
  private static let deferred: UInt32 = 1 << 31
  private static let capacity = 4096

  /// The outcome of a SysFreeString for a string's pins.
  enum Deferral {
    /// It is not pinned.
    case notPinned
    /// It is pinned, and is freed at the last unpinning.
    case deferred
    /// It is pinned, and a free was deferred already: that one's event.
    case again(PinEvent)
  }

  init() {
    unsafe state = .allocate(capacity: 1)
    unsafe state.initialize(to: State())
  }

  /// Whether nothing is pinned.
  @inline(__always)
  var isEmpty: Bool { count.load(ordering: .relaxed) == 0 }

  /// Adds a pin; returns false when there is no memory for it.
  ///
  /// Takes the lock.
  func pin(_ bstr: UInt, _ event: PinEvent) -> Bool {
    lock.acquire()
    defer { lock.release() }
    let old = unsafe state.pointee.pins.value(of: bstr)
    guard unsafe state.pointee.pins.set(bstr, to: (old ?? 0) + 1) else { return false }
    if old == nil { count.add(1, ordering: .relaxed) }
    remember(event)
    return true
  }

  /// Removes the latest pin.
  ///
  /// Takes the lock, unless nothing is pinned.
  ///
  /// - Returns: whether the string is to be freed now.
  func unpin(_ bstr: UInt) -> Bool {
    if isEmpty { return false }
    lock.acquire()
    defer { lock.release() }
    guard let old = unsafe state.pointee.pins.value(of: bstr) else { return false }
    if old & ~Self.deferred > 1 {
      _ = unsafe state.pointee.pins.set(bstr, to: old - 1)
      if let latest = lastIndex(of: bstr, isDeferredFree: false) { removeEvent(latest) }
      return false
    }
    _ = unsafe state.pointee.pins.remove(bstr)
    count.subtract(1, ordering: .relaxed)
    // No array: its type is made at the first use, under a lock of the run-time.
    if let index = lastIndex(of: bstr, isDeferredFree: false) { removeEvent(index) }
    if let index = lastIndex(of: bstr, isDeferredFree: true) { removeEvent(index) }
    return old & Self.deferred != 0
  }

  /// Removes the pins of a string that was freed: its address is another string's now.
  ///
  /// Takes the lock, unless nothing is pinned.
  func forget(_ bstr: UInt) {
    if isEmpty { return }
    lock.acquire()
    defer { lock.release() }
    guard unsafe state.pointee.pins.remove(bstr) != nil else { return }
    count.subtract(1, ordering: .relaxed)
    while let index = lastIndex(of: bstr, isDeferredFree: false) { removeEvent(index) }
    while let index = lastIndex(of: bstr, isDeferredFree: true) { removeEvent(index) }
  }

  /// Defers the free of a pinned string to the last unpinning.
  ///
  /// Takes the lock, unless nothing is pinned.
  func deferFree(of bstr: UInt, _ event: PinEvent) -> Deferral {
    if isEmpty { return .notPinned }
    lock.acquire()
    defer { lock.release() }
    guard let old = unsafe state.pointee.pins.value(of: bstr) else { return .notPinned }
    if old & Self.deferred != 0 {
      guard let index = lastIndex(of: bstr, isDeferredFree: true),
        let events = unsafe state.pointee.events
      else { return .again(PinEvent()) }
      return unsafe .again(events[index])
    }
    _ = unsafe state.pointee.pins.set(bstr, to: old | Self.deferred)
    remember(event)
    return .deferred
  }

  /// Calls `body` with the event of each pin and deferred free, the oldest first.
  ///
  /// Takes the lock for each, and calls `body` without it: `body` may take the depot lock.
  func forEach(_ body: (PinEvent) -> Void) {
    if isEmpty { return }
    var index = 0
    while let event = event(at: index) {
      if event.bstr != 0 { body(event) }
      index += 1
    }
  }

  private func event(at index: Int) -> PinEvent? {
    lock.acquire()
    defer { lock.release() }
    guard let events = unsafe state.pointee.events, unsafe index < state.pointee.used else {
      return nil
    }
    return unsafe events[index]
  }

  // MARK: events. Caller holds the lock.

  private func remember(_ event: PinEvent) {
    if unsafe state.pointee.events == nil {
      unsafe state.pointee.events = PrivateMemory.map(
        Self.capacity * MemoryLayout<PinEvent>.stride)?.assumingMemoryBound(to: PinEvent.self)
    }
    guard let events = unsafe state.pointee.events else { return }
    // Balanced pins free the slots at the end again; only long-lived pins leave free ones between.
    while unsafe state.pointee.used > 0 && events[state.pointee.used - 1].bstr == 0 {
      unsafe state.pointee.used -= 1
    }
    guard unsafe state.pointee.used < Self.capacity else { return }
    unsafe events[state.pointee.used] = event
    unsafe state.pointee.used += 1
  }

  private func lastIndex(of bstr: UInt, isDeferredFree: Bool) -> Int? {
    guard let events = unsafe state.pointee.events else { return nil }
    var index = unsafe state.pointee.used - 1
    while index >= 0 {
      if unsafe events[index].bstr == bstr && events[index].isDeferredFree == isDeferredFree {
        return index
      }
      index -= 1
    }
    return nil
  }

  private func removeEvent(_ index: Int) {
    unsafe state.pointee.events?[index] = PinEvent()
  }

  // MARK: fork

  /// Renews the lock, and keeps the pins but not their stacks.
  func renewInForkedChild() {
    lock.renewInForkedChild()
    guard let events = unsafe state.pointee.events else { return }
    // The ids of stacks mean nothing in a new store.
    let used = unsafe state.pointee.used
    for index in 0..<used { unsafe events[index].context.stack = .none }
  }
}
