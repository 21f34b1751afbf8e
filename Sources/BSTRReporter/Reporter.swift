// From stores to a report: the only way there, for dead processes and for this one.

import Glibc
public import TraceOptions
public import TraceStore

/// Interprets stores.
public struct Reporter: Sendable {
  /// Whether strings stay out of the report.
  public var redact: Bool
  /// Functions that act for their callers.
  public var wrappers: Wrappers

  /// Whether reports have ownership maps.
  public var hasMap: Bool

  /// What makes strings one finding.
  public var grouping = FindingGrouping.fault

  /// The source files of which findings show lines, without `redact`; `nil` for none.
  public var sources: SourceFiles?

  /// Creates a reporter.
  public init(
    redact: Bool = false, wrappers: Wrappers = Wrappers(), hasMap: Bool = false,
    grouping: FindingGrouping = .fault, sources: SourceFiles? = nil
  ) {
    self.redact = redact
    self.wrappers = wrappers
    self.hasMap = hasMap
    self.grouping = grouping
    self.sources = sources
  }

  /// Returns the report over processes, in the order in which they started.
  ///
  /// - Parameter scope: the scope that is reported on; `nil` for all of each process.
  public func report(
    on images: [StoreImage], symbolicator: inout some Symbolicator, damage: [String] = [],
    scope: ScopeID? = nil
  ) -> Report {
    let ordered = images.sorted {
      ($0.header.startTime, $0.header.pid) < ($1.header.startTime, $1.header.pid)
    }
    var finder = CoverageFinder()
    let seen = droppingDuplicateRecorders(ordered)
    let processes = seen.map { image in
      var process = process(
        image, Self.unseenEnd(of: image, among: ordered), scope, &symbolicator)
      if scope == nil {
        let coverage = finder.coverage(of: image)
        process.coverage = coverage.unseen
        process.isCoverageComplete = coverage.isComplete
      }
      return process
    }
    var report = Report(
      processes: processes, damage: damage + ordered.flatMap { Self.damage(of: $0) })
    if let sources, !redact { report.addExcerpts(of: sources) }
    report.symbolizer = symbolicator.source
    report.scope = scope.flatMap { scope in ordered.lazy.compactMap { $0.name(of: scope) }.first }
    if !report.hasTraffic, let index = report.mainProcess {
      report.explanation = NoTrafficDiagnosis.text(
        for: processes[index].executable, finder.coverage(of: seen[index]))
    }
    return report
  }

  /// Returns the frames of stacks, innermost first.
  public func frames(
    of stacks: Set<StackID>, in image: StoreImage, symbolicator: inout some Symbolicator
  ) -> [StackID: [Frame]] {
    let resolver = StackResolver(image, Array(stacks), with: &symbolicator)
    return Dictionary(
      uniqueKeysWithValues: stacks.map { stack in
        (stack, resolver.frameIndices(of: stack).map { resolver.frames[$0] })
      })
  }

  private static func damage(of image: StoreImage) -> [String] {
    image.damage.map {
      "the store of \(image.executable) (pid \(image.header.pid)) is damaged: \($0)"
    }
  }

  /// Drops stores without BSTR calls of processes that have another: a linked program under
  /// `bstrtrace run` has two recorders, of which one sees nothing.
  private func droppingDuplicateRecorders(_ images: [StoreImage]) -> [StoreImage] {
    func hasTraffic(_ image: StoreImage) -> Bool {
      image.count(.allocations) > 0 || image.count(.foreignFrees) > 0 || !image.events.isEmpty
    }
    let indicesOfPid = Dictionary(grouping: images.indices) { images[$0].header.pid }
    return images.enumerated().filter { index, image in
      if hasTraffic(image) { return true }
      return !(indicesOfPid[image.header.pid] ?? []).contains { other in
        let candidate = images[other]
        return other != index && candidate.executable == image.executable
          && candidate.header.role != image.header.role
          && (hasTraffic(candidate) || other < index)
      }
    }.map(\.element)
  }

  /// Returns the fate of a process that recorded no end.
  private static func unseenEnd(
    of image: StoreImage, among images: [StoreImage]
  ) -> ProcessReport.UnseenEnd {
    let header = image.header
    if header.pid == getpid() { return .reporting }
    // Two recorders in one process have two stores, and two roles.
    let isReplaced = images.contains {
      $0.header.pid == header.pid && $0.header.role == header.role
        && $0.header.startTime > header.startTime
    }
    return isReplaced ? .replaced : .lost
  }

