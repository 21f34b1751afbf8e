// The HRESULTs that the BSTR functions return.

import CBSTR

/// The HRESULTs of winerror.h that are C macros with casts, which Swift does not import.
enum ResultCode {
  static let invalidArgument = HRESULT(bitPattern: 0x8007_0057)
  static let outOfMemory = HRESULT(bitPattern: 0x8007_000E)
}
