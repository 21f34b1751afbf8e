import TestSupport
import Testing
import TraceStore

@testable import BSTRReporter

/// Pairs as the inference takes them.
@Suite struct MergedPairsTests {
  private static func pair(
    _ allocated: UInt32, _ freed: UInt32, crossed: Bool = false, _ count: UInt64
  ) -> PairRecord {
    PairRecord(
      allocated: StackID(rawValue: allocated), freed: StackID(rawValue: freed),
      crossedThreads: crossed, count: count, bytes: 2 * count)
  }

  @Test func theyAreSummedUpInTheOrderOfTheirStacks() {
    var random = SeededGenerator.printingSeed()
    let pairs = (1...20).flatMap { stack in
      [
        Self.pair(stack, 7, 2), Self.pair(stack, 7, crossed: true, 1), Self.pair(stack, 9, 1),
        Self.pair(stack, 7, 3), Self.pair(0, stack, 1), Self.pair(stack, 8, 0),
      ]
    }
    let merged = OwnershipInference.merged(pairs.shuffled(using: &random))
    let found = merged.map { [$0.allocated.rawValue, $0.freed.rawValue, UInt32($0.count)] }
    #expect(found == (1...20).flatMap { [[$0, 7, 5], [$0, 7, 1], [$0, 9, 1]] })
    #expect(merged.map(\.crossedThreads) == (1...20).flatMap { _ in [0, 1, 0] })
    #expect(merged.first?.bytes == 10)
  }

  /// A damaged store may have any counts.
  @Test func sumsDoNotOverflow() {
    let merged = OwnershipInference.merged([Self.pair(1, 2, .max >> 1), Self.pair(1, 2, .max >> 1)])
    #expect(merged.map(\.count) == [1 << 40])
  }
}
