// leak: 2 20 statusText() rule2_swift.swift:7 rule=out owner=isReady:18 producer=statusText:7
// Rule 2 in Swift, over the C functions: who calls a function that returns a BSTR frees it. isReady forgets to.
import CBSTR

@inline(never)
func statusText() -> BSTR? {
  SysAllocString(Array("Ready".utf16) + [0])
}

@inline(never)
func isShort() -> Bool {
  let text = statusText()
  defer { SysFreeString(text) }
  return SysStringLen(text) < 10
}

@inline(never)
func isReady() -> Bool { SysStringLen(statusText()) == 5 }

if isShort() && isReady() && isReady() { print("ready") }
