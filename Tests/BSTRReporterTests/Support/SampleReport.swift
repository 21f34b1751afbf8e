import Synchronization
import TestSupport
import TraceStore

@testable import BSTRReporter

/// A store and names for it that are the same on every machine.
enum SampleReport {
  /// Three leaks from two stacks, one of them recorded twice, and one stack without names.
  static func image(
    redactable text: String = "Status Text", and more: (borrowing StoreWriter) -> Void = { _ in }
  ) throws -> StoreImage {
    let writer = StoreWriter(in: try Region.anonymous())
    let header = writer.header
    header.pointee.role = RecorderRole.preloaded.rawValue
    header.pointee.pid = 4711
    header.pointee.parentPid = 4710
    header.pointee.olecharBytes = 2
    header.pointee.payloadOffset = 8
    header.pointee.endState = EndState.exit.rawValue
    header.pointee.executable = writer.add("/home/me/status-text")
    header.pointee.arguments = writer.add("./status-text\0--now\0")
    writer.add(
      ModuleRecord(
        start: 0x40_0000, end: 0x50_0000, bias: 0x40_0000,
        path: writer.add("/home/me/status-text"),
        buildID: writer.add("\u{1}\u{2}\u{3}")), to: .modules)
    writer.add(
      ModuleRecord(
        start: 0x60_0000, end: 0x70_0000, bias: 0x60_0000,
        path: writer.add("/usr/lib/libplugin.so"), buildID: .empty), to: .modules)
    writer.add(UInt64(0), to: .stacks)
    // 1: get_StatusText, inlined in update < ShowStatus < main < _start
    stack([(1, 0x1010), (1, 0x2020), (1, 0x3030), (1, 0x4040)], to: writer)
    // 6: the same lines from another call in ShowStatus's line
    stack([(1, 0x1010), (1, 0x2024), (1, 0x3030), (1, 0x4040)], to: writer)
    // 11: a plug-in without names
    stack([(2, 0x1234), (1, 0x3040)], truncated: true, to: writer)
    // 14: where ShowStatus frees what it was given
    stack([(1, 0x2040), (1, 0x3030), (1, 0x4040)], to: writer)
    writer.add(
      PairRecord(
        allocated: StackID(rawValue: 1), freed: StackID(rawValue: 14), crossedThreads: false,
        count: 97, bytes: 2134), to: .pairs)
    for (serial, stack, bytes) in [(1, 1, 22), (2, 6, 22), (4, 11, 6), (5, 1, 22)] {
      writer.add(
        BlockRecord(
          address: 0x1000 + UInt64(bytes), serial: UInt64(serial), byteLength: UInt32(bytes),
          stack: StackID(rawValue: UInt32(stack)), thread: 4711, milliseconds: 3), to: .blocks)
    }
    value(1, text, to: writer)
    value(2, text, to: writer)
    value(5, "tab\t\"quoted\" \u{1B}[31m\u{202E}\u{1F600}", to: writer)
    for _ in 0..<104 { writer.count(.allocations, ofShard: 0) }
    for _ in 0..<100 { writer.count(.frees, ofShard: 0) }
    writer.counter(.peakLive).pointee.store(9, ordering: .relaxed)
    more(writer)
    writer.publish()
    let image = try StoreImage(bytes: writer.bytes)
    writer.unmap()
    return image
  }

  /// The same, with what holds the strings: of the first stack a variable, by two ways, of the other
  /// nobody.
  static func held() throws -> StoreImage {
    try image { writer in
      writer.header.pointee.holderScan = HolderScan.complete.rawValue
      writer.add(holder(of: 1, .data, at: 0x9110), to: .holders)
      writer.add(holder(of: 2, .heap), to: .holders)
      writer.add(holder(of: 2, .data, at: 0x9118), to: .holders)
      writer.add(HolderRecord(serial: 5, kind: .nobody), to: .holders)
      writer.add(holder(of: 4, .heap), to: .holders)
      writer.add(holder(of: 4, .data, at: 0x9118), to: .holders)
    }
  }

  private static func holder(
    of serial: UInt64, _ kind: HolderPlace, at place: UInt64 = 0
  ) -> HolderRecord {
    var record = HolderRecord(serial: serial, kind: kind)
    func word(_ offset: UInt64) -> FrameWord {
      FrameWord(module: ModuleID(rawValue: 1), address: 0x40_0000 + offset)
    }
    if kind == .heap {
      (record.type, record.blockBytes, record.offset) = (word(0x9210), 24, 8)
    } else {
      record.place = word(place)
    }
    return record
  }

  /// One fault of each kind and detail, the first of them twice.
  static func faults() throws -> StoreImage {
    try image { writer in
      let value = writer.add("S\0t\0a\0t\0u\0s\0")
      for var event in events {
        if event.serial != 0 { event.value = value }
        writer.add(event, to: .events)
      }
      writer.counter(.injectedFailures).pointee.store(4, ordering: .relaxed)
    }
  }

  /// The events of corruption.
  static var corruption: [EventRecord] { events.filter { $0.found != 0 } }

