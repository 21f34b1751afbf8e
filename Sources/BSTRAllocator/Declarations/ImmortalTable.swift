// The strings that were declared never to be freed: static ones, and those that a program keeps for
// ever.

import Synchronization

/// A set of the addresses of immortal BSTRs, under one lock; an empty one costs a load.
@safe
struct ImmortalTable: ~Copyable {
  private let bstrs: UnsafeMutablePointer<AddressMap>
  private let lock = Lock()
  private let count = Atomic<Int>(0)

  init() {
    unsafe bstrs = .allocate(capacity: 1)
    unsafe bstrs.initialize(to: AddressMap())
  }

  /// Adds a BSTR; a no-op when there is no memory for it.
  ///
  /// Takes the lock.
  func add(_ bstr: UInt) {
    lock.acquire()
    defer { lock.release() }
    if unsafe bstrs.pointee.set(bstr, to: 1) { count.add(1, ordering: .relaxed) }
  }

  /// Returns whether a BSTR was declared immortal.
  ///
  /// Takes the lock, unless the table is empty.
  func contains(_ bstr: UInt) -> Bool {
    if count.load(ordering: .relaxed) == 0 { return false }
    lock.acquire()
    defer { lock.release() }
    return unsafe bstrs.pointee.value(of: bstr) != nil
  }

  /// Renews the lock; the addresses stay.
  func renewInForkedChild() { lock.renewInForkedChild() }
}
