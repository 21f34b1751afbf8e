// Learns a program's layout by calling the program's own SysAllocStringLen, once.

import CTracker
import Glibc

/// Finds out how the program that calls us lays its BSTRs out.
enum ProfileProbe {
  private typealias AllocateLength =
    @convention(c) (UnsafeRawPointer?, UInt32) -> UnsafeMutableRawPointer?
  private typealias Free = @convention(c) (UnsafeMutableRawPointer?) -> Void

  /// Characters of the probe: a number whose byte count tells the width.
  private static let probeCharacters = 24

  /// The layout of the copy of the functions that the code at `caller` would use without us, or
  /// `nil` when there is none or it makes no sense.
  ///
  /// Calls the program's code and takes the loader's lock: the caller holds no lock, and is inside, so
  /// that what that code calls of ours is not recorded.
  static func learn(for caller: CallSite) -> Profile? {
    // Another copy of ours: who uses bstr.h has said its layout before, or has the default one.
    if unsafe ct_original_function(caller.returnAddress, "bstrtrace_set_profile") != nil {
      return nil
    }
    guard
      let allocateAddress = unsafe ct_original_function(caller.returnAddress, "SysAllocStringLen"),
      let freeAddress = unsafe ct_original_function(caller.returnAddress, "SysFreeString")
    else { return nil }
    let allocate = unsafe unsafeBitCast(allocateAddress, to: AllocateLength.self)
    let free = unsafe unsafeBitCast(freeAddress, to: Free.self)
    var text = InlineArray<128, UInt8>(repeating: 0x20)
    var span = text.mutableSpan
    let bstr = unsafe span.withUnsafeMutableBytes { bytes in
      unsafe allocate(UnsafeRawPointer(bytes.baseAddress), UInt32(probeCharacters))
    }
    guard let bstr = unsafe bstr else { return nil }
    let width = unsafe BSTRFunctions.byteLength(of: bstr) / probeCharacters
    // malloc's blocks are multiples of 16: what is over is the offset.
    let offset = Int(UInt(bitPattern: bstr) % 16)
    unsafe free(bstr)
    guard width == 2 || width == 4 else { return nil }
    return Profile(
      olecharBytes: width,
      payloadOffset: offset == 4 || offset == 8 ? offset : Profile.windows.payloadOffset)
  }
}
