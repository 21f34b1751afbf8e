// leak: 1 10 save(_:) ways_out_swift.swift:20 leaves=24,27,28,31
// The ways out of a Swift function: what closures return does not leave it.
import CBSTR

struct Failure: Error {}

@inline(never)
func check(_ way: Int) throws -> Bool {
  if way > 100 { throw Failure() }
  return way == 3
}

@inline(never)
func write(_ text: BSTR?) -> Int { Int(SysStringLen(text)) }

@inline(never)
func save(_ way: Int) throws -> Int {
  let odd = [1, 2, 3].filter { return $0 % 2 == 1 }
  /* /* return 1 */ { */
  let text = SysAllocString(Array("Ready".utf16) + [0])
  guard text != nil else { return 0 }
  let note = "a \(odd.map { "{" + "\($0)" }.joined()) return"
  for value in odd where value > 10 { if value == 11 { break } }
  if way == 102 { throw Failure() }
  do {
    if try check(way) {
      if note.isEmpty { fatalError() }
      return -1
    }
  } catch {
    return -2
  }
  let count = write(text)
  SysFreeString(text)
  return count
}

if try save(1) == 5, try save(3) == -1 { print("saved") }
