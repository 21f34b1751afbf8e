// What finders work on: one process's store with names for everything in it.

import TraceStore

/// A store, read and named once for all finders.
struct Evidence {
  let image: StoreImage
  let resolver: StackResolver
  let events: [EventRecord]
  /// What the traffic says of who owns what.
  let inference: OwnershipInference
  /// What live strings said at the end, by serial number; empty with `redact`.
  let values: [UInt64: StoredValue]
  /// What static pointers of events point to.
  let data: [FrameWord: DataPlace]
  let redact: Bool

  var olecharBytes: Int { Int(image.header.olecharBytes) }

  /// Names every stack that a finding may show.
  ///
  /// - Parameter isRunning: whether live blocks are no leaks yet.
  init(
    _ image: StoreImage, with symbolicator: inout some Symbolicator, redact: Bool,
    wrappers: Wrappers, isRunning: Bool
  ) {
    self.image = image
    self.redact = redact
    events = image.events
    values = redact ? [:] : image.values()
    var stacks = Set(events.flatMap { [$0.allocated, $0.freed, $0.detected] })
    if !isRunning { image.forEachLiveBlock { stacks.insert($0.stack) } }
    for pair in image.pairs { stacks.formUnion([pair.allocated, pair.freed]) }
    stacks.remove(.none)
    resolver = StackResolver(image, Array(stacks), with: &symbolicator)
    inference = OwnershipInference(image, resolver, wrappers)
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
      frames: resolver.frameNumbers(of: stack).map { resolver.frames[$0] },
      truncated: image.stack(stack).truncated,
      moment: StackTrace.Moment(
        thread: Int(thread), isMainThread: thread == image.header.pid, milliseconds: Int(time)))
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
      StoredValue(bytes: Array(image.rawText(event.value)), byteLength: Int(event.byteLength)),
      olecharBytes: olecharBytes)
  }
}

/// What a static pointer points to.
struct DataPlace {
  var place: CodePlace
  var symbol: DataSymbol?
}
