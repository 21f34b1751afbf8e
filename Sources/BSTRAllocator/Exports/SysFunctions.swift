// The exported functions: bstr.h, implemented. Each takes its caller's address, takes the recursion
// guard and calls the implementation; SysFreeString in a separate function. Not through a generic
// helper: it would ask the run-time for types before the guard is held.

public import CBSTR
import CTracker
import TraceStore

extension BSTRFunctions {
  /// Returns the functions of this process, for a call that allocates.
  ///
  /// - Parameter thread: the result of `ct_enter`, here and below.
  static func current(
    for caller: CallSite, _ thread: UnsafeMutablePointer<ct_thread>?
  ) -> BSTRFunctions {
    unsafe thread == nil ? untracked(caller) : tracked(caller)
  }

  /// Returns the functions of this process, for a call that only frees or pins.
  static func current(
    for caller: CallSite, freeing bstr: UnsafeMutableRawPointer,
    _ thread: UnsafeMutablePointer<ct_thread>?
  ) -> BSTRFunctions {
    unsafe thread == nil ? untracked(caller) : tracked(caller, freeing: bstr)
  }

  /// Returns the functions for a call that holds the recursion guard, in the layout of the copy
  /// that the caller would reach without the tracker; that is detected at a module's first
  /// allocation.
  @inline(__always)
  fileprivate static func tracked(_ caller: CallSite) -> BSTRFunctions {
    let tracker = unsafe Tracker.current
    let known = StoredLayout(rawValue: ct_layout_of_caller(caller.returnAddress))
    let layout =
      unsafe known.isKnown && !known.isGuess
      ? known : tracker.pointee.layoutForAllocation(by: caller)
    return unsafe BSTRFunctions(layout: layout, tracker: tracker)
  }

  /// Returns the same for a call that frees a string, for which a guessed layout will do.
  @inline(__always)
  fileprivate static func tracked(
    _ caller: CallSite, freeing bstr: UnsafeMutableRawPointer
  ) -> BSTRFunctions {
    let tracker = unsafe Tracker.current
    let known = StoredLayout(rawValue: ct_layout_of_caller(caller.returnAddress))
    let layout =
      unsafe known.isKnown
      ? known : tracker.pointee.layoutForFree(of: UInt(bitPattern: bstr), by: caller)
    return unsafe BSTRFunctions(layout: layout, tracker: tracker)
  }

  /// Returns the functions for a call that does not get the recursion guard, such as a signal
  /// handler's: they work but record nothing, and take no lock.
  fileprivate static func untracked(_ caller: CallSite) -> BSTRFunctions {
    let known = StoredLayout(rawValue: ct_layout_of_caller(caller.returnAddress))
    let layout =
      unsafe known.isKnown
      ? known : Tracker.current.pointee.layouts.layoutWithoutLock(at: caller.returnAddress)
    return unsafe BSTRFunctions(layout: layout, tracker: nil)
  }

  /// Returns the functions in place of a module's own, in the layout of its strings.
  static func replaced(
    _ layout: StoredLayout, _ thread: UnsafeMutablePointer<ct_thread>?
  ) -> BSTRFunctions {
    guard unsafe thread != nil else { return unsafe BSTRFunctions(layout: layout, tracker: nil) }
    let tracker = unsafe Tracker.current
    return unsafe BSTRFunctions(layout: tracker.pointee.noted(layout), tracker: tracker)
  }

  /// The functions of the untracked fast path, when nothing is recorded or pinned and all callers
  /// have one layout; `nil` otherwise, and before the layout is known.
  @inline(__always)
  fileprivate static var plain: BSTRFunctions? {
    let layout = StoredLayout(rawValue: ct_get_fast_path_layout())
    guard layout.rawValue != 0 else { return nil }
    return unsafe BSTRFunctions(layout: layout, tracker: nil)
  }

  /// Implements SysFreeString off the untracked fast path: in a separate function, so that the fast
  /// path saves few registers.
  @inline(never)
  fileprivate static func free(_ bstr: UnsafeMutableRawPointer?, for caller: CallSite) {
    guard let bstr = unsafe bstr else { return }
    guard let thread = unsafe ct_enter() else {
      if passOn(CT_FREE, "SysFreeString", UInt(bitPattern: bstr), caller: caller) != nil { return }
      return unsafe untracked(caller).free(bstr, caller: caller)
    }
    unsafe tracked(caller, freeing: bstr).free(bstr, caller: caller)
    unsafe ct_leave(thread)
  }

