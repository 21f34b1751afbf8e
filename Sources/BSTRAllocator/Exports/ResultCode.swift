// The HRESULTs that the functions return.

import CBSTR

/// HRESULTs that C macros with casts hide from Swift (winerror.h).
enum ResultCode {
  static let invalidArgument = HRESULT(bitPattern: 0x8007_0057)
  static let outOfMemory = HRESULT(bitPattern: 0x8007_000E)
}
