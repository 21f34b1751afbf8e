// The allocations that `fail-allocation` concerns, and their syntax.

/// Allocations that are to fail, by their serial numbers.
public enum AllocationFailure: Sendable, Equatable, CustomStringConvertible {
  /// The one with this serial number, from 1.
  case at(UInt64)
  /// That one and all after it.
  case from(UInt64)
  /// A percentage of all, chosen by a seed: the same ones in every run of a deterministic program.
  case percent(Int, seed: UInt64)

  /// Reads `N`, `N+`, `P%` or `P%SEED`; `nil` for anything else.
  public init?(_ text: some StringProtocol) {
    if let sign = text.firstIndex(of: "%") {
      let seedText = text[text.index(after: sign)...]
      guard let percent = Int(text[..<sign]), (1...100).contains(percent),
        let seed = seedText.isEmpty ? 1 : UInt64(seedText)
      else { return nil }
      self = .percent(percent, seed: seed)
      return
    }
    let isFrom = text.hasSuffix("+")
    guard let number = UInt64(isFrom ? text.dropLast() : text[...]), number > 0 else { return nil }
    self = isFrom ? .from(number) : .at(number)
  }

  /// Returns whether the allocation with a serial number, from 1, is to fail.
  public func concerns(_ number: UInt64) -> Bool {
    switch self {
    case .at(let chosen): return number == chosen
    case .from(let first): return number >= first
    case .percent(let percent, let seed):
      // SplitMix64 of the serial number: the result does not depend on the order of threads.
      var mixed = seed &+ number &* 0x9E37_79B9_7F4A_7C15
      mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
      return (mixed ^ (mixed >> 31)) % 100 < UInt64(percent)
    }
  }

  /// The text of the option's value.
  public var description: String {
    switch self {
    case .at(let number): "\(number)"
    case .from(let number): "\(number)+"
    case .percent(let percent, let seed): "\(percent)%\(seed)"
    }
  }
}