  /// Returns the count of a string's characters, in the layout of the copy that the caller would
  /// reach without the tracker.
  @inline(__always)
  static func characterCount(
    ofString bstr: UnsafeMutableRawPointer, for caller: CallSite,
    _ thread: UnsafeMutablePointer<ct_thread>?
  ) -> Int {
    let known = StoredLayout(rawValue: ct_layout_of_caller(caller.returnAddress))
    guard unsafe thread != nil, known.isGuess || !known.isKnown else {
      return unsafe untracked(caller).characterCount(ofString: bstr)
    }
    return unsafe Tracker.current.pointee.characterCount(ofString: bstr, by: caller)
  }

  /// Passes a call on: to the copy of this library that records, or, while the program's own
  /// functions are being probed, to the one of those that the caller would reach.
  ///
  /// Integers and pointers are passed and returned alike (System V ABI, AMD64, 3.2.3; AAPCS64,
  /// 6.8.2).
  ///
  /// Not inlined, like `ask`, so that the functions need no stack space for a request, and no stack
  /// protector because of it.
  ///
  /// - Returns: what that function returned; `nil` when there is none.
  @inline(never)
  static func passOn(
    _ operation: ct_operation, _ name: StaticString, _ first: UInt, _ second: UInt = 0,
    _ third: UInt = 0, caller: CallSite
  ) -> UInt? {
    if ct_has_other_recorder() {
      return ask(operation, first, second, third, caller: caller).results.0
    }
    guard ct_is_probing(),
      let function = name.withUTF8Buffer({ name in
        unsafe name.withMemoryRebound(to: CChar.self) {
          unsafe ct_original_function(caller.returnAddress, $0.baseAddress.unsafelyUnwrapped)
        }
      })
    else { return nil }
    typealias Own = @convention(c) (UInt, UInt, UInt) -> UInt
    return unsafe unsafeBitCast(function, to: Own.self)(first, second, third)
  }

  /// Passes a call on, as above, of a function that returns a string.
  fileprivate static func passOnForString(
    _ operation: ct_operation, _ name: StaticString, _ first: UInt, _ second: UInt = 0,
    caller: CallSite
  ) -> BSTR?? {
    unsafe passOn(operation, name, first, second, caller: caller).map {
      unsafe BSTR(bitPattern: $0)
    }
  }

  /// Asks the copy of this library that records to carry a call out, and returns its results.
  @inline(never)
  static func ask(
    _ operation: ct_operation, _ first: UInt, _ second: UInt = 0, _ third: UInt = 0,
    caller: CallSite
  ) -> ct_request {
    var request = ct_request()
    request.operation = operation.rawValue
    request.arguments = (first, second, third)
    request.caller = caller.returnAddress
    request.frame = caller.frame
    unsafe ct_ask_recorder(&request)
    return request
  }
}

// MARK: allocating and freeing

/// See `bstr.h`.
@c @implementation
public func SysAllocString(_ psz: UnsafePointer<OLECHAR>?) -> BSTR? {
  if let plain = BSTRFunctions.plain {
    return unsafe plain.allocate(zeroTerminated: psz, caller: CallSite(0, 0))?
      .assumingMemoryBound(to: OLECHAR.self)
  }
  let caller = CallSite(ct_return_address(), ct_frame_address())
  guard let thread = unsafe ct_enter() else {
    if let own = unsafe BSTRFunctions.passOnForString(
      CT_ALLOCATE_TEXT, "SysAllocString", UInt(bitPattern: psz), caller: caller)
    {
      return unsafe own
    }
    return unsafe BSTRFunctions.untracked(caller).allocate(zeroTerminated: psz, caller: caller)?
      .assumingMemoryBound(to: OLECHAR.self)
  }
  let bstr = unsafe BSTRFunctions.tracked(caller).allocate(zeroTerminated: psz, caller: caller)
  unsafe ct_leave(thread)
  return unsafe bstr?.assumingMemoryBound(to: OLECHAR.self)
}

/// See `bstr.h`.
@c @implementation
public func SysAllocStringLen(_ characters: UnsafePointer<OLECHAR>?, _ count: UINT) -> BSTR? {
  if let plain = BSTRFunctions.plain {
    return unsafe plain.allocate(characters: Int(count), from: characters, caller: CallSite(0, 0))?
      .assumingMemoryBound(to: OLECHAR.self)
  }
  let caller = CallSite(ct_return_address(), ct_frame_address())
  guard let thread = unsafe ct_enter() else {
    if let own = unsafe BSTRFunctions.passOnForString(
      CT_ALLOCATE_CHARACTERS, "SysAllocStringLen", UInt(bitPattern: characters), UInt(count),
      caller: caller)
    {
      return unsafe own
    }
    return unsafe BSTRFunctions.untracked(caller).allocate(
      characters: Int(count), from: characters, caller: caller)?
      .assumingMemoryBound(to: OLECHAR.self)
  }
  let bstr = unsafe BSTRFunctions.tracked(caller).allocate(
    characters: Int(count), from: characters, caller: caller)
  unsafe ct_leave(thread)
  return unsafe bstr?.assumingMemoryBound(to: OLECHAR.self)
}

