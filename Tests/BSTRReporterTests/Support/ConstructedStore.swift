import Foundation
import TestSupport
import TraceStore

@testable import BSTRReporter

/// A store whose stacks are written as text, with a name for each frame.
///
/// A stack is "make:3 < main:20 < _start": functions with their lines, innermost first. "main:20#2"
/// is another call in the same line, and "?" a frame that nothing names.
struct ConstructedStore {
  private var calls: [String] = []
  private var stacks: [(text: String, calls: [Int])] = []
  private var pairs: [PairRecord] = []
  private var histories: [HistoryRecord] = []
  private var events: [EventRecord] = []
  /// Allocations of the whole process, beside what pairs count.
  var moreAllocations = 0
  /// Frees whose stacks were not recorded.
  var moreFrees = 0

  private static let module = "/home/me/app"
  private static let base: UInt64 = 0x40_0000

  /// The stack written as text: the same text is the same stack.
  mutating func stack(_ text: String) -> StackID {
    if let index = stacks.firstIndex(where: { $0.text == text }) { return id(ofStack: index) }
    let indices = text.components(separatedBy: " < ").map { call in
      if let index = calls.firstIndex(of: call) { return index }
      calls.append(call)
      return calls.count - 1
    }
    stacks.append((text, indices))
    return id(ofStack: stacks.count - 1)
  }

  /// Stacks lie one after the other behind an unused word, each with one word in front.
  private func id(ofStack index: Int) -> StackID {
    StackID(rawValue: UInt32(stacks[..<index].reduce(1) { $0 + 1 + $1.calls.count }))
  }

  /// Adds strings that were allocated and freed at two stacks.
  mutating func add(
    allocated: String, freed: String, count: Int = 1, crossedThreads: Bool = false
  ) {
    pairs.append(
      PairRecord(
        allocated: stack(allocated), freed: stack(freed), crossedThreads: crossedThreads,
        count: UInt64(count), bytes: UInt64(count * 2)))
  }

  /// Adds what was declared of a string, in order.
  mutating func add(_ entries: [(DeclaredAction, String)], of serial: UInt64) {
    var history = HistoryRecord()
    history.serial = serial
    history.total = UInt32(entries.count)
    for (index, (action, text)) in entries.enumerated() {
      history.entries[index].action = action.rawValue
      history.entries[index].stack = stack(text)
      history.entries[index].thread = 1
    }
    histories.append(history)
  }

  /// Adds an event of the string 1 in one thread; a stack may be missing.
  mutating func add(
    _ kind: EventKind, _ detail: EventDetail = .none, allocated: String, freed: String?,
    detected: String?
  ) -> EventRecord {
    var event = EventRecord(kind, detail)
    event.serial = 1
    event.allocated = stack(allocated)
    event.freed = freed.map { stack($0) } ?? .none
    event.detected = detected.map { stack($0) } ?? .none
    (event.allocatedThread, event.freedThread, event.detectedThread) = (1, 1, 1)
    events.append(event)
    return event
  }

  /// What the reporter makes of it.
  func evidence() throws -> (inference: OwnershipInference, declarations: Declarations) {
    let image = try image()
    var names = FakeSymbolicator(
      Dictionary(
        uniqueKeysWithValues: calls.enumerated().compactMap { index, call in
          Self.symbol(call).map { (Self.place(index), [$0]) }
        }))
    let all = stacks.indices.map { id(ofStack: $0) }
    let resolver = StackResolver(image, all, with: &names)
    let inference = OwnershipInference(image, resolver, Wrappers())
    return (inference, Declarations(image, inference.paths, Wrappers()))
  }

  private func image() throws -> StoreImage {
    let writer = StoreWriter(in: try Region.anonymous())
    writer.header.pointee.endState = EndState.exit.rawValue
    writer.add(
      ModuleRecord(
        start: Self.base, end: Self.base + 0x10_0000, bias: Self.base,
        path: writer.add(Self.module), buildID: .empty), to: .modules)
    writer.add(UInt64(0), to: .stacks)
    for stack in stacks {
      writer.add(
        StackHead(hash: 1, count: stack.calls.count, truncated: false).rawValue, to: .stacks)
      for call in stack.calls {
        let address = Self.base + Self.place(call).offset
        writer.add(
          FrameWord(module: ModuleID(rawValue: 1), address: address).rawValue, to: .stacks)
      }
    }
    for pair in pairs { writer.add(pair, to: .pairs) }
    for history in histories { writer.add(history, to: .histories) }
    for event in events { writer.add(event, to: .events) }
    let freed = pairs.reduce(0) { $0 + Int($1.count) }
    for _ in 0..<freed + moreAllocations { writer.count(.allocations, ofShard: 0) }
    for _ in 0..<freed + moreFrees { writer.count(.frees, ofShard: 0) }
    writer.publish()
    let image = try StoreImage(bytes: writer.bytes)
    writer.unmap()
    return image
  }

  private static func place(_ call: Int) -> CodeLocation {
    CodeLocation(module: module, buildID: nil, offset: 0x1000 + UInt64(call) * 0x10)
  }

  private static func symbol(_ call: String) -> Symbol? {
    let text = call.prefix { $0 != "#" }
    guard text != "?" else { return nil }
    let colon = text.lastIndex(of: ":")
    guard let colon, let line = Int(text[text.index(after: colon)...]) else {
      return Symbol(name: String(text))
    }
    return Symbol(name: String(text[..<colon]), file: "/src/app.cpp", line: line)
  }
}
