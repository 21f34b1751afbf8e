// module: BSTR
// modes: linked
// Strings go to C and come from it in all the ways there are, and everyone keeps the rules.
import BSTR
import CBSTR

func browser_put_StatusText(_ text: BSTR?) -> HRESULT { SysStringLen(text) == 7 ? 0 : -1 }

func browser_get_StatusText(_ text: UnsafeMutablePointer<BSTR?>) -> HRESULT {
  text.pointee = SysAllocString(Array("Ready".utf16) + [0])
  return text.pointee == nil ? E_OUTOFMEMORY : 0
}

func browser_edit(_ text: UnsafeMutablePointer<BSTR?>) -> HRESULT {
  SysReAllocString(text, Array("edited, and longer".utf16) + [0]) == 1 ? 0 : E_OUTOFMEMORY
}

func browser_adopt(_ text: BSTR?) { SysFreeString(text) }

func on_StatusText(_ text: BSTR?) throws -> OwnedBSTR {
  try withBorrowed(text) { text throws(BSTRError) in try text.copy() }
}

let E_OUTOFMEMORY = HRESULT(bitPattern: 0x8007_000E)

func passAround() throws {
  var status = try OwnedBSTR("Loading")
  precondition(status.withUnsafeBSTR { browser_put_StatusText($0) } == 0)
  let received = try OwnedBSTR.receiving { browser_get_StatusText($0) }
  precondition(String(received) == "Ready")
  precondition(status.withUnsafeMutableBSTR { browser_edit($0) } == 0)
  precondition(String(status) == "edited, and longer")
  let kept = try status.withUnsafeBSTR { try on_StatusText($0) }
  precondition(kept == status)
  browser_adopt(received.detach())
  let attached = unsafe OwnedBSTR(attaching: SysAllocString([0x61, 0]))
  precondition(String(attached) == "a")
  print(String(kept))
}

try passAround()
