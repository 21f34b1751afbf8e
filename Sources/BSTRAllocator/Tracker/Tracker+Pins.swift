// What is recorded of pins and of strings that are never to be released.

import CTracker
import Glibc
import Synchronization
import TraceStore

extension Tracker {
  /// Pins a string, and remembers who did; false when there is no memory to.
  func pin(_ bstr: UInt, caller: CallSite) -> Bool {
    let isPinned = pins.pin(bstr, pinEvent(bstr, isRelease: false, caller))
    updateFastPath()
    return isPinned
  }

  /// Leaves the release of a pinned string to its last unpinning.
  ///
  /// - Returns: false when it is not pinned.
  func deferRelease(of bstr: UInt, caller: CallSite) -> Bool {
    if pins.isEmpty { return false }
    switch pins.deferRelease(of: bstr, pinEvent(bstr, isRelease: true, caller)) {
    case .notPinned: return false
    case .deferred: return true
    case .again(let first):
      var event = EventRecord(.doubleFree)
      event.freed = first.context.stack
      event.freedThread = first.context.thread
      event.freedTime = first.context.milliseconds
      let live =
        withStore { store in
          registry.liveRecord(of: block(ofString: bstr, in: store), in: store)
        } ?? nil
      recordFault(event, bstr, live: live, caller)
      return true
    }
  }

  private func pinEvent(_ bstr: UInt, isRelease: Bool, _ caller: CallSite) -> PinEvent {
    let context = withStore { self.context(of: caller, in: $0) }
    return PinEvent(bstr: bstr, isRelease: isRelease, context: context ?? EventContext())
  }

  /// Writes what is still pinned.
  ///
  /// Takes the pin lock and the depot lock, one at a time.
  func writePins(in store: borrowing StoreWriter) {
    pins.forEach { pin in
      var event = EventRecord(pin.isRelease ? .deferredFree : .pin)
      event.pointer = UInt64(pin.bstr)
      event.setDetected(pin.context)
      write(event, in: store)
    }
  }

  /// Declares that a string is never released: one that is live is no leak, and to release it is a
  /// fault.
  func declareImmortal(_ bstr: UInt) {
    immortals.add(bstr)
    withStore { store in
      if registry.forget(block(ofString: bstr, in: store), in: store) {
        unsafe store.counter(.immortals).pointee.add(1, ordering: .relaxed)
      }
    }
  }
}
