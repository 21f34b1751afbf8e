// module: BSTR
// modes: linked
// Rule 1 with Swift's types: a borrowed argument cannot be freed.
import BSTR

final class Browser {
  var shown = 0
  @inline(never)
  func putStatusText(_ text: borrowing OwnedBSTR) {
    shown += text.characterCount
  }
}

@inline(never)
func announce(_ browser: Browser) throws {
  let status = try OwnedBSTR("Loading")
  browser.putStatusText(status)
}

try announce(Browser())
