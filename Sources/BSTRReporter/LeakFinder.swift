// Blocks that were live at the end, into findings by allocation stack.

import TraceStore

/// Groups live blocks by the stack that allocated them.
struct LeakFinder {
  private let evidence: Evidence

  private struct Group {
    var count = 0
    var bytes = 0
    var truncated = false
    var serials: [UInt64] = []
    var pins: [EventRecord] = []
    /// One of the stacks, which a reader cannot tell from the others.
    var stack = StackID.none

    mutating func add(_ block: BlockRecord, _ held: [EventRecord]) {
      count += 1
      bytes += Int(block.byteLength)
      serials.append(block.serial)
      pins += held
    }
  }

  /// What makes two leaks one finding to a reader.
  private struct Key: Hashable {
    var frames: [Int]
    var isPinned: Bool
    var scope: String?
    var decision: Declarations.Decision?
  }

  /// What makes two leaks one group as they were recorded.
  private struct StackKey: Hashable {
    var stack: StackID
    var isPinned: Bool
    var scope: ScopeID
    var decision: Declarations.Decision?
  }

  /// Leaks of one process, heaviest first: by bytes, then count, then stack.
  ///
  /// - Complexity: linear in live blocks and recorded frames, and n log n in distinct stacks.
  static func findings(in evidence: Evidence) -> [Finding] {
    LeakFinder(evidence: evidence).findings()
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
      byStack[key, default: Group()].add(block, held)
    }
    // Two calls in one line are one place to a reader, and so is one stack that was recorded twice
    // because a module had moved.
    var byFrames: [Key: Group] = [:]
    for (key, group) in byStack {
      var group = group
      group.stack = key.stack
      let frames = evidence.resolver.frameNumbers(of: key.stack)
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
        return (first.key.scope ?? "") < (second.key.scope ?? "")
      }
      return (first.key.decision?.action ?? 0, first.key.decision?.stack.rawValue ?? 0)
        < (second.key.decision?.action ?? 0, second.key.decision?.stack.rawValue ?? 0)
    }.map { leak($1, $0) }
  }

  private static func merge(_ group: Group, _ truncated: Bool, into merged: inout Group) {
    if merged.count == 0 || group.stack.rawValue < merged.stack.rawValue {
      merged.stack = group.stack
    }
    merged.count += group.count
    merged.bytes += group.bytes
    merged.serials += group.serials
    merged.pins += group.pins
    merged.truncated = merged.truncated || truncated
  }

  private func leak(_ group: Group, _ key: Key) -> Finding {
    let frames = key.frames.map { evidence.resolver.frames[$0] }
    var shown: [StoredValue] = []
    for serial in group.serials.sorted() {
      if let value = evidence.values[serial], !shown.contains(value) { shown.append(value) }
    }
    let what = group.count == 1 ? "the BSTR" : "the \(group.count) BSTRs"
    let whom = frames.first.map { "that \($0.name) allocated" } ?? "whose stack was not recorded"
    let allocated = StackTrace(frames: frames, truncated: group.truncated)
    var finding = Finding(
      kind: .leak, count: group.count, bytes: group.bytes, message: "Nobody freed \(what) \(whom).",
      allocated: allocated,
      values: shown.map { StringValue($0, olecharBytes: evidence.olecharBytes) },
      suppression: evidence.suppression(.leak, at: allocated))
    finding.scope = key.scope
    finding.serials = Array(group.serials.sorted().prefix(5))
    let first = finding.serials.first ?? 0
    finding.history = evidence.history(of: first)
    if key.isPinned {
      explain(group.pins, what, whom, &finding)
    } else {
      finding.ownership =
        evidence.declarations.ownership(ofLeak: first, allocated: group.stack)
        ?? evidence.inference.ownership(ofLeak: group.stack, leaked: group.count)
      finding.message = finding.ownership.message ?? finding.message
      if finding.ownership.basis == .inferred, finding.ownership.rule == .out,
        let owner = finding.ownership.owner, let producer = finding.ownership.producer,
        finding.ownership.siblings?.freedBy.function == owner.function
      {
        finding.remarks.append(
          "Others from this very line were freed: look for a path on which \(owner.name) returns early, or "
            + "\(producer.name) fails after it has allocated.")
      }
    }
    return finding
  }

  /// A leak whose reason is known.
  private func explain(
    _ events: [EventRecord], _ what: String, _ whom: String, _ finding: inout Finding
  ) {
    let pins = events.filter { $0.kind == EventKind.pin.rawValue }
    let releases = events.filter { $0.kind == EventKind.deferredFree.rawValue }
    finding.detail = "pinned"
    finding.pinned = evidence.distinctTraces(pins)
    finding.freed = evidence.distinctTraces(releases).first
    let calls = pins.count == 1 ? "1 SysAddRefString has" : "\(pins.count) SysAddRefStrings have"
    finding.message =
      releases.isEmpty
      ? "Nobody freed \(what) \(whom), and \(calls) no SysReleaseString."
      : "\(calls) no SysReleaseString, so that the SysFreeString of \(what) \(whom) still waits."
  }
}

extension EventRecord {
  /// Whether this tells of a pin rather than of a fault.
  fileprivate var isPin: Bool {
    kind == EventKind.pin.rawValue || kind == EventKind.deferredFree.rawValue
  }
}
