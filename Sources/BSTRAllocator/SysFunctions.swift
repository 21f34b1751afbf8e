// The exported functions: bstr.h, implemented. Each notes who called it, goes inside the tracker, and
// passes on; SysFreeString in a function apart. Not through a generic helper: it would ask the run-time for types
// while still outside.

public import CBSTR
import CTracker
import TraceOptions

extension BSTRFunctions {
  /// The functions of this process.
  ///
  /// - Parameter place: what `ct_enter` answered.
  fileprivate static func current(
    for caller: CallSite, _ place: UnsafeMutablePointer<ct_thread>?
  ) -> BSTRFunctions {
    unsafe place == nil ? outside : inside(caller)
  }

  /// The functions for who is inside; the layout is learnt at the first call.
  @inline(__always)
  fileprivate static func inside(_ caller: CallSite) -> BSTRFunctions {
    let tracker = unsafe Tracker.current
    let profile = unsafe tracker.pointee.knownProfile ?? settle(tracker, caller)
    return unsafe BSTRFunctions(profile: profile, source: .heap, tracker: tracker)
  }

  /// The functions where `ct_enter` answers NULL: they work but record nothing.
  ///
  /// While the program's own function is being tried, what it calls of ours works as on Windows.
  fileprivate static var outside: BSTRFunctions {
    unsafe BSTRFunctions(
      profile: Tracker.current.pointee.knownProfile ?? .windows, source: .heap, tracker: nil)
  }

  /// The functions of a process in which nothing is recorded or pinned; `nil` in others, and before the first
  /// call.
  @inline(__always)
  fileprivate static var plain: BSTRFunctions? {
    let layout = Int(ct_get_plain_layout())
    if layout == 0 { return nil }
    return unsafe BSTRFunctions(
      profile: Profile(olecharBytes: layout & 0xFF, payloadOffset: layout >> 8), source: .heap,
      tracker: nil)
  }

  /// SysFreeString where something is recorded: apart, so that it takes few registers where nothing is.
  @inline(never)
  fileprivate static func free(_ bstr: UnsafeMutableRawPointer?, for caller: CallSite) {
    guard let place = unsafe ct_enter() else { return unsafe outside.free(bstr, caller: caller) }
    unsafe inside(caller).free(bstr, caller: caller)
    unsafe ct_leave(place)
  }

