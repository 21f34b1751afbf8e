// Strings that SysAddRefString protects from SysFreeString. Independent of tracing: pinning works
// when nothing is recorded.

import Glibc
import Synchronization
import TraceStore

/// Pin counts by BSTR address with the moments behind them, under one lock; an empty table costs
/// one load.
@safe
struct PinTable: ~Copyable {
  @safe private struct State: ~Copyable {
    var pins = AddressMap()
    /// In the order in which they came; as many as fit are remembered.
    var moments: UnsafeMutablePointer<PinEvent>?
    /// Places that were ever used.
    var used = 0

    init() { unsafe moments = nil }
  }

  private let state: UnsafeMutablePointer<State>
  private let lock = Lock()
  private let count = Atomic<Int>(0)

  /// Set in a count when a SysFreeString waits for the last unpinning.
  private static let deferred: UInt32 = 1 << 31
  private static let capacity = 4096

  /// What a SysFreeString of a string means for its pins.
  enum Deferral {
    /// It is not pinned.
    case notPinned
    /// It is pinned, and will be released at the last unpinning.
    case deferred
    /// It is pinned, and a release was waiting already.
    case again(PinEvent)
  }

  init() {
    unsafe state = .allocate(capacity: 1)
    unsafe state.initialize(to: State())
  }

  /// Whether nothing is pinned.
  @inline(__always)
  var isEmpty: Bool { count.load(ordering: .relaxed) == 0 }

  /// Adds a pin; false when there is no memory to remember it.
  func pin(_ bstr: UInt, _ moment: PinEvent) -> Bool {
    lock.acquire()
    defer { lock.release() }
    let old = unsafe state.pointee.pins.value(of: bstr)
    guard unsafe state.pointee.pins.set(bstr, to: (old ?? 0) + 1) else { return false }
    if old == nil { count.add(1, ordering: .relaxed) }
    remember(moment)
    return true
  }

  /// Takes one pin away: the latest.
  ///
  /// - Returns: whether the string is to be released now.
  func unpin(_ bstr: UInt) -> Bool {
    if isEmpty { return false }
    lock.acquire()
    defer { lock.release() }
    guard let old = unsafe state.pointee.pins.value(of: bstr) else { return false }
    if old & ~Self.deferred > 1 {
      _ = unsafe state.pointee.pins.set(bstr, to: old - 1)
      if let latest = lastIndex(of: bstr, isRelease: false) { forgetMoment(latest) }
      return false
    }
    _ = unsafe state.pointee.pins.remove(bstr)
    count.subtract(1, ordering: .relaxed)
    // No array to go through: its type is made at the first use, under a lock of the run-time.
    if let index = lastIndex(of: bstr, isRelease: false) { forgetMoment(index) }
    if let index = lastIndex(of: bstr, isRelease: true) { forgetMoment(index) }
    return old & Self.deferred != 0
  }

  /// Forgets the pins of a string that is gone: its address is another's now.
  func forget(_ bstr: UInt) {
    if isEmpty { return }
    lock.acquire()
    defer { lock.release() }
    guard unsafe state.pointee.pins.remove(bstr) != nil else { return }
    count.subtract(1, ordering: .relaxed)
    while let index = lastIndex(of: bstr, isRelease: false) { forgetMoment(index) }
    while let index = lastIndex(of: bstr, isRelease: true) { forgetMoment(index) }
  }

  /// Leaves the release of a pinned string to the last unpinning.
  func deferRelease(of bstr: UInt, _ moment: PinEvent) -> Deferral {
    if isEmpty { return .notPinned }
    lock.acquire()
    defer { lock.release() }
    guard let old = unsafe state.pointee.pins.value(of: bstr) else { return .notPinned }
    if old & Self.deferred != 0 {
      guard let index = lastIndex(of: bstr, isRelease: true),
        let moments = unsafe state.pointee.moments
      else { return .again(PinEvent()) }
      return unsafe .again(moments[index])
    }
    _ = unsafe state.pointee.pins.set(bstr, to: old | Self.deferred)
    remember(moment)
    return .deferred
  }

  /// Calls `body` with everything that is still pinned, the oldest pin first.
  ///
  /// `body` may take the depot lock.
  func forEach(_ body: (PinEvent) -> Void) {
    if isEmpty { return }
    var index = 0
    while let moment = moment(at: index) {
      if moment.bstr != 0 { body(moment) }
      index += 1
    }
  }

  private func moment(at index: Int) -> PinEvent? {
    lock.acquire()
    defer { lock.release() }
    guard let moments = unsafe state.pointee.moments, unsafe index < state.pointee.used else {
      return nil
    }
    return unsafe moments[index]
  }

  // MARK: moments. Caller holds the lock.

  private func remember(_ moment: PinEvent) {
    if unsafe state.pointee.moments == nil {
      unsafe state.pointee.moments = PrivateMemory.map(
        Self.capacity * MemoryLayout<PinEvent>.stride)?.assumingMemoryBound(to: PinEvent.self)
    }
    guard let moments = unsafe state.pointee.moments else { return }
    // Balanced pins leave the end free again; only what stays pinned for long leaves holes.
    while unsafe state.pointee.used > 0 && moments[state.pointee.used - 1].bstr == 0 {
      unsafe state.pointee.used -= 1
    }
    guard unsafe state.pointee.used < Self.capacity else { return }
    unsafe moments[state.pointee.used] = moment
    unsafe state.pointee.used += 1
  }

  private func lastIndex(of bstr: UInt, isRelease: Bool) -> Int? {
    guard let moments = unsafe state.pointee.moments else { return nil }
    var index = unsafe state.pointee.used - 1
    while index >= 0 {
      if unsafe moments[index].bstr == bstr && moments[index].isRelease == isRelease {
        return index
      }
      index -= 1
    }
    return nil
  }

  private func forgetMoment(_ index: Int) {
    unsafe state.pointee.moments?[index] = PinEvent()
  }

  // MARK: fork

  func renewInForkedChild() {
    lock.renewInForkedChild()
    guard let moments = unsafe state.pointee.moments else { return }
    // The numbers of stacks mean nothing in a new store.
    let used = unsafe state.pointee.used
    for index in 0..<used { unsafe moments[index].context.stack = .none }
  }
}
