import TestSupport
import Testing

@testable import BSTRAllocator

/// Plain values in private memory.
@Suite struct PrivateArrayTests {
  @Test(arguments: [0, 1, 2, 3, 100, 1000]) func itSorts(count: Int) throws {
    var random = SeededGenerator(seed: UInt64(count))
    let values = (0..<count).map { _ in Int.random(in: 0...50, using: &random) }
    guard var array = PrivateArray<Int>(capacity: 1000) else { throw NoMemory() }
    for value in values { array.append(value) }
    array.sort { $0 < $1 }
    var sorted: [Int] = []
    for index in 0..<array.count { sorted.append(array[index]) }
    #expect(sorted == values.sorted())
  }

  @Test func itHasALimit() throws {
    guard var array = PrivateArray<UInt8>(capacity: 2) else { throw NoMemory() }
    let added = [array.append(1), array.append(2), array.append(3)]
    #expect(added == [true, true, false])
    array.removeAll(from: 1)
    let again = array.append(4)
    let (count, last) = (array.count, array[1])
    #expect(again && count == 2 && last == 4)
  }
}

/// There is no memory for a test.
struct NoMemory: Error {}
