// The words that a pass has found, before they are judged.

import TraceStore

/// A word that refers to a target.
struct ScanHit: BitwiseCopyable {
  var target: UInt32
  /// The index of the region that it is in.
  var region: UInt32
  var match: HolderMatch
  /// Its address.
  var slot: UInt
  /// In the heap, the block that it is in.
  var blockStart: UInt
  var blockEnd: UInt

  /// The block's addresses.
  var block: Range<UInt> { blockStart..<blockEnd }
}

/// The hits of one pass, up to a fixed count.
struct ScanHits: ~Copyable {
  private var hits: PrivateArray<ScanHit>
  /// Whether there was no room for one.
  private(set) var hasMissed = false

  /// Creates an empty list; `nil` when there is no memory.
  init?(capacity: Int) {
    guard let hits = PrivateArray<ScanHit>(capacity: capacity) else { return nil }
    self.hits = hits
  }

  var count: Int { hits.count }

  subscript(index: Int) -> ScanHit { hits[index] }

  /// Removes the hits from an index on.
  mutating func removeAll(from index: Int = 0) { hits.removeAll(from: index) }

  /// Notes the words of a run, from one index to another, that refer to a target.
  ///
  /// - Parameters:
  ///   - region: the index of the region.
  ///   - block: the heap block; of other regions any range.
  @inline(__always)
  mutating func note(
    in run: MemoryReader.Run, from start: Int, to end: Int, region: Int, block: Range<UInt>,
    _ index: borrowing TargetIndex, _ targets: borrowing PrivateArray<ScanTarget>
  ) {
    var word = start
    while true {
      word = unsafe index.nextCandidate(in: run.words, from: word, to: end)
      if word >= end { return }
      if let (target, match) = unsafe index.find(run.words[word], in: targets) {
        let isNoted = hits.append(
          ScanHit(
            target: target, region: UInt32(region), match: match,
            slot: run.base + UInt(word) * 8, blockStart: block.lowerBound,
            blockEnd: block.upperBound))
        if !isNoted { hasMissed = true }
      }
      word += 1
    }
  }
}