/// See `bstr.h`.
@c @implementation
public func SysAllocStringByteLen(_ bytes: UnsafePointer<CChar>?, _ count: UINT) -> BSTR? {
  if let plain = BSTRFunctions.plain {
    return unsafe plain.allocate(bytes: Int(count), from: bytes, caller: CallSite(0, 0))?
      .assumingMemoryBound(to: OLECHAR.self)
  }
  let caller = CallSite(ct_return_address(), ct_frame_address())
  guard let thread = unsafe ct_enter() else {
    if let own = unsafe BSTRFunctions.passOnForString(
      CT_ALLOCATE_BYTES, "SysAllocStringByteLen", UInt(bitPattern: bytes), UInt(count),
      caller: caller)
    {
      return unsafe own
    }
    return unsafe BSTRFunctions.untracked(caller).allocate(
      bytes: Int(count), from: bytes, caller: caller)?
      .assumingMemoryBound(to: OLECHAR.self)
  }
  let bstr = unsafe BSTRFunctions.tracked(caller).allocate(
    bytes: Int(count), from: bytes, caller: caller)
  unsafe ct_leave(thread)
  return unsafe bstr?.assumingMemoryBound(to: OLECHAR.self)
}

/// See `bstr.h`.
@c @implementation
public func SysFreeString(_ bstr: BSTR?) {
  if let plain = BSTRFunctions.plain { return unsafe plain.free(bstr, caller: CallSite(0, 0)) }
  unsafe BSTRFunctions.free(bstr, for: CallSite(ct_return_address(), ct_frame_address()))
  ct_keep_frame()
}

// MARK: reallocating

/// See `bstr.h`.
@c @implementation
public func SysReAllocString(
  _ bstr: UnsafeMutablePointer<BSTR?>, _ psz: UnsafePointer<OLECHAR>?
) -> INT {
  let caller = CallSite(ct_return_address(), ct_frame_address())
  let thread = unsafe ct_enter()
  defer { unsafe ct_leave(thread) }
  if unsafe thread == nil,
    let own = BSTRFunctions.passOn(
      CT_REALLOCATE_TEXT, "SysReAllocString", UInt(bitPattern: bstr), UInt(bitPattern: psz),
      caller: caller)
  {
    return INT(truncatingIfNeeded: own)
  }
  return unsafe bstr.withMemoryRebound(to: UnsafeMutableRawPointer?.self, capacity: 1) { variable in
    unsafe BSTRFunctions.current(for: caller, thread)
      .reallocate(variable, zeroTerminated: psz, caller: caller) ? 1 : 0
  }
}

/// See `bstr.h`.
@c @implementation
public func SysReAllocStringLen(
  _ bstr: UnsafeMutablePointer<BSTR?>, _ characters: UnsafePointer<OLECHAR>?, _ count: UINT
) -> INT {
  let caller = CallSite(ct_return_address(), ct_frame_address())
  let thread = unsafe ct_enter()
  defer { unsafe ct_leave(thread) }
  if unsafe thread == nil,
    let own = BSTRFunctions.passOn(
      CT_REALLOCATE_CHARACTERS, "SysReAllocStringLen", UInt(bitPattern: bstr),
      UInt(bitPattern: characters), UInt(count), caller: caller)
  {
    return INT(truncatingIfNeeded: own)
  }
  return unsafe bstr.withMemoryRebound(to: UnsafeMutableRawPointer?.self, capacity: 1) { variable in
    unsafe BSTRFunctions.current(for: caller, thread)
      .reallocate(variable, characters: Int(count), from: characters, caller: caller) ? 1 : 0
  }
}

// MARK: reading

/// See `bstr.h`.
@c @implementation
public func SysStringLen(_ bstr: BSTR?) -> UINT {
  guard let bstr = unsafe bstr else { return 0 }
  if let plain = BSTRFunctions.plain { return unsafe UINT(plain.characterCount(ofString: bstr)) }
  let caller = CallSite(ct_return_address(), ct_frame_address())
  let thread = unsafe ct_enter()
  defer { unsafe ct_leave(thread) }
  if unsafe thread == nil,
    let own = BSTRFunctions.passOn(
      CT_COUNT_CHARACTERS, "SysStringLen", UInt(bitPattern: bstr), caller: caller)
  {
    return UINT(truncatingIfNeeded: own)
  }
  return unsafe UINT(BSTRFunctions.characterCount(ofString: bstr, for: caller, thread))
}

