// Turns recorded faults into findings, by kind and stacks. The sentences are FaultWording's.

import TraceStore

/// Groups faults that a reader could not tell apart.
enum FaultFinder {
  private struct Key: Hashable {
    var kind: UInt16
    var detail: UInt16
    var stacks: [[Int]]
    var data: FrameWord
    var scope: String?
    /// The offset of the pointer from a string's first character; 0 for other faults.
    var offset: Int32
  }

  private struct Group {
    /// The earliest event, which represents the group.
    var first: EventRecord
    var events: [EventRecord] = []
    /// The strings concerned: one that is freed five times is one.
    var serials: Set<UInt64> = []
    /// Payload bytes of the strings concerned.
    var bytes = 0
    /// The count of strings concerned; an event without one counts as if it had its own.
    var strings = 0

    mutating func add(_ event: EventRecord) {
      if (event.detectedTime, event.serial) < (first.detectedTime, first.serial) { first = event }
      events.append(event)
      guard event.serial == 0 || serials.insert(event.serial).inserted else { return }
      strings += 1
      bytes += Int(event.byteLength)
    }
  }

  /// Returns the faults of one process: by kind, then by count, then by stacks.
  static func findings(in evidence: SymbolicatedStore) -> [Finding] {
    var groups: [Key: Group] = [:]
    for event in evidence.events {
      guard FindingKind(event) != nil, evidence.concerns(event.scope) else { continue }
      let frames = evidence.resolver.frameIndices
      let key = Key(
        kind: event.kind, detail: event.detail,
        stacks: [frames(event.detected), frames(event.freed), frames(event.allocated)],
        data: event.data, scope: evidence.image.name(of: event.scope),
        offset: event.isAboutOffset ? event.offset : 0)
      var group = groups[key] ?? Group(first: event)
      groups[key] = nil
      group.add(event)
      groups[key] = group
    }
    return groups.sorted { first, second in
      if first.key.kind != second.key.kind { return first.key.kind < second.key.kind }
      let (one, other) = (first.value.events.count, second.value.events.count)
      if one != other { return one > other }
      for (one, other) in zip(first.key.stacks, second.key.stacks) where one != other {
        return one.lexicographicallyPrecedes(other)
      }
      if first.key.scope != second.key.scope {
        return first.key.scope.precedes(second.key.scope)
      }
      return (first.key.detail, first.key.data.rawValue, first.key.offset)
        < (second.key.detail, second.key.data.rawValue, second.key.offset)
    }.compactMap { finding($1, in: evidence) }
  }

  private static func finding(_ group: Group, in evidence: SymbolicatedStore) -> Finding? {
    let event = group.first
    guard let kind = FindingKind(event) else { return nil }
    let message = FaultWording(event, in: evidence)
    let detected = evidence.trace(
      event.detected, thread: event.detectedThread, time: event.detectedTime)
    let freed = evidence.trace(event.freed, thread: event.freedThread, time: event.freedTime)
    let allocated = evidence.trace(
      event.allocated, thread: event.allocatedThread, time: event.allocatedTime)
    let ordered = group.events.sorted {
      ($0.detectedTime, $0.serial) < ($1.detectedTime, $1.serial)
    }
    let sample = Sample(of: ordered.lazy.map { ($0.serial, evidence.value(of: $0)) })
    var finding = Finding(
      kind: kind, detail: message.detail, count: group.events.count, bytes: group.bytes,
      message: message.sentence, allocated: allocated, values: sample.values,
      suppression: "")
    finding.scope = evidence.image.name(of: event.scope)
    finding.strings = group.strings
    finding.remarks = message.remarks
    let left = group.serials.intersection(evidence.leftByRefusal).count
    if left > 0 { finding.remarks.append(FaultWording.leftBehind(left, of: group.strings)) }
    finding.serials = sample.serials
    finding.history = evidence.history(of: event.serial)
    finding.ownership = kind.ownership(event, evidence)
    let frames = evidence.resolver.frameIndices
    finding.fault = evidence.fault(
      [frames(event.detected), frames(event.freed), frames(event.allocated)],
      owner: finding.ownership.owner)
    finding.message = finding.ownership.message ?? finding.message
    finding.freed = freed
    finding.detected = detected
    finding.suppression = evidence.suppression(kind, at: finding.culprit)
    return finding
  }
}

extension EventRecord {
  /// Whether the pointer's offset in a string distinguishes this fault from others.
  fileprivate var isAboutOffset: Bool {
    [.interior, .freedInterior, .inFront].contains(EventDetail(rawValue: detail))
  }
}
