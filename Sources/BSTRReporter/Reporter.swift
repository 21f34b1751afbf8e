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

  /// Whether reports have profiles.
  public var hasProfile: Bool

  /// The source files of which findings show lines, without `redact`; `nil` for none.
  public var sources: SourceFiles?

  /// Functions that were given by hand in modules that are to be loaded.
  public var givenFunctions: [GivenFunction] = []

  /// What was found of stripped modules before the run; `nil` where that was not looked for.
  public var separateFamilies: SeparateFamilies?

  /// Creates a reporter.
  public init(
    redact: Bool = false, wrappers: Wrappers = Wrappers(), hasMap: Bool = false,
    hasProfile: Bool = false, sources: SourceFiles? = nil
  ) {
    self.redact = redact
    self.wrappers = wrappers
    self.hasMap = hasMap
    self.hasProfile = hasProfile
    self.sources = sources
  }

  /// Returns the report over processes, in the order in which they started.
  ///
  /// - Parameter scope: the scope that is reported on; `nil` for all of each process.
  public func report(
    on images: [StoreImage], symbolicator: inout some Symbolicator, damage: [String] = [],
    scope: ScopeID? = nil
  ) -> Report {
    report(
      on: images.map { StoreReference($0) }, symbolicator: &symbolicator, damage: damage,
      scope: scope)
  }

  /// Returns the report over processes, in the order in which they started.
  ///
  /// The stores are read one after another, each twice: of those that are in files, one is in
  /// memory at a time. One that cannot be read any more is reported as damage.
  ///
  /// - Parameters:
  ///   - scope: the scope that is reported on; `nil` for all of each process.
  ///   - progress: called with the count of processes that are done, and of all.
  public func report(
    on stores: [StoreReference], symbolicator: inout some Symbolicator, damage: [String] = [],
    scope: ScopeID? = nil, progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) -> Report {
    var damage = damage
    func image(_ store: StoreReference) -> StoreImage? {
      do throws(StoreFile.Failure) {
        return try store.image()
      } catch {
        damage.append("\(error)")
        return nil
      }
    }
    let ordered = stores.compactMap { store in image(store).map { StoreSummary($0, store) } }
      .sorted { ($0.startTime, $0.recorder.pid) < ($1.startTime, $1.recorder.pid) }
    damage += ordered.flatMap(\.damage)
    let lastStarts = Dictionary(
      ordered.map { ($0.recorder, $0.startTime) }, uniquingKeysWith: { max($0, $1) })
    var finder = CoverageFinder(separateFamilies)
    var unmet = givenFunctions
    var coverages: [ModuleCoverage] = []
    var processes: [ProcessReport] = []
    var scopeName: String?
    var stacks = SharedStacks()
    for summary in Self.droppingDuplicateRecorders(ordered) {
      guard let image = image(summary.store) else { continue }
      var process = process(
        image, Self.unseenEnd(of: summary, lastStarts, image), scope, &symbolicator)
      let coverage = scope == nil ? finder.coverage(of: image) : ModuleCoverage()
      process.coverage = coverage.unseen
      process.isCoverageComplete = coverage.isComplete
      stacks.share(&process)
      unmet.removeAll { finder.hasLoaded($0, in: image) }
      processes.append(process)
      coverages.append(coverage)
      scopeName = scopeName ?? scope.flatMap { image.name(of: $0) }
      progress(processes.count, ordered.count)
    }
    var report = Report(processes: processes, damage: damage)
    // A process that was cut short may have loaded what it did not record.
    if scope == nil, !processes.contains(where: \.wasCutShort), let index = report.mainProcess {
      report.processes[index].coverage += Self.notLoaded(unmet)
    }
    if let sources, !redact { report.addExcerpts(of: sources) }
    report.symbolizer = symbolicator.source
    report.scope = scopeName
    if !report.hasCalls, let index = report.mainProcess {
      report.explanation = NoCallsDiagnosis.text(
        for: processes[index].executable, coverages[index])
    }
    return report
  }

  /// Returns each module of functions that were given in vain, once.
  private static func notLoaded(_ functions: [GivenFunction]) -> [UnseenStrings] {
    var seen: Set<String> = []
    return functions.filter { seen.insert($0.module).inserted }.map {
      UnseenStrings(module: $0.module, reason: .notLoaded, symbol: $0.name)
    }
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

  /// Drops stores without BSTR calls of processes that have another: a linked program under
  /// `bstrtrace run` has two recorders, of which one sees nothing.
  private static func droppingDuplicateRecorders(_ stores: [StoreSummary]) -> [StoreSummary] {
    let indicesOfPid = Dictionary(grouping: stores.indices) { stores[$0].recorder.pid }
    return stores.enumerated().filter { index, store in
      if store.hasCalls { return true }
      return !(indicesOfPid[store.recorder.pid] ?? []).contains { other in
        let candidate = stores[other]
        return other != index && candidate.executable == store.executable
          && candidate.recorder.role != store.recorder.role
          && (candidate.hasCalls || other < index)
      }
    }.map(\.element)
  }

  /// Returns the fate of a process that recorded no end.
  private static func unseenEnd(
    of store: StoreSummary, _ lastStarts: [StoreSummary.Recorder: UInt64], _ image: StoreImage
  ) -> ProcessReport.UnseenEnd {
    if EndState(rawValue: image.header.endState) == .untraced { return .untraced }
    if store.recorder.pid == getpid() { return .reporting }
    let last = lastStarts[store.recorder] ?? store.startTime
    return last > store.startTime ? .replaced : .lost
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
      isRunning: end == .running, scope: scope, naming: hasMap || hasProfile ? .all : .ofFindings)
    // A running process may still free its strings: they are no leaks.
    let fate = Self.fate(end, unseenEnd, in: image)
    let leaks = end == .running ? [] : LeakFinder.findings(in: evidence, fate: fate)
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
      map: hasMap ? evidence.inference.map(of: image, live: evidence.live) : nil,
      profile: hasProfile ? ProfileFinder.profile(of: evidence, fate: fate) : nil,
      notes: scope == nil ? Self.notes(on: evidence, end, hasLeaks: !leaks.isEmpty) : [])
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
    case .some(.none), .untraced, nil: .unknown
    }
  }

  private static func notes(
    on evidence: SymbolicatedStore, _ end: ProcessReport.End, hasLeaks: Bool
  ) -> [String] {
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
    if image.header.areOpenedUnseen == 1 {
      notes.append(
        "Modules that it opened were not looked at for functions to replace: it had several threads when it "
          + "started, or no jump could be written to where the loader tells of them: a debugger stops there, a "
          + "policy forbids it, or the loader is an unknown one.")
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
            ? "there were more than fit."
            : "its store could not grow (a full disk, a limit, or rights that it gave up)."))
    }
    let verified = image.count(.verifiedStacks)
    if verified > 0 {
      notes.append(
        "\(verified) unwind-cache \(verified == 1 ? "hit was" : "hits were") unwound again in full: "
          + (image.count(.wrongStacks) == 0
            ? "all were the same." : "\(image.count(.wrongStacks)) were not the same."))
    }
    if hasLeaks, let note = HolderWording.note(on: image.header) { notes.append(note) }
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
