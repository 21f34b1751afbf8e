// error: 'made' consumed more than once
// Rule 3: who implements a function that returns a BSTR does not free it.
import BSTR
import CBSTR

func statusText() throws -> OwnedBSTR {
  let made = try OwnedBSTR("Ready")
  SysFreeString(made.detach())
  return made
}
