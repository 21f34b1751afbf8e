// The declarations of bstrtrace.h, implemented.

public import CBSTR
import CTracker
import TraceStore

/// See `bstrtrace.h`.
@c @implementation
public func bstrtrace_declare(_ bstr: BSTR?, _ what: UInt32, _ note: UnsafePointer<CChar>?) {
  let caller = CallSite(ct_return_address(), ct_frame_address())
  unsafe Declarations.declare(UInt(bitPattern: bstr), what, note, caller: caller)
}

/// See `bstrtrace.h`.
@c @implementation
public func bstrtrace_is_live(_ bstr: BSTR?) -> Int32 {
  Declarations.isLive(UInt(bitPattern: bstr), caller: CallSite(ct_return_address(), 0))
    ? 1 : 0
}

/// The implementation of declarations, also for calls that another copy of this library passes on.
enum Declarations {
  /// Implements `bstrtrace_declare`.
  static func declare(
    _ address: UInt, _ what: UInt32, _ note: UnsafePointer<CChar>?, caller: CallSite
  ) {
    guard let thread = unsafe ct_enter() else {
      if ct_has_other_recorder() {
        _ = BSTRFunctions.ask(
          CT_DECLARE, address, UInt(what), UInt(bitPattern: note), caller: caller)
      }
      return
    }
    defer { unsafe ct_leave(thread) }
    guard address != 0 else { return }
    let tracker = unsafe Tracker.current
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

  /// Implements `bstrtrace_is_live`.
  static func isLive(_ address: UInt, caller: CallSite) -> Bool {
    guard let thread = unsafe ct_enter() else {
      return ct_has_other_recorder()
        && BSTRFunctions.ask(CT_IS_LIVE, address, caller: caller).results.0 != 0
    }
    defer { unsafe ct_leave(thread) }
    return unsafe address != 0 && Tracker.current.pointee.isLive(address)
  }
}
