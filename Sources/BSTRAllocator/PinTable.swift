// Strings that SysAddRefString protects from SysFreeString. Independent of tracing: pinning works
// when nothing is recorded.

import Synchronization

/// Pin counts by BSTR address, under one lock; an empty table costs one load.
@safe
struct PinTable: ~Copyable {
  private let pins: UnsafeMutablePointer<AddressMap>
  private let lock = Lock()
  private let count = Atomic<Int>(0)

  /// Set in a count when a SysFreeString waits for the last unpinning.
  private static let deferred: UInt32 = 1 << 31

  init() {
    unsafe pins = .allocate(capacity: 1)
    unsafe pins.initialize(to: AddressMap())
  }

  /// Adds a pin; false when there is no memory to remember it.
  func pin(_ bstr: UInt) -> Bool {
    lock.acquire()
    defer { lock.release() }
    let old = unsafe pins.pointee.value(of: bstr)
    guard unsafe pins.pointee.set(bstr, to: (old ?? 0) + 1) else { return false }
    if old == nil { count.add(1, ordering: .relaxed) }
    return true
  }

  /// Takes one pin away.
  ///
  /// - Returns: whether the string is to be released now.
  func unpin(_ bstr: UInt) -> Bool {
    if count.load(ordering: .relaxed) == 0 { return false }
    lock.acquire()
    defer { lock.release() }
    guard let old = unsafe pins.pointee.value(of: bstr) else { return false }
    if old & ~Self.deferred > 1 {
      _ = unsafe pins.pointee.set(bstr, to: old - 1)
      return false
    }
    _ = unsafe pins.pointee.remove(bstr)
    count.subtract(1, ordering: .relaxed)
    return old & Self.deferred != 0
  }

  /// Whether the string is pinned; if so, its release is left to the last unpinning.
  func deferRelease(of bstr: UInt) -> Bool {
    if count.load(ordering: .relaxed) == 0 { return false }
    lock.acquire()
    defer { lock.release() }
    guard let old = unsafe pins.pointee.value(of: bstr) else { return false }
    return unsafe pins.pointee.set(bstr, to: old | Self.deferred)
  }

  func lockAll() { lock.acquire() }
  func unlockAll() { lock.release() }
  func renewInForkedChild() { lock.renewInForkedChild() }
}