  private func process(
    _ image: StoreImage, _ unseenEnd: ProcessReport.UnseenEnd, _ scope: ScopeID?,
    _ symbolicator: inout some Symbolicator
  ) -> ProcessReport {
    let header = image.header
    var live: UInt64 = 0
    var liveBytes: UInt64 = 0
    var ignored: UInt64 = 0
    image.forEachLiveBlock { block in
      live += 1
      if block.scope == .ignored { ignored += 1 }
      liveBytes += UInt64(block.byteLength)
    }
    let isRunning = unseenEnd == .lost && RunningProcess.isAlive(image)
    let end = isRunning ? .running : Self.end(of: header)
    let evidence = SymbolicatedStore(
      image, with: &symbolicator, redact: redact, wrappers: wrappers,
      isRunning: end == .running, scope: scope, naming: hasMap ? .all : .ofFindings,
      grouping: grouping)
    // A running process may still free its strings: they are no leaks.
    let leaks =
      end == .running
      ? [] : LeakFinder.findings(in: evidence, fate: Self.fate(end, unseenEnd, in: image))
    let known = header.olecharBytes != 0
    var process = ProcessReport(
      pid: Int(header.pid), parentPid: Int(header.parentPid), executable: image.executable,
      arguments: image.arguments, end: end,
      olecharBytes: known ? Int(header.olecharBytes) : nil,
      payloadOffset: known ? Int(header.payloadOffset) : nil,
      totals: ProcessReport.Totals(
        allocations: image.count(.allocations), frees: image.count(.frees),
        foreignFrees: image.count(.foreignFrees), live: live, liveBytes: liveBytes,
        peakLive: image.count(.peakLive), immortals: image.count(.immortals), ignored: ignored,
        unrecorded: image.count(.unrecordedBlocks)),
      findings: leaks + FaultFinder.findings(in: evidence),
      injectedFailures: Self.injectedFailures(in: evidence),
      map: hasMap ? evidence.inference.map(of: image) : nil,
      notes: scope == nil ? Self.notes(on: evidence, end) : [])
    process.unseenEnd = unseenEnd
    return process
  }

  /// Returns the fate of the strings that were live at the end of a process.
  private static func fate(
    _ end: ProcessReport.End, _ unseenEnd: ProcessReport.UnseenEnd, in image: StoreImage
  ) -> LeakWording.Fate {
    if image.header.isFreeUnwatched == 1 { return .unwatched }
    return switch end {
    case .signal: .killed
    case .unknown where unseenEnd == .lost: .unseen
    default: .left
    }
  }

  private static func end(of header: StoreHeader) -> ProcessReport.End {
    switch EndState(rawValue: header.endState) {
    case .exit, .immediateExit: .exit(Int(header.exitStatus))
    case .signal: .signal(Int(header.exitStatus))
    case .running: .running
    case .some(.none), nil: .unknown
    }
  }

  private static func notes(on evidence: SymbolicatedStore, _ end: ProcessReport.End) -> [String] {
    let image = evidence.image
    var notes: [String] = []
    if end == .running {
      notes.append("It was still running when the report was made: what is live is no leak yet.")
    }
    let adopted = image.header.adoptedOffset
    if adopted == 4 || adopted == 8 {
      notes.append(
        "A copy of the BSTR functions that could not be tried out frees strings \(adopted) bytes in front of "
          + "their characters: that layout was taken over when it first did. --payload-offset \(adopted) says "
          + "so from the start.")
    }
    if image.header.isFreeUnwatched == 1 {
      notes.append(
        "Calls of free are not seen in this process, because the library was opened after libc: a string that "
          + "another module freed with free is reported as leaked. Run the program under bstrtrace run."
      )
    }
    let missing: [(StoreCounter, String)] = [
      (.unrecordedBlocks, "allocations"), (.unrecordedStacks, "stacks"),
      (.unrecordedEvents, "events"),
    ]
    for (counter, what) in missing where image.count(counter) > 0 {
      notes.append(
        "\(image.count(counter)) \(what) could not be recorded: "
          + (counter == .unrecordedEvents
            ? "there were more than fit." : "the disk that TMPDIR is on was full."))
    }
    let verified = image.count(.verifiedStacks)
    if verified > 0 {
      notes.append(
        "\(verified) unwind-cache \(verified == 1 ? "hit was" : "hits were") unwound again in full: "
          + (image.count(.wrongStacks) == 0
            ? "all were the same." : "\(image.count(.wrongStacks)) were not the same."))
    }
    if case .exit = end { notes += openScopes(in: evidence) }
    return notes + failures(in: evidence, injectedFailures(in: evidence))
  }

  private static func injectedFailures(in evidence: SymbolicatedStore) -> [ProcessReport
    .InjectedFailure]
  {
    evidence.events.filter { $0.kind == EventKind.failedAllocation.rawValue }.map { event in
      ProcessReport.InjectedFailure(
        number: Int(event.changed),
        frame: evidence.resolver.frameIndices(of: event.detected).first
          .map { evidence.resolver.frames[$0] })
    }
  }

  /// Returns a note for each scope that was never ended, each name once.
  private static func openScopes(in evidence: SymbolicatedStore) -> [String] {
    var seen: Set<String> = []
    return evidence.image.scopes.compactMap { scope in
      let name = evidence.image.text(scope.name)
      guard scope.hasEnded == 0, seen.insert(name).inserted else { return nil }
      let frame = evidence.resolver.frameIndices(of: scope.stack).map {
        evidence.resolver.frames[$0]
      }
      .first { !$0.isTransparent }
      let beginning = frame.map { ", which \($0.name) began at \($0.location)," } ?? ""
      return "The scope '\(name)'\(beginning) was never ended: what it leaked is reported here."
    }
  }

  /// The maximum of failed allocations that are reported one by one.
  private static let maxFailures = 5

  private static func failures(
    in evidence: SymbolicatedStore, _ failures: [ProcessReport.InjectedFailure]
  ) -> [String] {
    var notes = failures.prefix(maxFailures).map {
      "Allocation \($0.number) was made to fail, as --fail-allocation asked\($0.locationClause)."
    }
    let all = evidence.image.count(.injectedFailures)
    if all > UInt64(notes.count) { notes.append("\(all - UInt64(notes.count)) more were, too.") }
    return notes
  }
}
