// What finders work on: one process's store with names for everything in it.

import TraceStore

/// A store, read and named once for all finders.
struct Evidence {
  let image: StoreImage
  let resolver: StackResolver
  let events: [EventRecord]
  /// What the traffic says of who owns what.
  let inference: OwnershipInference
  /// What the program declared of it.
  let declarations: Declarations
  /// What live strings said at the end, by serial number; empty with `redact`.
  let values: [UInt64: StoredValue]
  /// What static pointers of events point to.
  let data: [FrameWord: DataPlace]
  let redact: Bool
  /// The scope that is asked about; `nil` for the whole process.
  let scope: ScopeID?
  private let wrappers: Wrappers

  var olecharBytes: Int { Int(image.header.olecharBytes) }

  /// Names every stack that a finding may show.
  ///
  /// - Parameter isRunning: whether live blocks are no leaks yet.
  init(
    _ image: StoreImage, with symbolicator: inout some Symbolicator, redact: Bool,
    wrappers: Wrappers, isRunning: Bool, scope: ScopeID? = nil
  ) {
    self.image = image
    self.scope = scope
    self.redact = redact
    self.wrappers = wrappers
    events = image.events
    values = redact ? [:] : image.values()
    var stacks = Set(events.flatMap { [$0.allocated, $0.freed, $0.detected] })
    if !isRunning { image.forEachLiveBlock { stacks.insert($0.stack) } }
    for pair in image.pairs { stacks.formUnion([pair.allocated, pair.freed]) }
    for history in image.histories {
      for index in 0..<HistoryRecord.capacity { stacks.insert(history.moments[index].stack) }
    }
    stacks.formUnion(image.scopes.filter { $0.hasEnded == 0 }.map(\.stack))
    stacks.remove(.none)
    resolver = StackResolver(image, Array(stacks), with: &symbolicator)
    inference = OwnershipInference(image, resolver, wrappers)
    declarations = Declarations(image, resolver, wrappers)
    var data: [FrameWord: DataPlace] = [:]
    for event in events where event.place.rawValue != 0 && data[event.place] == nil {
      let place = StackResolver.place(of: event.place, in: image)
      data[event.place] = DataPlace(place: place, symbol: symbolicator.dataSymbol(at: place))
    }
    self.data = data
  }

  /// A stack of an event; `nil` when there is none.
  func trace(_ stack: StackID, thread: UInt32, time: UInt32) -> StackTrace? {
    guard stack != .none || thread != 0 else { return nil }
    return StackTrace(
      frames: Self.withoutDeclaration(
        resolver.frameNumbers(of: stack).map { resolver.frames[$0] }),
      truncated: image.stack(stack).truncated,
      moment: StackTrace.Moment(
        thread: Int(thread), isMainThread: thread == image.header.pid,
        milliseconds: time == BlockRecord.noTime ? nil : Int(time)))
  }

  /// The frames behind the functions of bstrtrace.h that a declaration went through.
  private static func withoutDeclaration(_ frames: [Frame]) -> [Frame] {
    let passed = frames.prefix { $0.isPassedThrough }
    return passed.contains(where: \.isDeclaration) ? Array(frames[passed.count...]) : frames
  }

  /// The rule that would silence findings of a kind at a stack: it names the innermost function that
  /// acts for nobody else.
  func suppression(_ kind: Finding.Kind, at trace: StackTrace?) -> String {
    let frames = trace?.frames ?? []
    let responsible = frames.first { frame in
      !frame.isPassedThrough && frame.plainName.map { wrappers.contain($0) } != true
    }
    return "\(kind.rawValue):\((responsible ?? frames.first)?.suppressionPattern ?? "*")"
  }

  /// Whether what happened in a scope is asked about.
  func concerns(_ scope: ScopeID) -> Bool { self.scope == nil || self.scope == scope }

  /// Calls `body` with every live block that is a leak, in the order of their records.
  func forEachLeakedBlock(_ body: (BlockRecord) -> Void) {
    image.forEachLiveBlock { block in
      if block.scope != .ignored, concerns(block.scope) { body(block) }
    }
  }

  /// What was declared of a string, in order.
  func history(of serial: UInt64) -> [HistoryEvent] {
    let hasGap = declarations.gap(of: serial)
    return declarations.moments(of: serial).enumerated().compactMap { index, moment in
      guard let action = HistoryEvent.Action(moment.action),
        let trace = trace(moment.stack, thread: moment.thread, time: moment.milliseconds)
      else { return nil }
      let note = image.text(moment.note)
      return HistoryEvent(
        action: action, trace: trace, note: note.isEmpty || redact ? nil : note,
        isAfterGap: hasGap && index == 1)
    }
  }

  /// The stacks at which events were seen, each once.
  func distinctTraces(_ events: [EventRecord]) -> [StackTrace] {
    var seen: Set<[Int]> = []
    return events.compactMap { event in
      guard seen.insert(resolver.frameNumbers(of: event.detected)).inserted else { return nil }
      return trace(event.detected, thread: event.detectedThread, time: event.detectedTime)
    }
  }

  /// The string of an event, as it was kept.
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

/// What a static pointer points to.
struct DataPlace {
  var place: CodePlace
  var symbol: DataSymbol?
}

extension HistoryEvent.Action {
  /// The action with the store's number.
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
