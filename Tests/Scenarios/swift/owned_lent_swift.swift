// fault: ownership freed-on-loan 1 detected=browser_put_StatusText:11 freed=announce:20 allocated=* rule=in owner=announce:20 consumer=browser_put_StatusText:11
// fault: double-free - 1 detected=OwnedBSTR.deinit:*|announce:21 freed=browser_put_StatusText:11 allocated=* rule=in owner=announce:20 consumer=browser_put_StatusText:11
// module: BSTR
// modes: linked
// The compiler holds Swift to the rules, and what it lends to C is declared, so that C is held to them, too.
import BSTR
import CBSTR

@inline(never)
func browser_put_StatusText(_ text: BSTR?) {
  SysFreeString(text)
}

@inline(never)
func makeText() throws -> OwnedBSTR { try OwnedBSTR("Loading") }

@inline(never)
func announce() throws {
  let status = try makeText()
  status.withUnsafeBSTR { browser_put_StatusText($0) }
}

try announce()
