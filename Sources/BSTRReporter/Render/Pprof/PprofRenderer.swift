// The strings of a run as a profile for `go tool pprof` and everything that reads its format.
// Docs/ReportFormat.md says what is in it.

import TraceOptions

/// Renders profiles.
public struct PprofRenderer: ReportRenderer {
  /// True: it shows nothing else.
  public var showsProfiles: Bool { true }

  /// Creates a renderer.
  public init() {}

  /// Returns the profile of all processes.
  public func bytes(of report: Report) -> [UInt8] {
    let profiles = report.processes.compactMap(\.profile)
    let knowsFreed = profiles.allSatisfy(\.knowsFreed)
    // In the order of Go's heap profiles, which readers know.
    let allocated: [PprofProfile.SampleType] = [
      .init(name: "alloc_objects", unit: "count"), .init(name: "alloc_space", unit: "bytes"),
    ]
    let inUse: [PprofProfile.SampleType] = [
      .init(name: "inuse_objects", unit: "count"), .init(name: "inuse_space", unit: "bytes"),
    ]
    var profile = PprofProfile(knowsFreed ? allocated + inUse : inUse)
    for sample in profiles.flatMap(\.samples) {
      let live = [sample.live.count, sample.live.bytes]
      let values = knowsFreed ? [sample.allocated.count, sample.allocated.bytes] + live : live
      profile.add(
        StackTrace(frames: sample.frames).framesFromMain, values, Self.labels(of: sample))
    }
    return Gzip.stored(profile.finished(comment: "bstrtrace \(ToolVersion.current)"))
  }

  /// Returns the difference between two runs: how many findings more there are.
  public func bytes(of diff: FindingDiff) -> [UInt8] {
    var profile = PprofProfile([.init(name: "findings", unit: "count")])
    for entry in diff.entries {
      let frames = entry.key.stack.map { Frame(function: $0, module: "", offset: 0) }
      profile.add(
        frames, [entry.after - entry.before],
        [
          .init(key: "change", text: entry.change.rawValue),
          .init(key: "kind", text: entry.key.kind),
        ])
    }
    return Gzip.stored(profile.finished(comment: "bstrtrace diff: \(diff.summary)"))
  }

  private static func labels(of sample: AllocationProfile.Sample) -> [PprofProfile.Label] {
    var labels: [PprofProfile.Label] = []
    func add(_ key: String, _ text: String?) {
      if let text { labels.append(.init(key: key, text: Printable.escaped(text))) }
    }
    add("owner", sample.owner.map { sample.frames[$0].name })
    if sample.leaked.count > 0 {
      add("kind", FindingKind.leak.id)
      add("rule", sample.rule?.rawValue)
    }
    add("scope", sample.scope)
    if let thread = sample.thread { labels.append(.init(key: "thread", number: thread)) }
    return labels
  }
}
