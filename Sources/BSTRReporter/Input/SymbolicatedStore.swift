// The input of all finders: one process's store with names for everything in it.

import TraceStore

/// A store, read and named once for all finders.
struct SymbolicatedStore {
  let image: StoreImage
  let resolver: StackResolver
  let events: [EventRecord]
  /// Ownership that is inferred from the calls.
  let inference: OwnershipInference
  /// Ownership that the program declared.
  let declarations: Declarations
  /// The live strings by their allocating stacks, leaks or not; empty of a running process of which
  /// only findings are named.
  let live: [StackID: LiveStrings]
  /// The characters of live strings at the end, by serial number; empty with `redact`.
  let values: [UInt64: StoredValue]
  /// The data that static pointers of events point to.
  let data: [FrameWord: DataLocation]
  /// What holds strings that were live when the process began to end, by serial number: none for a
  /// string that nothing refers to.
  let holders: [UInt64: [HolderChain]]
  let redact: Bool
  /// Whether live blocks are no leaks yet.
  let isRunning: Bool
  /// Serial numbers of strings that are live because a wrong free was refused, which is a finding.
  let leftByRefusal: Set<UInt64>
  /// The scope that is reported on; `nil` for the whole process.
  let scope: ScopeID?
  private let wrappers: Wrappers

  var olecharBytes: Int { Int(image.header.olecharBytes) }

  /// The stacks that are named.
  enum Naming {
    /// Every stack of a string.
    case all
    /// Those that findings need; without findings, the few that notes name.
    ///
    /// One finding needs all of them, because the owner of a string is inferred from the stacks of
    /// all others.
    case ofFindings
  }

  /// Names every stack that a finding may show.
  ///
  /// - Parameters:
  ///   - isRunning: whether live blocks are no leaks yet.
  ///   - naming: which stacks are named; the inference ignores strings whose stacks are not.
  init(
    _ image: StoreImage, with symbolicator: inout some Symbolicator, redact: Bool,
    wrappers: Wrappers, isRunning: Bool, scope: ScopeID? = nil, naming: Naming = .all
  ) {
    self.image = image
    self.scope = scope
    self.redact = redact
    self.isRunning = isRunning
    self.wrappers = wrappers
    events = image.events
    live = isRunning && naming == .ofFindings ? [:] : LiveStrings.byStack(in: image)
    values = redact ? [:] : image.values()
    leftByRefusal = isRunning ? [] : Self.leftByRefusal(image, events, scope)
    let isAll =
      naming == .all
      || Self.hasFinding(image, events, isRunning: isRunning, scope: scope)
    var stacks = isAll ? Self.everyStack(image, events) : []
    if isAll { stacks.formUnion(live.keys) }
    stacks.formUnion(Self.stacksOfNotes(image, events))
    stacks.remove(.none)
    resolver = StackResolver(image, Array(stacks), with: &symbolicator)
    inference = OwnershipInference(image, resolver, wrappers)
    declarations = Declarations(image, inference.paths, wrappers)
    var data: [FrameWord: DataLocation] = [:]
    for event in events where isAll && event.data.rawValue != 0 && data[event.data] == nil {
      let location = StackResolver.location(of: event.data, in: image)
      data[event.data] = DataLocation(
        location: location, symbol: symbolicator.dataSymbol(at: location))
    }
    self.data = data
    holders = isAll && !isRunning ? HolderNames.chains(in: image, with: &symbolicator) : [:]
  }

  /// Returns whether a report on the scope has any finding.
  private static func hasFinding(
    _ image: StoreImage, _ events: [EventRecord], isRunning: Bool, scope: ScopeID?
  ) -> Bool {
    if events.contains(where: { FindingKind($0) != nil && isAsked($0.scope, of: scope) }) {
      return true
    }
    if isRunning { return false }
    var hasLeak = false
    image.forEachLiveBlock { hasLeak = hasLeak || isLeak($0, of: scope) }
    return hasLeak
  }

  /// Returns the serial numbers of live strings of which an address inside was freed, which does
  /// nothing.
  ///
  /// A string that a pin holds besides is a leak all the same.
  private static func leftByRefusal(
    _ image: StoreImage, _ events: [EventRecord], _ scope: ScopeID?
  ) -> Set<UInt64> {
    var refused: Set<UInt64> = []
    var pinned: Set<UInt64> = []
    for event in events {
      switch EventKind(rawValue: event.kind) {
      case .invalidFree, .wrongDeallocator:
        if event.detail == EventDetail.interior.rawValue, event.serial != 0,
          isAsked(event.scope, of: scope)
        {
          refused.insert(event.serial)
        }
      case .pin, .deferredFree: pinned.insert(event.pointer)
      default: break
      }
    }
    var left: Set<UInt64> = []
    if refused.isEmpty { return left }
    image.forEachLiveBlock { block in
      if refused.contains(block.serial), !pinned.contains(block.address) {
        left.insert(block.serial)
      }
    }
    return left
  }

  /// Returns every stack but those of live strings.
  private static func everyStack(_ image: StoreImage, _ events: [EventRecord]) -> Set<StackID> {
    var stacks = Set(events.flatMap { [$0.allocated, $0.freed, $0.detected] })
    for pair in image.pairs { stacks.formUnion([pair.allocated, pair.freed]) }
    for history in image.histories {
      for index in 0..<HistoryRecord.capacity { stacks.insert(history.entries[index].stack) }
    }
    return stacks
  }

  /// Returns the stacks of allocations that were made to fail, and of scopes that were never ended.
  private static func stacksOfNotes(_ image: StoreImage, _ events: [EventRecord]) -> [StackID] {
    events.filter { $0.kind == EventKind.failedAllocation.rawValue }.map(\.detected)
      + image.scopes.filter { $0.hasEnded == 0 }.map(\.stack)
  }

