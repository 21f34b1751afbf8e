// The calls that another copy of this library passes on: CTracker.h's `bstrtrace_serve`,
// implemented.

import CBSTR
import CInterpose
public import CTracker
import Glibc
import TraceStore

/// See `CTracker.h`.
@c @implementation
public func bstrtrace_serve(_ request: UnsafeMutablePointer<ct_request>) {
  let caller = unsafe CallSite(request.pointee.caller, request.pointee.frame)
  let (first, second, third) = unsafe request.pointee.arguments
  switch unsafe ct_operation(request.pointee.operation) {
  case CT_DECLARE:
    unsafe Declarations.declare(
      first, UInt32(truncatingIfNeeded: second), UnsafePointer(bitPattern: third), caller: caller)
  case CT_IS_LIVE:
    unsafe request.pointee.results.0 = Declarations.isLive(first, caller: caller) ? 1 : 0
  case CT_BEGIN_SCOPE:
    unsafe request.pointee.results.0 = UInt(
      ThreadScopes.begin(UnsafePointer(bitPattern: first), caller: caller))
  case CT_CHANGE_SCOPE:
    ThreadScopes.change(UInt32(truncatingIfNeeded: first), UInt32(truncatingIfNeeded: second))
  case CT_END_SCOPE:
    let counts = ThreadScopes.end(UInt32(truncatingIfNeeded: first))
    unsafe request.pointee.results = (UInt(counts.bstrs), UInt(counts.bytes), UInt(counts.faults))
  case CT_HEAP_FREE:
    guard let pointer = unsafe UnsafeMutableRawPointer(bitPattern: first),
      unsafe ct_may_be_registered(pointer)
    else { return }
    unsafe request.pointee.results.0 =
      bstrtrace_release(pointer, second != 0, caller.returnAddress, caller.frame) ? 1 : 0
  case CT_HEAP_BLOCK:
    guard let pointer = unsafe UnsafeRawPointer(bitPattern: first),
      unsafe ct_may_be_registered(pointer)
    else { return }
    unsafe request.pointee.results.0 = UInt(bitPattern: bstrtrace_block(pointer))
  case CT_EXIT_NOW:
    Tracker.noteImmediateExit(status: Int32(truncatingIfNeeded: first))
  default:
    unsafe request.pointee.results.0 = BSTRFunctions.serve(
      ct_operation(request.pointee.operation), first, second, third, caller)
  }
}

/// See `CTracker.h`.
@c @implementation
public func bstrtrace_call_in_layout(
  _ operation: UInt32, _ olecharBytes: UInt32, _ payloadOffset: UInt32,
  _ arguments: UnsafePointer<UInt>, _ caller: UInt, _ frame: UInt
) -> UInt {
  let layout = StoredLayout(
    olecharBytes: Int(olecharBytes), payloadOffset: Int(payloadOffset), isCertain: true)
  return unsafe BSTRFunctions.serve(
    ct_operation(operation), arguments[0], arguments[1], arguments[2], CallSite(caller, frame),
    in: layout)
}

extension BSTRFunctions {
  /// Serves a call of a function of `bstr.h` that another copy of this library passed on, or of a
  /// function that was replaced.
  ///
  /// - Parameter layout: the layout of new strings; `nil` for the caller's.
  /// - Returns: the function's result, in a word.
  fileprivate static func serve(
    _ operation: ct_operation, _ first: UInt, _ second: UInt, _ third: UInt, _ caller: CallSite,
    in layout: StoredLayout? = nil
  ) -> UInt {
    let thread = unsafe ct_enter()
    defer { unsafe ct_leave(thread) }
    let string = unsafe UnsafeMutableRawPointer(bitPattern: first)
    let variable = unsafe UnsafeMutablePointer<UnsafeMutableRawPointer?>(bitPattern: first)
    let source = unsafe UnsafeRawPointer(bitPattern: second)
    // Functions that only read or free need no layout for allocations.
    switch operation {
    case CT_FREE, CT_PIN, CT_UNPIN, CT_COUNT_CHARACTERS:
      guard let string = unsafe string else { return 0 }
      if operation == CT_COUNT_CHARACTERS {
        return unsafe UInt(characterCount(ofString: string, for: caller, thread))
      }
      let functions =
        unsafe layout.map { unsafe replaced($0, thread) }
        ?? current(for: caller, freeing: string, thread)
      switch operation {
      case CT_PIN:
        return unsafe functions.pin(string, caller: caller)
          ? 0 : UInt(bitPattern: Int(ResultCode.outOfMemory))
      case CT_UNPIN: unsafe functions.unpin(string, caller: caller)
      default: unsafe functions.free(string, caller: caller)
      }
      return 0
    default: break
    }
    let functions =
      unsafe layout.map { unsafe replaced($0, thread) } ?? current(for: caller, thread)
    switch operation {
    case CT_ALLOCATE_TEXT:
      return UInt(
        bitPattern: unsafe functions.allocate(
          zeroTerminated: UnsafeRawPointer(string), caller: caller))
    case CT_ALLOCATE_CHARACTERS:
      return UInt(
        bitPattern: unsafe functions.allocate(
          characters: Int(second), from: UnsafeRawPointer(string), caller: caller))
    case CT_ALLOCATE_BYTES:
      return UInt(
        bitPattern: unsafe functions.allocate(
          bytes: Int(second), from: UnsafeRawPointer(string), caller: caller))
    case CT_REALLOCATE_TEXT:
      guard let variable = unsafe variable else { return 0 }
      return unsafe functions.reallocate(variable, zeroTerminated: source, caller: caller) ? 1 : 0
    case CT_REALLOCATE_CHARACTERS:
      guard let variable = unsafe variable else { return 0 }
      return unsafe functions.reallocate(
        variable, characters: Int(third), from: source, caller: caller) ? 1 : 0
    case CT_CONCATENATE:
      let result = unsafe UnsafeMutablePointer<UnsafeMutableRawPointer?>(bitPattern: third)
      guard let result = unsafe result else {
        return UInt(bitPattern: Int(ResultCode.invalidArgument))
      }
      let sum = unsafe functions.concatenate(UnsafeRawPointer(string), source, caller: caller)
      unsafe result.pointee = unsafe sum
      return unsafe sum == nil ? UInt(bitPattern: Int(ResultCode.outOfMemory)) : 0
    case CT_SET_LAYOUT:
      let stringLayout = StringLayout.known(
        olecharBytes: UInt32(truncatingIfNeeded: first),
        payloadOffset: UInt32(truncatingIfNeeded: second))
      if let stringLayout { unsafe Tracker.current.pointee.declareLayout(stringLayout, of: caller) }
    case CT_OLECHAR_BYTES: return UInt(functions.stringLayout.olecharBytes)
    default: break
    }
    return 0
  }
}
