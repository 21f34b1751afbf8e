// Randomness for tests that must be able to fail twice in the same way.

import Glibc

/// A reproducible source of randomness (SplitMix64).
public struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  /// The same numbers for the same seed.
  public init(seed: UInt64) { state = seed }

  /// Other numbers in every run, by a seed that is printed; `BSTRTRACE_TEST_SEED` gives it again.
  public static func printingSeed(_ test: String = #function) -> SeededGenerator {
    let given = getenv("BSTRTRACE_TEST_SEED").flatMap { UInt64(String(cString: $0)) }
    let seed = given ?? UInt64.random(in: 0...UInt64.max)
    print("\(test): BSTRTRACE_TEST_SEED=\(seed)")
    fflush(nil)
    return SeededGenerator(seed: seed)
  }

  /// The next number.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
