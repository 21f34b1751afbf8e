import TestSupport
import Testing

@testable import BSTRAllocator

/// The map against a dictionary.
@Suite struct AddressMapTests {
  @Test func behavesAsADictionary() {
    var random = SystemRandomNumberGenerator()
    let seed = UInt64.random(in: 0...UInt64.max, using: &random)
    var generator = SeededGenerator(seed: seed)
    var map = AddressMap()
    var model: [UInt: UInt32] = [:]
    for step in 0..<200_000 {
      // Few distinct keys, so that removals meet chains of collisions.
      let key = UInt.random(in: 1...3000, using: &generator) * 16
      func check(_ condition: Bool, _ what: String) {
        expectEachTime(condition, "\(what): seed \(seed) step \(step)")
      }
      switch Int.random(in: 0...9, using: &generator) {
      case 0..<5:
        let value = UInt32.random(in: 0...UInt32.max, using: &generator)
        let stored = map.set(key, to: value)
        check(stored, "not stored")
        model[key] = value
      case 5..<9:
        let removed = map.remove(key)
        check(removed == model.removeValue(forKey: key), "another value is removed")
      default:
        let found = map.value(of: key)
        check(found == model[key], "another value")
      }
    }
    #expect(map.count == model.count)
    for (key, value) in model {
      let result = map.value(of: key)
      #expect(result == value, "seed \(seed)")
    }
  }
}
