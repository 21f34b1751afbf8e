import Synchronization
import TestSupport
import TraceStore

@testable import BSTRReporter

/// A store and names for it that are the same on every machine.
enum SampleReport {
  /// Three leaks from two stacks, one of them recorded twice, and one stack without names.
  static func image(redactable text: String = "Status Text") throws -> StoreImage {
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
    for (serial, stack, bytes) in [(1, 1, 22), (2, 6, 22), (4, 11, 6), (5, 1, 22)] {
      writer.add(
        BlockRecord(
          address: 0x1000, serial: UInt64(serial), byteLength: UInt32(bytes),
          stack: StackID(rawValue: UInt32(stack)), thread: 4711, milliseconds: 3), to: .blocks)
    }
    value(1, text, to: writer)
    value(2, text, to: writer)
    value(5, "tab\t\"quoted\" \u{1B}[31m\u{202E}\u{1F600}", to: writer)
    writer.counter(.allocations).pointee.store(104, ordering: .relaxed)
    writer.counter(.frees).pointee.store(100, ordering: .relaxed)
    writer.counter(.peakLive).pointee.store(9, ordering: .relaxed)
    writer.counter(.invalidFrees).pointee.store(1, ordering: .relaxed)
    writer.publish()
    let image = try StoreImage(bytes: writer.bytes)
    writer.unmap()
    return image
  }

  static let names = FakeSymbolicator([
    place(0x1010): [
      Symbol(
        name: "CMyClass::get_StatusText(char16_t**)", file: "/src/status.cpp", line: 14, column: 3,
        inlined: true),
      Symbol(name: "CMyClass::update()", file: "/src/status.cpp", line: 20, column: 5),
    ],
    place(0x2020): [Symbol(name: "ShowStatus(CMyClass&)", file: "/src/status.cpp", line: 31)],
    place(0x2024): [Symbol(name: "ShowStatus(CMyClass&)", file: "/src/status.cpp", line: 31)],
    place(0x3030): [Symbol(name: "main", file: "/src/status.cpp", line: 52)],
    place(0x3040): [Symbol(name: "main", file: "/src/status.cpp", line: 60)],
    place(0x4040): [Symbol(name: "_start")],
  ])

  private static func place(_ offset: UInt64) -> CodePlace {
    CodePlace(module: "/home/me/status-text", buildID: "010203", offset: offset)
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
        serial: serial, byteLength: UInt32(text.utf16.count * 2), kept: UInt32(bytes.count)),
      to: .values)
    for start in stride(from: 0, to: bytes.count, by: 8) {
      let word = (0..<8).reduce(UInt64(0)) { word, index in
        start + index < bytes.count ? word | UInt64(bytes[start + index]) << (8 * index) : word
      }
      writer.add(word, to: .values)
    }
  }
}
