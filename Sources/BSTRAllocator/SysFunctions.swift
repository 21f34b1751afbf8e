// The exported functions: bstr.h, implemented. Each notes who called it, and passes on.

public import CBSTR
import CTracker
import TraceOptions

extension BSTRFunctions {
  /// The functions of this process, whose layout is learnt at the first call.
  @inline(__always)
  fileprivate static func current(for caller: UInt) -> BSTRFunctions {
    let tracker = unsafe Tracker.current
    let profile = unsafe tracker.pointee.knownProfile ?? settle(tracker, caller)
    return unsafe BSTRFunctions(profile: profile, source: .heap, tracker: tracker)
  }

  @inline(never)
  private static func settle(_ tracker: UnsafeMutablePointer<Tracker>, _ caller: UInt) -> Profile {
    // While the program's own function is being tried, what it calls of ours works as on Windows.
    if unsafe ct_thread().pointee.busy != 0 { return .windows }
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
  let caller = ct_return_address()
  return unsafe BSTRFunctions.current(for: caller)
    .allocate(zeroTerminated: psz, caller: caller)?.assumingMemoryBound(to: OLECHAR.self)
}

/// See `bstr.h`.
@c @implementation
public func SysAllocStringLen(_ characters: UnsafePointer<OLECHAR>?, _ count: UINT) -> BSTR? {
  let caller = ct_return_address()
  return unsafe BSTRFunctions.current(for: caller)
    .allocate(characters: Int(count), from: characters, caller: caller)?
    .assumingMemoryBound(to: OLECHAR.self)
}

/// See `bstr.h`.
@c @implementation
public func SysAllocStringByteLen(_ bytes: UnsafePointer<CChar>?, _ count: UINT) -> BSTR? {
  let caller = ct_return_address()
  return unsafe BSTRFunctions.current(for: caller)
    .allocate(bytes: Int(count), from: bytes, caller: caller)?
    .assumingMemoryBound(to: OLECHAR.self)
}

/// See `bstr.h`.
@c @implementation
public func SysFreeString(_ bstr: BSTR?) {
  let caller = ct_return_address()
  unsafe BSTRFunctions.current(for: caller).free(bstr, caller: caller)
}

// MARK: reallocating

/// See `bstr.h`.
@c @implementation
public func SysReAllocString(
  _ bstr: UnsafeMutablePointer<BSTR?>, _ psz: UnsafePointer<OLECHAR>?
) -> INT {
  let caller = ct_return_address()
  return unsafe bstr.withMemoryRebound(to: UnsafeMutableRawPointer?.self, capacity: 1) { place in
    unsafe BSTRFunctions.current(for: caller)
      .reallocate(place, zeroTerminated: psz, caller: caller) ? 1 : 0
  }
}

/// See `bstr.h`.
@c @implementation
public func SysReAllocStringLen(
  _ bstr: UnsafeMutablePointer<BSTR?>, _ characters: UnsafePointer<OLECHAR>?, _ count: UINT
) -> INT {
  let caller = ct_return_address()
  return unsafe bstr.withMemoryRebound(to: UnsafeMutableRawPointer?.self, capacity: 1) { place in
    unsafe BSTRFunctions.current(for: caller)
      .reallocate(place, characters: Int(count), from: characters, caller: caller) ? 1 : 0
  }
}

// MARK: reading

/// See `bstr.h`.
@c @implementation
public func SysStringLen(_ bstr: BSTR?) -> UINT {
  unsafe UINT(BSTRFunctions.current(for: ct_return_address()).characterCount(ofString: bstr))
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
  guard let bstr = unsafe bstr else { return 0 }
  let caller = ct_return_address()
  return unsafe BSTRFunctions.current(for: caller).pin(bstr, caller: caller)
    ? 0 : Failure.outOfMemory
}

/// See `bstr.h`.
@c @implementation
public func SysReleaseString(_ bstr: BSTR?) {
  guard let bstr = unsafe bstr else { return }
  let caller = ct_return_address()
  unsafe BSTRFunctions.current(for: caller).unpin(bstr, caller: caller)
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
  let caller = ct_return_address()
  guard let result = unsafe result else { return Failure.invalidArgument }
  let functions = BSTRFunctions.current(for: caller)
  let sum = unsafe functions.concatenate(left, right, caller: caller)
  unsafe result.pointee = sum?.assumingMemoryBound(to: OLECHAR.self)
  return unsafe sum == nil ? Failure.outOfMemory : 0
}

/// See `bstr.h`.
@c @implementation
public func VarBstrCmp(_ left: BSTR?, _ right: BSTR?, _ locale: LCID, _ flags: ULONG) -> HRESULT {
  let order = unsafe BSTRFunctions.compare(left, right)
  return 1 + HRESULT(order.signum())
}

// MARK: layout

/// See `bstr.h`.
@c @implementation
public func bstrtrace_set_profile(_ olecharBytes: UInt32, _ payloadOffset: UInt32) {
  let profile = Profile(olecharBytes: Int(olecharBytes), payloadOffset: Int(payloadOffset))
  if Profile.all.contains(profile) { unsafe Tracker.current.pointee.settle(profile) }
}

/// HRESULTs that C macros with casts hide from Swift (winerror.h).
private enum Failure {
  static let invalidArgument = HRESULT(bitPattern: 0x8007_0057)
  static let outOfMemory = HRESULT(bitPattern: 0x8007_000E)
}
