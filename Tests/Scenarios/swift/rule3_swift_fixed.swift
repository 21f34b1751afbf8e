// module: BSTR
// modes: linked
// Rule 3 with Swift's types: what is returned was given away.
import BSTR

@inline(never)
func statusText() throws -> OwnedBSTR {
  let made = try OwnedBSTR("Ready")
  return made
}

@inline(never)
func show() throws {
  let status = try statusText()
  print(String(status))
}

try show()
