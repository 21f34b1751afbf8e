// Sums the strings of a process up by their stacks and owners.

import TraceStore

/// Makes the profile of one process.
struct ProfileFinder {
  private let evidence: SymbolicatedStore
  private var samples: [Key: AllocationProfile.Sample] = [:]

  private struct Key: Hashable {
    var frames: [Int]
    var owner: Int?
    var scope = ScopeID.none
    var thread: UInt32?
  }

  /// Whether what is live can have been forgotten: the process has ended by itself.
  private let isOver: Bool

  private init(_ evidence: SymbolicatedStore, isOver: Bool) {
    self.evidence = evidence
    self.isOver = isOver
  }

  /// Returns the profile.
  ///
  /// - Complexity: linear in live blocks, pairs and recorded frames, and n log n in samples.
  static func profile(
    of evidence: SymbolicatedStore, fate: LeakWording.Fate
  ) -> AllocationProfile {
    var finder = ProfileFinder(
      evidence, isOver: !evidence.isRunning && fate.uncertainty == nil)
    finder.addFreed()
    finder.addLive()
    let samples = finder.samples.sorted { first, second in
      if first.key.frames != second.key.frames {
        return first.key.frames.lexicographicallyPrecedes(second.key.frames)
      }
      let (one, other) = (first.key, second.key)
      return (one.owner ?? -1, one.scope.rawValue, one.thread ?? 0)
        < (other.owner ?? -1, other.scope.rawValue, other.thread ?? 0)
    }
    return AllocationProfile(
      samples: samples.map(\.value), knowsFreed: evidence.inference.knowsFrees,
      map: evidence.inference.map(of: evidence.image, live: evidence.live))
  }

  private mutating func addFreed() {
    for pair in OwnershipInference.merged(evidence.image.pairs) {
      let owner = evidence.inference.owner(of: pair)
      add(pair.allocated, owner: owner, in: .none, by: nil) { sample in
        sample.allocated += .init(
          count: Int(clamping: pair.count), bytes: Int(clamping: pair.bytes))
      }
    }
  }

  private struct Origin: Hashable {
    var scope: ScopeID
    var thread: UInt32
  }

  /// The live strings of one stack, apart by where they came from.
  private struct Group {
    var live: [Origin: AllocationProfile.Amount] = [:]
    var leaked: [Origin: AllocationProfile.Amount] = [:]
  }

  private mutating func addLive() {
    var groups: [StackID: Group] = [:]
    evidence.image.forEachLiveBlock { block in
      let origin = Origin(scope: block.scope, thread: block.thread)
      groups[block.stack, default: Group()].live[origin, default: .init()] += Self.amount(of: block)
    }
    if !evidence.isRunning {
      evidence.forEachLeakedBlock { block in
        let origin = Origin(scope: block.scope, thread: block.thread)
        groups[block.stack]?.leaked[origin, default: .init()] += Self.amount(of: block)
      }
    }
    for (stack, group) in groups {
      let ownership = isOver ? ownership(ofLeaksAt: stack) : Ownership()
      for (origin, live) in group.live {
        add(stack, owner: ownership.owner, in: origin.scope, by: origin.thread) { sample in
          let leaked = group.leaked[origin]
          if leaked != nil, let rule = ownership.rule { sample.rule = rule }
          sample.leaked += leaked ?? .init()
          sample.live += live
          sample.allocated += live
        }
      }
    }
  }

  private func ownership(ofLeaksAt stack: StackID) -> Ownership {
    guard let live = evidence.live[stack] else { return Ownership() }
    return evidence.declarations.ownership(ofLeak: live.first, allocated: stack)
      ?? evidence.inference.ownership(of: evidence.inference.leaked(live, of: stack))
  }

  private static func amount(of block: BlockRecord) -> AllocationProfile.Amount {
    .init(count: 1, bytes: Int(block.byteLength))
  }

  private mutating func add(
    _ stack: StackID, owner: Frame?, in scope: ScopeID, by thread: UInt32?,
    _ change: (inout AllocationProfile.Sample) -> Void
  ) {
    let indices = evidence.resolver.frameIndices(of: stack)
    if indices.isEmpty { return }
    let frames = indices.map { evidence.resolver.frames[$0] }
    let key = Key(
      frames: indices, owner: owner.flatMap { frames.lastIndex(of: $0) }, scope: scope,
      thread: thread)
    var sample = AllocationProfile.Sample(frames: frames, owner: key.owner)
    sample.scope = evidence.image.name(of: scope)
    sample.thread = thread.map { Int($0) }
    change(&samples[key, default: sample])
  }
}