/// See `bstr.h`.
@c @implementation
public func SysStringByteLen(_ bstr: BSTR?) -> UINT {
  unsafe UINT(BSTRFunctions.byteLength(of: bstr))
}

// MARK: pinning

/// See `bstr.h`.
@c @implementation
public func SysAddRefString(_ bstr: BSTR?) -> HRESULT {
  let caller = CallSite(ct_return_address(), ct_frame_address())
  let thread = unsafe ct_enter()
  defer { unsafe ct_leave(thread) }
  if unsafe thread == nil,
    let own = BSTRFunctions.passOn(
      CT_PIN, "SysAddRefString", UInt(bitPattern: bstr), caller: caller)
  {
    return HRESULT(truncatingIfNeeded: own)
  }
  guard let bstr = unsafe bstr else { return 0 }
  return unsafe BSTRFunctions.current(for: caller, freeing: bstr, thread).pin(bstr, caller: caller)
    ? 0 : ResultCode.outOfMemory
}

/// See `bstr.h`.
@c @implementation
public func SysReleaseString(_ bstr: BSTR?) {
  let caller = CallSite(ct_return_address(), ct_frame_address())
  let thread = unsafe ct_enter()
  defer { unsafe ct_leave(thread) }
  if unsafe thread == nil,
    BSTRFunctions.passOn(CT_UNPIN, "SysReleaseString", UInt(bitPattern: bstr), caller: caller)
      != nil
  {
    return
  }
  guard let bstr = unsafe bstr else { return }
  unsafe BSTRFunctions.current(for: caller, freeing: bstr, thread).unpin(bstr, caller: caller)
}

/// See `bstr.h`.
@c @implementation
public func SetOaNoCache() {}

// MARK: VarBstr

/// See `bstr.h`.
@c @implementation
public func VarBstrCat(
  _ left: BSTR?, _ right: BSTR?, _ result: UnsafeMutablePointer<BSTR?>?
) -> HRESULT {
  let caller = CallSite(ct_return_address(), ct_frame_address())
  let thread = unsafe ct_enter()
  defer { unsafe ct_leave(thread) }
  if unsafe thread == nil,
    let own = BSTRFunctions.passOn(
      CT_CONCATENATE, "VarBstrCat", UInt(bitPattern: left), UInt(bitPattern: right),
      UInt(bitPattern: result), caller: caller)
  {
    return HRESULT(truncatingIfNeeded: own)
  }
  guard let result = unsafe result else { return ResultCode.invalidArgument }
  let functions = unsafe BSTRFunctions.current(for: caller, thread)
  let sum = unsafe functions.concatenate(left, right, caller: caller)
  unsafe result.pointee = sum?.assumingMemoryBound(to: OLECHAR.self)
  return unsafe sum == nil ? ResultCode.outOfMemory : 0
}

/// See `bstr.h`.
@c @implementation
public func VarBstrCmp(_ left: BSTR?, _ right: BSTR?, _ locale: LCID, _ flags: ULONG) -> HRESULT {
  let thread = unsafe ct_enter()
  defer { unsafe ct_leave(thread) }
  let order = unsafe BSTRFunctions.compare(left, right)
  return 1 + HRESULT(order.signum())
}

// MARK: layout

/// See `bstr.h`.
@c @implementation
public func bstrtrace_set_profile(_ olecharBytes: UInt32, _ payloadOffset: UInt32) {
  let caller = CallSite(ct_return_address(), ct_frame_address())
  let thread = unsafe ct_enter()
  defer { unsafe ct_leave(thread) }
  if ct_has_other_recorder() {
    _ = BSTRFunctions.ask(
      CT_SET_LAYOUT, UInt(olecharBytes), UInt(payloadOffset), caller: caller)
    return
  }
  if let stringLayout = StringLayout.known(olecharBytes: olecharBytes, payloadOffset: payloadOffset)
  {
    unsafe Tracker.current.pointee.declareLayout(stringLayout, of: caller)
  }
}

/// See `bstr.h`.
@c @implementation
public func bstrtrace_olechar_bytes() -> UInt32 {
  let caller = CallSite(ct_return_address(), ct_frame_address())
  let thread = unsafe ct_enter()
  defer { unsafe ct_leave(thread) }
  if ct_has_other_recorder() {
    return UInt32(
      truncatingIfNeeded: BSTRFunctions.ask(CT_OLECHAR_BYTES, 0, caller: caller).results.0)
  }
  return unsafe UInt32(BSTRFunctions.current(for: caller, thread).stringLayout.olecharBytes)
}