  private static var events: [EventRecord] {
    let none: UInt32 = 0
    var events = [
      event(.doubleFree, freed: 11), event(.doubleFree, freed: 11),
      event(.doubleFree, .reused, freed: 11),
      event(.invalidFree, .stack, allocated: none, changed: 4711),
      event(.invalidFree, .stack, allocated: none, changed: 4799),
      event(.invalidFree, .static, allocated: none, place: 0x9010),
      event(.invalidFree, .static, allocated: none, place: 0x9050),
      event(.invalidFree, .immortal, allocated: none, place: 0x9090),
      event(.invalidFree, .interior, offset: 6),
      event(.invalidFree, .freedInterior, freed: 11, offset: -2),
      event(.invalidFree, .heap, allocated: none),
      event(.invalidFree, .unmapped, allocated: none),
      event(.invalidFree, .foreignBSTR, allocated: none),
      event(.wrongDeallocator, .free), event(.wrongDeallocator, .realloc),
      event(.writeAfterFree, freed: 11, offset: 4, changed: 2, found: 0xFDFD_FDFD_FDFD_0041),
      event(.writeAfterFree, freed: 11, offset: -4, changed: 4, found: 7),
      event(.overrun, offset: 24, changed: 3, found: 0xFBFB_FBFB_FB00_0041),
      event(.prefixDamage, offset: -4, changed: 4, found: 4000),
      event(.invalidUse, .literal, allocated: none, place: 0x9050),
      event(.invalidUse, .noPrefix, allocated: none),
      event(.invalidUse, .freed, freed: 11),
      event(.failedAllocation, allocated: none, changed: 3),
    ]
    for index in events.indices {
      let time = UInt32(index + 1)
      events[index].detectedTime = 100 + time
      if events[index].serial != 0 {
        events[index].serial = UInt64(time)
        events[index].allocatedTime = time
      }
      if events[index].freed != .none { events[index].freedTime = 50 + time }
      // What was damaged was not seen being damaged.
      if EventKind(rawValue: events[index].kind) == .writeAfterFree {
        events[index].detected = .none
        events[index].detectedThread = 0
        events[index].detectedTime = 0
      }
    }
    for (kind, stack) in [(EventKind.pin, 6), (.pin, 6), (.deferredFree, 11)] {
      var pin = EventRecord(kind)
      pin.pointer = 0x1006
      pin.detected = StackID(rawValue: UInt32(stack))
      pin.detectedThread = 4711
      pin.detectedTime = 9
      events.append(pin)
    }
    return events
  }

  private static func event(
    _ kind: EventKind, _ detail: EventDetail = .none, freed: UInt32 = 0, allocated: UInt32 = 1,
    offset: Int32 = 0, changed: UInt32 = 0, found: UInt64 = 0, place: UInt64 = 0
  ) -> EventRecord {
    var event = EventRecord(kind, detail)
    event.changed = changed
    event.found = found
    event.offset = offset
    event.detected = StackID(rawValue: 6)
    event.detectedThread = 4711
    if place != 0 {
      event.data = FrameWord(module: ModuleID(rawValue: 1), address: 0x40_0000 + place)
    }
    if allocated != 0 {
      event.serial = 1
      event.byteLength = 22
      event.allocated = StackID(rawValue: allocated)
      event.allocatedThread = 4711
    }
    if freed != 0 {
      event.freed = StackID(rawValue: freed)
      event.freedThread = 4712
    }
    return event
  }

  static let names = FakeSymbolicator(
    [
      place(0x1010): [
        Symbol(
          name: "CMyClass::get_StatusText(char16_t**)", file: "/src/status.cpp", line: 14,
          column: 3,
          inlined: true),
        Symbol(name: "CMyClass::update()", file: "/src/status.cpp", line: 20, column: 5),
      ],
      place(0x2020): [Symbol(name: "ShowStatus(CMyClass&)", file: "/src/status.cpp", line: 31)],
      place(0x2024): [Symbol(name: "ShowStatus(CMyClass&)", file: "/src/status.cpp", line: 31)],
      place(0x2040): [Symbol(name: "ShowStatus(CMyClass&)", file: "/src/status.cpp", line: 36)],
      place(0x3030): [Symbol(name: "main", file: "/src/status.cpp", line: 52)],
      place(0x3040): [Symbol(name: "main", file: "/src/status.cpp", line: 60)],
      place(0x4040): [Symbol(name: "_start")],
    ],
    data: [
      place(0x9010): DataSymbol(name: "greeting", offset: 0, isReadOnly: false),
      place(0x9050): DataSymbol(name: nil, offset: 0, isReadOnly: true),
      place(0x9090): DataSymbol(name: "unknown_literal", offset: 8, isReadOnly: false),
      place(0x9110): DataSymbol(name: "g_status", offset: 0, isReadOnly: false, section: ".bss"),
      place(0x9118): DataSymbol(name: "g_status", offset: 8, isReadOnly: false, section: ".bss"),
      place(0x9210): DataSymbol(name: "vtable for StatusCache", offset: 16, isReadOnly: true),
    ])

  private static func place(_ offset: UInt64) -> CodeLocation {
    CodeLocation(module: "/home/me/status-text", buildID: "010203", offset: offset)
  }

  private static func stack(
    _ frames: [(module: UInt16, offset: UInt64)], truncated: Bool = false,
    to writer: borrowing StoreWriter
  ) {
    writer.add(
      StackHead(hash: 1, count: frames.count, truncated: truncated).rawValue, to: .stacks)
    for frame in frames {
      let base: UInt64 = frame.module == 1 ? 0x40_0000 : 0x60_0000
      writer.add(
        FrameWord(module: ModuleID(rawValue: frame.module), address: base + frame.offset).rawValue,
        to: .stacks)
    }
  }

  private static func value(_ serial: UInt64, _ text: String, to writer: borrowing StoreWriter) {
    let bytes = text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }.prefix(64)
    writer.add(
      ValueHead(
        serial: serial, byteLength: UInt32(text.utf16.count * 2), kept: UInt16(bytes.count)),
      to: .values)
    for start in stride(from: 0, to: bytes.count, by: 8) {
      let word = (0..<8).reduce(UInt64(0)) { word, index in
        start + index < bytes.count ? word | UInt64(bytes[start + index]) << (8 * index) : word
      }
      writer.add(word, to: .values)
    }
  }
}
