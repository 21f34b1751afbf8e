// module: BSTR
// modes: linked
// Rule 2 with Swift's types: the result ends where its owner does.
import BSTR

@inline(never)
func statusText() throws -> OwnedBSTR { try OwnedBSTR("Ready") }

@inline(never)
func isReady() throws -> Bool { try statusText().characterCount == 5 }

if try isReady() && isReady() { print("ready") }
