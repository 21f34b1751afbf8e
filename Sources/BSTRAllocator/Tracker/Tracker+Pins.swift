// The recording of pins, and of strings that are never to be freed.

import Glibc
import Synchronization
import TraceStore

extension Tracker {
  /// Pins a string, and remembers the event context; returns false when there is no memory for it.
  func pin(_ bstr: UInt, caller: CallSite) -> Bool {
    let isPinned = pins.pin(bstr, pinEvent(bstr, isDeferredFree: false, caller))
    updateFastPath()
    return isPinned
  }

  /// Defers the free of a pinned string to its last SysReleaseString.
  ///
  /// - Returns: false when it is not pinned.
  func deferFree(of bstr: UInt, caller: CallSite) -> Bool {
    if pins.isEmpty { return false }
    switch pins.deferFree(of: bstr, pinEvent(bstr, isDeferredFree: true, caller)) {
    case .notPinned: return false
    case .deferred: return true
    case .again(let first):
      var event = EventRecord(.doubleFree)
      event.freed = first.context.stack
      event.freedThread = first.context.thread
      event.freedTime = first.context.milliseconds
      let live = withStore { registry.liveRecord(ofString: bstr, in: $0) } ?? nil
      recordFault(event, bstr, live: live, caller)
      return true
    }
  }

  private func pinEvent(_ bstr: UInt, isDeferredFree: Bool, _ caller: CallSite) -> PinEvent {
    let context = withStore { self.context(of: caller, in: $0) }
    return PinEvent(bstr: bstr, isDeferredFree: isDeferredFree, context: context ?? EventContext())
  }

  /// Writes an event for each pin, and each deferred free, that is left.
  ///
  /// Takes the pin lock and the depot lock, one at a time.
  func writePins(in store: borrowing StoreWriter) {
    pins.forEach { pin in
      var event = EventRecord(pin.isDeferredFree ? .deferredFree : .pin)
      event.pointer = UInt64(pin.bstr)
      event.setDetected(pin.context)
      write(event, in: store)
    }
  }

  /// Declares that a string is never freed: a live one is no leak, and freeing it is a fault.
  func declareImmortal(_ bstr: UInt) {
    immortals.add(bstr)
    withStore { store in
      if registry.forget(block(ofString: bstr, in: store), in: store) {
        unsafe store.counter(.immortals).pointee.add(1, ordering: .relaxed)
      }
    }
  }
}
