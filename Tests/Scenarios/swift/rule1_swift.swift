// fault: double-free - 1 detected=announce:18 freed=Browser.putStatusText:10 allocated=announce:16 rule=in owner=announce:16 consumer=Browser.putStatusText:10
// Rule 1 in Swift, over the C functions: a function that expects a BSTR does not release it. This one does.
import CBSTR

final class Browser {
  var shown: UInt32 = 0
  @inline(never)
  func putStatusText(_ text: BSTR?) {
    shown += SysStringLen(text)
    SysFreeString(text)
  }
}

@inline(never)
func announce(_ browser: Browser) {
  let status = SysAllocString(Array("Loading".utf16) + [0])
  browser.putStatusText(status)
  SysFreeString(status)
}

announce(Browser())