  /// Returns a stack of an event; `nil` when there is none.
  func trace(_ stack: StackID, thread: UInt32, time: UInt32) -> StackTrace? {
    guard stack != .none || thread != 0 else { return nil }
    return StackTrace(
      frames: Self.withoutDeclaration(
        resolver.frameIndices(of: stack).map { resolver.frames[$0] }),
      truncated: image.stack(stack).truncated,
      context: StackTrace.Context(
        thread: Int(thread), isMainThread: thread == image.header.pid,
        milliseconds: time == BlockRecord.noTime ? nil : Int(time)))
  }

  /// Returns the frames outside of the functions of bstrtrace.h that a declaration went through.
  private static func withoutDeclaration(_ frames: [Frame]) -> [Frame] {
    let passed = frames.prefix { $0.isTransparent }
    return passed.contains(where: \.isDeclaration) ? Array(frames[passed.count...]) : frames
  }

  /// Returns the rule that would silence findings of a kind at a stack: it names the innermost
  /// function that is no wrapper.
  func suppression(_ kind: FindingKind, at trace: StackTrace?) -> String {
    let frames = trace?.frames ?? []
    let responsible = frames.first(where: isResponsible) ?? frames.first
    return "\(kind.id):\(responsible?.suppressionPattern ?? "*")"
  }

  /// Returns whether a function acts for itself, as far as its name says.
  private func isResponsible(_ frame: Frame) -> Bool {
    !frame.isTransparent && frame.plainName.map { wrappers.isWrapper($0) } != true
  }

  /// Returns the part of stacks that makes a fault: of each, the frames up to the function that is
  /// to blame.
  ///
  /// Where there is none, up to the first one with a name that acts for itself. The callers above
  /// have no part in it.
  ///
  /// - Parameter stacks: indices of frames, innermost first.
  func fault(_ stacks: [[Int]], owner: Frame?) -> Finding.Fault {
    var fault = Finding.Fault()
    for (index, stack) in stacks.enumerated() {
      let frames = stack.map { resolver.frames[$0] }
      let end =
        owner.flatMap { owner in frames.firstIndex(of: owner) }
        ?? frames.firstIndex { $0.function != nil && isResponsible($0) }
      let path = frames[...(end ?? frames.count - 1)]
      fault.locations += path.map(\.mergingLocation) + ["-"]
      // What freed a string first has no part in the key.
      if stacks.count == 3, index == 1 { continue }
      // The function that the last one is inlined into.
      let outer = path.last?.inlined == true ? frames[path.count...].first { !$0.inlined } : nil
      fault.functions += (path.filter { !$0.inlined } + (outer.map { [$0] } ?? [])).map(\.keyName)
    }
    return fault
  }

  /// Returns whether an event in a scope is reported on.
  func concerns(_ scope: ScopeID) -> Bool { Self.isAsked(scope, of: self.scope) }

  private static func isAsked(_ scope: ScopeID, of asked: ScopeID?) -> Bool {
    asked == nil || asked == scope
  }

  private static func isLeak(_ block: BlockRecord, of asked: ScopeID?) -> Bool {
    block.scope != .ignored && isAsked(block.scope, of: asked)
  }

  /// Calls `body` with every live block that is a leak, in the order of their records.
  func forEachLeakedBlock(_ body: (BlockRecord) -> Void) {
    image.forEachLiveBlock { block in
      if Self.isLeak(block, of: scope), !leftByRefusal.contains(block.serial) { body(block) }
    }
  }

  /// Returns the declarations on a string, in order.
  func history(of serial: UInt64) -> [HistoryEvent] {
    let hasGap = declarations.gap(of: serial)
    return declarations.entries(of: serial).enumerated().compactMap { index, entry in
      guard let action = HistoryEvent.Action(entry.action),
        let trace = trace(entry.stack, thread: entry.thread, time: entry.milliseconds)
      else { return nil }
      let note = image.text(entry.note)
      return HistoryEvent(
        action: action, trace: trace, note: note.isEmpty || redact ? nil : note,
        isAfterGap: hasGap && index == 1)
    }
  }

  /// Returns the stacks at which events were seen, each once.
  func distinctTraces(_ events: [EventRecord]) -> [StackTrace] {
    var seen: Set<[Int]> = []
    return events.compactMap { event in
      guard seen.insert(resolver.frameIndices(of: event.detected)).inserted else { return nil }
      return trace(event.detected, thread: event.detectedThread, time: event.detectedTime)
    }
  }

  /// Returns the string of an event, as it was kept.
  func value(of event: EventRecord) -> StringValue? {
    guard !redact, event.allocated != .none || event.serial != 0,
      event.value.length > 0 || event.byteLength == 0
    else { return nil }
    return StringValue(
      StoredValue(
        bytes: Array(image.rawText(event.value)), byteLength: Int(event.byteLength),
        layout: event.layout),
      olecharBytes: olecharBytes)
  }
}

/// The data that a static pointer points to.
struct DataLocation {
  var location: CodeLocation
  var symbol: DataSymbol?
}

extension HistoryEvent.Action {
  /// Creates the action with the store's value.
  fileprivate init?(_ action: UInt32) {
    switch DeclaredAction(rawValue: action) {
    case .lent: self = .lent
    case .givenBack: self = .givenBack
    case .received: self = .received
    case .handedOver: self = .handedOver
    case .adopted: self = .adopted
    case .noted: self = .noted
    case .freed: self = .freed
    case nil: return nil
    }
  }
}