  @inline(never)
  private static func settle(_ tracker: UnsafeMutablePointer<Tracker>, _ caller: CallSite)
    -> Profile
  {
    let settings = unsafe tracker.pointee.settings
    let learnt = ProfileProbe.learn(for: caller) ?? .windows
    let profile = Profile(
      olecharBytes: settings.olechar ?? learnt.olecharBytes,
      payloadOffset: settings.payloadOffset ?? learnt.payloadOffset)
    unsafe tracker.pointee.settle(profile)
    return unsafe tracker.pointee.knownProfile ?? profile
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
  guard let place = unsafe ct_enter() else {
    return unsafe BSTRFunctions.outside.allocate(zeroTerminated: psz, caller: caller)?
      .assumingMemoryBound(to: OLECHAR.self)
  }
  let bstr = unsafe BSTRFunctions.inside(caller).allocate(zeroTerminated: psz, caller: caller)
  unsafe ct_leave(place)
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
  guard let place = unsafe ct_enter() else {
    return unsafe BSTRFunctions.outside.allocate(
      characters: Int(count), from: characters, caller: caller)?
      .assumingMemoryBound(to: OLECHAR.self)
  }
  let bstr = unsafe BSTRFunctions.inside(caller).allocate(
    characters: Int(count), from: characters, caller: caller)
  unsafe ct_leave(place)
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
  guard let place = unsafe ct_enter() else {
    return unsafe BSTRFunctions.outside.allocate(bytes: Int(count), from: bytes, caller: caller)?
      .assumingMemoryBound(to: OLECHAR.self)
  }
  let bstr = unsafe BSTRFunctions.inside(caller).allocate(
    bytes: Int(count), from: bytes, caller: caller)
  unsafe ct_leave(place)
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
  let place = unsafe ct_enter()
  defer { unsafe ct_leave(place) }
  return unsafe bstr.withMemoryRebound(to: UnsafeMutableRawPointer?.self, capacity: 1) { variable in
    unsafe BSTRFunctions.current(for: caller, place)
      .reallocate(variable, zeroTerminated: psz, caller: caller) ? 1 : 0
  }
}

/// See `bstr.h`.
@c @implementation
public func SysReAllocStringLen(
  _ bstr: UnsafeMutablePointer<BSTR?>, _ characters: UnsafePointer<OLECHAR>?, _ count: UINT
) -> INT {
  let caller = CallSite(ct_return_address(), ct_frame_address())
  let place = unsafe ct_enter()
  defer { unsafe ct_leave(place) }
  return unsafe bstr.withMemoryRebound(to: UnsafeMutableRawPointer?.self, capacity: 1) { variable in
    unsafe BSTRFunctions.current(for: caller, place)
      .reallocate(variable, characters: Int(count), from: characters, caller: caller) ? 1 : 0
  }
}

// MARK: reading

/// See `bstr.h`.
@c @implementation
public func SysStringLen(_ bstr: BSTR?) -> UINT {
  if let plain = BSTRFunctions.plain { return unsafe UINT(plain.characterCount(ofString: bstr)) }
  let caller = CallSite(ct_return_address(), ct_frame_address())
  let place = unsafe ct_enter()
  defer { unsafe ct_leave(place) }
  return unsafe UINT(BSTRFunctions.current(for: caller, place).characterCount(ofString: bstr))
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
  let place = unsafe ct_enter()
  defer { unsafe ct_leave(place) }
  guard let bstr = unsafe bstr else { return 0 }
  return unsafe BSTRFunctions.current(for: caller, place).pin(bstr, caller: caller)
    ? 0 : Failure.outOfMemory
}

/// See `bstr.h`.
@c @implementation
public func SysReleaseString(_ bstr: BSTR?) {
  let caller = CallSite(ct_return_address(), ct_frame_address())
  let place = unsafe ct_enter()
  defer { unsafe ct_leave(place) }
  guard let bstr = unsafe bstr else { return }
  unsafe BSTRFunctions.current(for: caller, place).unpin(bstr, caller: caller)
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
  let place = unsafe ct_enter()
  defer { unsafe ct_leave(place) }
  guard let result = unsafe result else { return Failure.invalidArgument }
  let functions = unsafe BSTRFunctions.current(for: caller, place)
  let sum = unsafe functions.concatenate(left, right, caller: caller)
  unsafe result.pointee = sum?.assumingMemoryBound(to: OLECHAR.self)
  return unsafe sum == nil ? Failure.outOfMemory : 0
}

/// See `bstr.h`.
@c @implementation
public func VarBstrCmp(_ left: BSTR?, _ right: BSTR?, _ locale: LCID, _ flags: ULONG) -> HRESULT {
  let place = unsafe ct_enter()
  defer { unsafe ct_leave(place) }
  let order = unsafe BSTRFunctions.compare(left, right)
  return 1 + HRESULT(order.signum())
}

// MARK: layout

/// See `bstr.h`.
@c @implementation
public func bstrtrace_set_profile(_ olecharBytes: UInt32, _ payloadOffset: UInt32) {
  let place = unsafe ct_enter()
  defer { unsafe ct_leave(place) }
  if let profile = Profile.known(olecharBytes: olecharBytes, payloadOffset: payloadOffset) {
    unsafe Tracker.current.pointee.settle(profile)
  }
}

/// See `bstr.h`.
@c @implementation
public func bstrtrace_olechar_bytes() -> UInt32 {
  let caller = CallSite(ct_return_address(), ct_frame_address())
  let place = unsafe ct_enter()
  defer { unsafe ct_leave(place) }
  return unsafe UInt32(BSTRFunctions.current(for: caller, place).profile.olecharBytes)
}

/// HRESULTs that C macros with casts hide from Swift (winerror.h).
private enum Failure {
  static let invalidArgument = HRESULT(bitPattern: 0x8007_0057)
  static let outOfMemory = HRESULT(bitPattern: 0x8007_000E)
}
