// Strings that were declared never to be released: static ones, and those a program keeps for ever.

import Synchronization

/// The addresses of immortal BSTRs, under one lock; an empty table costs one load.
@safe
struct ImmortalTable: ~Copyable {
  private let bstrs: UnsafeMutablePointer<AddressMap>
  private let lock = Lock()
  private let count = Atomic<Int>(0)

  init() {
    unsafe bstrs = .allocate(capacity: 1)
    unsafe bstrs.initialize(to: AddressMap())
  }

  /// Adds a BSTR; one that there is no memory for is forgotten.
  func add(_ bstr: UInt) {
    lock.acquire()
    defer { lock.release() }
    if unsafe bstrs.pointee.set(bstr, to: 1) { count.add(1, ordering: .relaxed) }
  }

  func contains(_ bstr: UInt) -> Bool {
    if count.load(ordering: .relaxed) == 0 { return false }
    lock.acquire()
    defer { lock.release() }
    return unsafe bstrs.pointee.value(of: bstr) != nil
  }

  func renewInForkedChild() { lock.renewInForkedChild() }
}
