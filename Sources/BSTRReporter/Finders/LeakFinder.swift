// Turns blocks that were live at the end into findings, by allocation stack.

import TraceStore

/// Groups live blocks by the stack that allocated them.
struct LeakFinder {
  private let evidence: SymbolicatedStore
  private let fate: LeakWording.Fate
  /// The count of live strings by stack, where a reader can tell stacks apart.
  private var live: [[Int]: Int] = [:]

  private init(evidence: SymbolicatedStore, fate: LeakWording.Fate) {
    self.evidence = evidence
    self.fate = fate
    for (stack, strings) in evidence.live {
      live[evidence.resolver.frameIndices(of: stack), default: 0] += strings.count
    }
  }

  private struct Group {
    var count = 0
    var bytes = 0
    var truncated = false
    var serials = SampleSerials()
    var pins: [EventRecord] = []
    /// The stacks, which a reader cannot tell apart.
    var stacks: Set<StackID> = []
    /// The serial numbers of strings whose holders were looked for, a few of each stack.
    var looked: [UInt64] = []

    mutating func add(
      _ block: BlockRecord, hasValue: Bool, isLookedFor: Bool, _ held: [EventRecord]
    ) {
      count += 1
      bytes += Int(block.byteLength)
      serials.add(block.serial, hasValue: hasValue)
      if isLookedFor { looked.append(block.serial) }
      pins += held
    }
  }

  /// The key by which leaks are one finding to a reader.
  private struct Key: Hashable {
    var frames: [Int]
    var isPinned: Bool
    var scope: String?
    var decision: Declarations.Decision?
  }

  /// The key by which leaks are one group as they were recorded.
  private struct StackKey: Hashable {
    var stack: StackID
    var isPinned: Bool
    var scope: ScopeID
    var decision: Declarations.Decision?
  }

  /// Returns the leaks of one process, heaviest first: by bytes, then count, then stack.
  ///
  /// - Complexity: linear in live blocks and recorded frames, and n log n in distinct stacks.
  static func findings(in evidence: SymbolicatedStore, fate: LeakWording.Fate) -> [Finding] {
    LeakFinder(evidence: evidence, fate: fate).findings()
  }

  private func findings() -> [Finding] {
    var pins: [UInt64: [EventRecord]] = [:]
    for event in evidence.events where event.isPin {
      pins[event.pointer, default: []].append(event)
    }
    // By recorded stack first: a million leaks have a few thousand stacks.
    var byStack: [StackKey: Group] = [:]
    evidence.forEachLeakedBlock { block in
      let held = pins[block.address] ?? []
      let key = StackKey(
        stack: block.stack, isPinned: !held.isEmpty, scope: block.scope,
        decision: evidence.declarations.decision(on: block.serial))
      byStack[key, default: Group()].add(
        block, hasValue: evidence.values[block.serial] != nil,
        isLookedFor: evidence.holders[block.serial] != nil, held)
    }
    // Two calls in one line are one location to a reader, and so are the stacks of one call that
    // were recorded twice because a module had moved.
    var byFrames: [Key: Group] = [:]
    for (key, group) in byStack {
      var group = group
      group.stacks = [key.stack]
      let frames = evidence.resolver.frameIndices(of: key.stack)
      let merged = Key(
        frames: frames, isPinned: key.isPinned, scope: evidence.image.name(of: key.scope),
        decision: key.decision)
      Self.merge(
        group, evidence.image.stack(key.stack).truncated, into: &byFrames[merged, default: Group()])
    }
    return byFrames.sorted { first, second in
      if first.value.bytes != second.value.bytes { return first.value.bytes > second.value.bytes }
      if first.value.count != second.value.count { return first.value.count > second.value.count }
      if first.key.frames != second.key.frames {
        return first.key.frames.lexicographicallyPrecedes(second.key.frames)
      }
      if first.key.isPinned != second.key.isPinned { return !first.key.isPinned }
      if first.key.scope != second.key.scope {
        return first.key.scope.precedes(second.key.scope)
      }
      return (first.key.decision?.action ?? 0, first.key.decision?.stack.rawValue ?? 0)
        < (second.key.decision?.action ?? 0, second.key.decision?.stack.rawValue ?? 0)
    }.map { leak($1, $0) }
  }

