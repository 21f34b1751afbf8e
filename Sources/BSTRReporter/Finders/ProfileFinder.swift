// Sums the strings of a process up by their stacks and owners.

import TraceStore

/// Makes the profile of one process.
struct ProfileFinder {
  private let evidence: SymbolicatedStore
  private var samples: [Key: AllocationProfile.Sample] = [:]

  private struct Key: Hashable {
    var frames: [Int]
    var owner: Int?
  }

  private init(_ evidence: SymbolicatedStore) { self.evidence = evidence }

  /// Returns the profile.
  ///
  /// - Complexity: linear in live blocks, pairs and recorded frames, and n log n in samples.
  static func profile(of evidence: SymbolicatedStore) -> AllocationProfile {
    var finder = ProfileFinder(evidence)
    finder.addFreed()
    finder.addLive()
    let samples = finder.samples.sorted { first, second in
      if first.key.frames != second.key.frames {
        return first.key.frames.lexicographicallyPrecedes(second.key.frames)
      }
      return (first.key.owner ?? -1) < (second.key.owner ?? -1)
    }
    return AllocationProfile(
      samples: samples.map(\.value), knowsFreed: evidence.inference.knowsFrees,
      map: evidence.inference.map(of: evidence.image))
  }

  private mutating func addFreed() {
    for pair in OwnershipInference.merged(evidence.image.pairs) {
      add(pair.allocated, owner: evidence.inference.owner(of: pair)) { sample in
        sample.allocated += .init(
          count: Int(clamping: pair.count), bytes: Int(clamping: pair.bytes))
      }
    }
  }

  private mutating func addLive() {
    struct Group {
      var live = AllocationProfile.Amount()
      var leaked = AllocationProfile.Amount()
      var first = UInt64.max

      mutating func add(_ block: BlockRecord) {
        live += .init(count: 1, bytes: Int(block.byteLength))
        first = min(first, block.serial)
      }
    }
    var groups: [StackID: Group] = [:]
    evidence.image.forEachLiveBlock { block in
      groups[block.stack, default: Group()].add(block)
    }
    if !evidence.isRunning {
      evidence.forEachLeakedBlock { block in
        groups[block.stack]?.leaked += .init(count: 1, bytes: Int(block.byteLength))
      }
    }
    let allocations = evidence.inference.allocations
    for (stack, group) in groups {
      let ownership = evidence.inference.ownership(
        of: OwnershipInference.Leaked(
          stacks: [stack], live: group.live.count,
          allocationsAfterFirst: allocations - min(allocations, group.first)))
      add(stack, owner: ownership.owner) { sample in
        sample.leaked += group.leaked
        sample.live += group.live
        sample.allocated += group.live
      }
    }
  }

  private mutating func add(
    _ stack: StackID, owner: Frame?, _ change: (inout AllocationProfile.Sample) -> Void
  ) {
    let indices = evidence.resolver.frameIndices(of: stack)
    if indices.isEmpty { return }
    let frames = indices.map { evidence.resolver.frames[$0] }
    let key = Key(frames: indices, owner: owner.flatMap { frames.lastIndex(of: $0) })
    change(&samples[key, default: AllocationProfile.Sample(frames: frames, owner: key.owner)])
  }
}
