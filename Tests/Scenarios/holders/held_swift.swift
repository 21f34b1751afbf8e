// modes: linked
// options: holders=on
// sanitizers: no; the blocks of their heaps are not known from other memory
// leak: 1 8 behindArray() held_swift.swift:42
// leak: 1 8 inArray() held_swift.swift:34
// leak: 1 8 inDictionary() held_swift.swift:36
// leak: 1 8 inObject() held_swift.swift:32
// leak: 1 8 inOptional() held_swift.swift:38
// leak: 1 8 inValue() held_swift.swift:40
// leak: 1 8 lost() held_swift.swift:44
// held: behindArray shortened (program .bss) → *_ContiguousArrayStorage, 72 bytes, +40 → the string (weak)
// held: inArray list (program .bss) → *_ContiguousArrayStorage, 56 bytes, +40 → the string
// held: inDictionary table (program .bss) → *_DictionaryStorage, 104 bytes, +* → the string (weak)
// held: inObject cache (program .bss) → Cache, 40 bytes, +24 → the string
// held: inOptional optional (program .bss) → the string
// held: inValue entry +8 (program .bss) → the string
// held: lost nobody
// What holds a string in Swift: an object, an array, a dictionary, an optional, a value.
import CBSTR

final class Cache {
  var count = 1
  var text: BSTR?
}

struct Entry {
  var number = 7
  var text: BSTR?
}

@inline(never)
func inObject() -> BSTR? { SysAllocString(Array("held".utf16) + [0]) }
@inline(never)
func inArray() -> BSTR? { SysAllocString(Array("held".utf16) + [0]) }
@inline(never)
func inDictionary() -> BSTR? { SysAllocString(Array("held".utf16) + [0]) }
@inline(never)
func inOptional() -> BSTR? { SysAllocString(Array("held".utf16) + [0]) }
@inline(never)
func inValue() -> BSTR? { SysAllocString(Array("held".utf16) + [0]) }
@inline(never)
func behindArray() -> BSTR? { SysAllocString(Array("held".utf16) + [0]) }
@inline(never)
func lost() -> BSTR? { SysAllocString(Array("held".utf16) + [0]) }

@inline(never)
func use(_ text: BSTR?) { if SysStringLen(text) != 4 { fatalError() } }

nonisolated(unsafe) var cache: Cache? = Cache()
nonisolated(unsafe) var list: [BSTR?] = []
nonisolated(unsafe) var shortened: [BSTR?] = []
nonisolated(unsafe) var table: [Int: BSTR] = [:]
nonisolated(unsafe) var optional: BSTR?
nonisolated(unsafe) var entry = Entry()

@inline(never)
func plant() {
  cache?.text = inObject()
  list.append(nil)
  list.append(inArray())
  shortened.reserveCapacity(4)
  shortened.append(nil)
  shortened.append(behindArray())
  shortened.removeLast()
  table[1] = inDictionary()
  optional = inOptional()
  entry.text = inValue()
  use(lost())
}

@inline(never)
func overwrite() -> Int {
  withUnsafeTemporaryAllocation(of: Int.self, capacity: 256) { room in
    for index in room.indices { room[index] = index }
    return room.reduce(0, +)
  }
}

plant()
if overwrite() == 1 { print("never") }
