import Glibc
import TestSupport
import TraceStore

@testable import BSTRReporter

/// The BSTR calls of a process that never ran: stacks of functions that exist by their names alone.
///
/// A stack is written from the outside in, as `main:10 > show():5 > get(char16_t**):3`: functions, each with the
/// line that it called the next from. `show():5#2` is another call in that line.
final class Traffic {
  private let writer: StoreWriter
  private var names: [CodePlace: [Symbol]] = [:]
  private var offsets: [String: UInt64] = [:]
  private var stacks: [String: StackID] = [:]
  private var nextWord: UInt32 = 1
  private var serial: UInt64 = 0
  private static let module = "/home/me/program"

  init() throws {
    writer = StoreWriter(in: try Region.anonymous())
    let header = writer.header
    header.pointee.role = RecorderRole.preloaded.rawValue
    header.pointee.pid = 1
    header.pointee.olecharBytes = 2
    header.pointee.payloadOffset = 8
    header.pointee.endState = EndState.exit.rawValue
    writer.add(
      ModuleRecord(
        start: 0x40_0000, end: 0x50_0000, bias: 0x40_0000, path: writer.add(Self.module),
        buildID: .empty), to: .modules)
    writer.add(UInt64(0), to: .stacks)
    _ = offset(of: "_start:0")
  }

  deinit {
    munmap(UnsafeMutableRawPointer(mutating: writer.bytes.baseAddress), writer.bytes.count)
  }

  // MARK: stacks

  private func offset(of call: String) -> UInt64 {
    if let known = offsets[call] { return known }
    let offset = 0x1000 + 0x10 * UInt64(offsets.count)
    offsets[call] = offset
    let place = call.split(separator: "#")[0]
    let colon = place.lastIndex(of: ":")!
    let name = String(place[..<colon])
    let isStart = name == "_start"
    names[CodePlace(module: Self.module, buildID: nil, offset: offset)] = [
      Symbol(
        name: name, file: isStart ? nil : "/src/program.cpp",
        line: isStart ? nil : Int(place[place.index(after: colon)...]))
    ]
    return offset
  }

  /// The id of a stack.
  func stack(_ text: String) -> StackID {
    if let known = stacks[text] { return known }
    let calls = text.split(separator: " > ").map(String.init).reversed() + ["_start:0"]
    let id = StackID(rawValue: nextWord)
    writer.add(
      StackHead(hash: 1, count: calls.count, truncated: false).rawValue, to: .stacks)
    for call in calls {
      writer.add(
        FrameWord(module: ModuleID(rawValue: 1), address: 0x40_0000 + offset(of: call)).rawValue,
        to: .stacks)
    }
    nextWord += UInt32(calls.count) + 1
    stacks[text] = id
    return id
  }

  // MARK: what happened

  private func count(_ counter: StoreWriter.PartCount, _ count: Int) {
    for _ in 0..<count { writer.count(counter, ofPart: 0) }
  }

  /// Strings that were allocated and freed.
  func freed(_ count: Int, _ allocated: String, by freed: String, inAnotherThread: Bool = false) {
    writer.add(
      PairRecord(
        allocated: stack(allocated), freed: stack(freed), crossedThreads: inAnotherThread,
        count: UInt64(count), bytes: UInt64(8 * count)), to: .pairs)
    self.count(.allocations, count)
    self.count(.frees, count)
    serial += UInt64(count)
  }

  /// Frees of which nobody knows where they were made.
  func freedUnseen(_ count: Int) {
    self.count(.allocations, count)
    self.count(.frees, count)
    serial += UInt64(count)
  }

  /// A string that nobody freed.
  ///
  /// - Returns: its serial number.
  @discardableResult func leaked(_ allocated: String) -> UInt64 {
    serial += 1
    writer.add(
      BlockRecord(
        address: 0x1000 + 64 * serial, serial: serial, byteLength: 8, stack: stack(allocated),
        thread: 1, milliseconds: 1), to: .blocks)
    count(.allocations, 1)
    return serial
  }

  /// Something that went wrong with a string.
  ///
  /// - Parameter threads: in which it was allocated, freed, and seen again.
  @discardableResult func fault(
    _ kind: EventKind, _ detail: EventDetail = .none, allocated: String? = nil,
    freed: String? = nil, detected: String, threads: [UInt32] = [1, 1, 1]
  ) -> UInt64 {
    serial += 1
    count(.allocations, 1)
    var event = EventRecord(kind, detail)
    event.serial = serial
    event.byteLength = 8
    event.pointer = 0x1000 + 64 * serial
    if let allocated { event.allocated = stack(allocated) }
    if let freed { event.freed = stack(freed) }
    event.detected = stack(detected)
    (event.allocatedThread, event.freedThread, event.detectedThread) = (
      threads[0], threads[1], threads[2]
    )
    writer.add(event, to: .events)
    return serial
  }

  /// What the program declared of a string, in order.
  func declared(_ serial: UInt64, _ actions: [(DeclaredAction, String)]) {
    var history = HistoryRecord()
    history.serial = serial
    history.total = UInt32(actions.count)
    for (index, (action, stack)) in actions.enumerated() {
      history.moments[index].action = action.rawValue
      history.moments[index].stack = self.stack(stack)
      history.moments[index].thread = 1
    }
    writer.add(history, to: .histories)
  }

  // MARK: what is said of it

  /// The findings of one kind.
  func findings(_ kind: Finding.Kind) throws -> [Finding] {
    writer.publish()
    let image = try StoreImage(bytes: writer.bytes)
    var names = FakeSymbolicator(names)
    return Reporter().report(on: [image], symbolicator: &names).findings
      .filter { $0.kind == kind }
  }
}
