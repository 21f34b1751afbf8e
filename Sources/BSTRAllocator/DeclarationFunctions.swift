// What bstrtrace.h calls: declarations, implemented.

public import CBSTR
import CTracker
import TraceStore

/// See `bstrtrace.h`.
@c @implementation
public func bstrtrace_declare(_ bstr: BSTR?, _ what: UInt32, _ note: UnsafePointer<CChar>?) {
  let caller = CallSite(ct_return_address(), ct_frame_address())
  guard let place = unsafe ct_enter() else { return }
  defer { unsafe ct_leave(place) }
  guard let bstr = unsafe bstr else { return }
  let tracker = unsafe Tracker.current
  let address = UInt(bitPattern: bstr)
  if let action = DeclaredAction(rawValue: what), action != .freed {
    return unsafe tracker.pointee.declare(action, address, note: note, caller: caller)
  }
  let fault: EventDetail? =
    switch Int(what) {
    case BSTRTRACE_OVERWRITTEN: .overwritten
    case BSTRTRACE_LEFT_BY_FAILURE: .leftByFailure
    case BSTRTRACE_REPLACED: .replaced
    case BSTRTRACE_NOT_REPLACED: .notReplaced
    case BSTRTRACE_LOST: .lost
    default: nil
    }
  if let fault {
    unsafe tracker.pointee.declareFault(fault, address, caller: caller)
  } else if Int(what) == BSTRTRACE_IMMORTAL {
    unsafe tracker.pointee.declareImmortal(address)
  } else if Int(what) == BSTRTRACE_IGNORED {
    unsafe tracker.pointee.ignore(address)
  }
}

/// See `bstrtrace.h`.
@c @implementation
public func bstrtrace_is_live(_ bstr: BSTR?) -> Int32 {
  guard let place = unsafe ct_enter() else { return 0 }
  defer { unsafe ct_leave(place) }
  guard let bstr = unsafe bstr else { return 0 }
  return unsafe Tracker.current.pointee.isLive(UInt(bitPattern: bstr)) ? 1 : 0
}
