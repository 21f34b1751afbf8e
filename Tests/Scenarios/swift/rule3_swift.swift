// fault: double-free - 1 detected=show:16 freed=statusText:9 allocated=statusText:7 rule=return owner=show:15 producer=statusText:7
// Rule 3 in Swift, over the C functions: who implements a function that returns a BSTR does not free it.
import CBSTR

@inline(never)
func statusText() -> BSTR? {
  let made = SysAllocString(Array("Ready".utf16) + [0])
  // It tidies up.
  SysFreeString(made)
  return made
}

@inline(never)
func show() {
  let status = statusText()
  SysFreeString(status)
}

show()
