// leak: 2 44 makeTitle() three_from_two_places_swift.swift:8
// leak: 1 6 Window.name(_:) three_from_two_places_swift.swift:14
// The same in Swift: a function, and a method of a generic type.
import CBSTR

@inline(never)
func makeTitle() -> BSTR? {
  SysAllocString(Array("Status Text".utf16) + [0])
}

struct Window<Value> {
  @inline(never)
  func name(_ length: UInt32) -> BSTR? {
    SysAllocStringLen(Array("abcdefgh".utf16), length)
  }
}

for _ in 0..<2 { print(SysStringLen(makeTitle())) }
print(SysStringLen(Window<Int>().name(3)))
SysFreeString(Window<Int>().name(4))