  private static func merge(_ group: Group, _ truncated: Bool, into merged: inout Group) {
    merged.stacks.formUnion(group.stacks)
    merged.count += group.count
    merged.bytes += group.bytes
    merged.serials.add(group.serials)
    merged.pins += group.pins
    merged.looked += group.looked
    merged.truncated = merged.truncated || truncated
  }

  private func leak(_ group: Group, _ key: Key) -> Finding {
    let frames = key.frames.map { evidence.resolver.frames[$0] }
    let serials = group.serials.sorted
    let sample = Sample(of: serials.lazy.map { ($0, evidence.values[$0]) })
    let allocated = StackTrace(frames: frames, truncated: group.truncated)
    let words = LeakWording(count: group.count, allocator: frames.first?.name, fate: fate)
    var finding = Finding(
      kind: .leak, count: group.count, bytes: group.bytes, message: words.sentence,
      allocated: allocated,
      values: sample.values.map { StringValue($0, olecharBytes: evidence.olecharBytes) },
      suppression: evidence.suppression(.leak, at: allocated))
    finding.scope = key.scope
    finding.serials = sample.serials
    let first = serials.first ?? 0
    finding.history = evidence.history(of: first)
    finding.holders = holders(of: group)
    if key.isPinned {
      explain(group.pins, words, &finding)
      finding.fault = evidence.fault([key.frames], owner: nil)
      return finding
    }
    finding.ownership = ownership(of: group, key, first, finding.holders)
    finding.wording = words
    finding.fault = evidence.fault([key.frames], owner: finding.ownership.owner)
    finding.message = finding.ownership.message ?? finding.message
    if let hint = words.hint(for: finding.ownership) { finding.remarks.append(hint) }
    return finding
  }

  /// Returns what holds the strings that were looked for, in the order of their allocation; `nil`
  /// where none was.
  private func holders(of group: Group) -> Holders? {
    if group.looked.isEmpty { return nil }
    var holders = Holders()
    for serial in group.looked.sorted() { holders.add(evidence.holders[serial] ?? []) }
    holders.isWhole = evidence.image.header.holderScan == HolderScan.complete.rawValue
    return holders
  }

  private func ownership(
    of group: Group, _ key: Key, _ first: UInt64, _ holders: Holders?
  ) -> Ownership {
    let stacks = group.stacks.sorted { $0.rawValue < $1.rawValue }
    let allocations = evidence.inference.allocations
    let inferred = evidence.inference.ownership(
      of: OwnershipInference.Leaked(
        stacks: stacks, live: live[key.frames] ?? group.count,
        allocationsAfterFirst: allocations - min(allocations, first), count: group.count,
        holders: holders))
    if let uncertainty = fate.uncertainty {
      return Ownership(.uncertain(uncertainty), siblings: inferred.siblings)
    }
    return evidence.declarations.ownership(ofLeak: first, allocated: stacks.first ?? .none)
      ?? inferred
  }

  /// Completes a leak that pins or deferred frees explain.
  private func explain(_ events: [EventRecord], _ words: LeakWording, _ finding: inout Finding) {
    let pins = events.filter { $0.kind == EventKind.pin.rawValue }
    let frees = events.filter { $0.kind == EventKind.deferredFree.rawValue }
    finding.detail = "pinned"
    finding.pinned = evidence.distinctTraces(pins)
    finding.freed = evidence.distinctTraces(frees).first
    finding.message = words.sentence(pins: pins.count, isFreeWaiting: !frees.isEmpty)
    finding.ownership = Ownership(fate.uncertainty.map { .uncertain($0) })
  }
}

extension EventRecord {
  /// Whether the event is about a pin rather than a fault.
  fileprivate var isPin: Bool {
    kind == EventKind.pin.rawValue || kind == EventKind.deferredFree.rawValue
  }
}
