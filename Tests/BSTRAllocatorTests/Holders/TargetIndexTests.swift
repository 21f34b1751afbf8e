import TestSupport
import Testing
import TraceStore

@testable import BSTRAllocator

/// Words that refer to targets are found, and no others.
@Suite struct TargetIndexTests {
  /// Finds words in order; of each what it refers to.
  private func find(
    _ words: [UInt], among blocks: [ScanTarget]
  ) throws -> [(word: Int, target: UInt32, match: HolderMatch)] {
    guard var targets = PrivateArray<ScanTarget>(capacity: blocks.count) else { throw NoMemory() }
    for block in blocks { targets.append(block) }
    guard let index = TargetIndex(targets, from: 0) else { throw NoMemory() }
    var found: [(Int, UInt32, HolderMatch)] = []
    words.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      var word = 0
      while true {
        word = index.nextCandidate(in: base, from: word, to: words.count)
        if word == words.count { return }
        if let (target, match) = index.find(words[word], in: targets) {
          found.append((word, target, match))
        }
        word += 1
      }
    }
    return found
  }

  private static let string = ScanTarget(start: 0x7F00_1000, end: 0x7F00_1020, text: 0x7F00_1004)
  private static let object = ScanTarget(start: 0x5500_0010, end: 0x5500_0040)

  @Test func aStringIsKnownByThreeAddresses() throws {
    let words: [UInt] = [
      0, 0x7F00_1004, 0x7F00_1000, 0x7F00_1006, 0x7F00_101F, 0x7F00_1020, 0x7F00_0FFF,
      0x7F00_1004 | 1 << 60,
    ]
    let found = try find(words, among: [Self.string, Self.object])
    #expect(found.map(\.word) == [1, 2, 3, 4])
    #expect(found.map(\.match) == [.text, .start, .interior, .interior])
    #expect(found.allSatisfy { $0.target == 0 })
  }

  /// Swift keeps bits in references that are no part of the address.
  @Test func aBlockIsKnownWithOtherBitsBesideItsAddress() throws {
    let words: [UInt] = [
      0x5500_0010, 0x5500_0010 | 1 << 63, 0x5500_0011, 0x5500_0018, 0x5500_0018 | 1 << 63,
      0x5500_0040,
    ]
    let found = try find(words, among: [Self.string, Self.object])
    #expect(found.map(\.word) == [0, 1, 2, 3])
    #expect(found.map(\.match) == [.start, .tagged, .tagged, .interior])
  }

  /// Blocks of all sizes, against a search that looks at each.
  @Test func whatIsFoundIsWhatIsThere() throws {
    var random = SeededGenerator(seed: 5)
    var blocks: [ScanTarget] = []
    var address: UInt = 0x6000_0000
    for _ in 0..<500 {
      let bytes = UInt.random(in: 2...(Bool.random(using: &random) ? 8 : 2000), using: &random) * 16
      blocks.append(ScanTarget(start: address, end: address + bytes))
      address += bytes + UInt.random(in: 0...64, using: &random) * 16
    }
    let words = (0..<20_000).map { _ in UInt.random(in: 0x5FFF_F000...address, using: &random) & ~7
    }
    let found = try find(words, among: blocks)
    var expected: [Int] = []
    for (index, word) in words.enumerated()
    where blocks.contains(where: { $0.start <= word && word < $0.end }) {
      expected.append(index)
    }
    #expect(found.map(\.word) == expected)
    #expect(
      found.allSatisfy { hit in
        let block = blocks[Int(hit.target)]
        return block.start <= words[hit.word] && words[hit.word] < block.end
      })
  }
}
