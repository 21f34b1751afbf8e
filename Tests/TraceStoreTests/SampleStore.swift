import Glibc
import Synchronization

@testable import TraceStore

/// A small, sound store, written as a process writes one.
enum SampleStore {
  /// Two modules, one stack of two frames, three blocks of which one is free, one value.
  static func bytes() throws -> [UInt8] {
    try image().packed()
  }

  static func image() throws -> StoreImage {
    let writer = StoreWriter(in: try Region.anonymous())
    writer.header.pointee.role = RecorderRole.linked.rawValue
    writer.header.pointee.pid = 4711
    writer.header.pointee.parentPid = 4710
    writer.header.pointee.olecharBytes = 2
    writer.header.pointee.payloadOffset = 8
    writer.header.pointee.executable = append("/bin/app", to: writer)
    writer.header.pointee.arguments = append("app\0-x\0\0", to: writer)
    for name in ["/bin/app", "/lib/libx.so"] {
      let record = ModuleRecord(
        start: 0x1000, end: 0x9000, bias: 0x1000, path: append(name, to: writer),
        buildID: append("\u{1}\u{2}\u{3}", to: writer))
      append(record, .modules, to: writer)
    }
    append(UInt64(0), .stacks, to: writer)
    append(StackHead(hash: 7, count: 2, truncated: false).rawValue, .stacks, to: writer)
    append(
      FrameWord(module: ModuleID(rawValue: 2), address: 0x1234).rawValue, .stacks, to: writer)
    append(
      FrameWord(module: ModuleID(rawValue: 1), address: 0x2345).rawValue, .stacks, to: writer)
    for serial in [UInt64(1), 0, 3] {
      append(
        BlockRecord(
          address: 0x5000 + serial, serial: serial, byteLength: 6, stack: StackID(rawValue: 1),
          thread: 9, milliseconds: 5), .blocks, to: writer)
    }
    append(ValueHead(serial: 3, byteLength: 6, kept: 6), .values, to: writer)
    append(UInt64(0x0063_0062_0061), .values, to: writer)
    writer.counter(.allocations).pointee.store(3, ordering: .relaxed)
    writer.counter(.frees).pointee.store(1, ordering: .relaxed)
    writer.publish()
    let image = try StoreImage(bytes: writer.bytes)
    writer.unmap()
    return image
  }

  private static func append(_ text: String, to writer: borrowing StoreWriter) -> TextReference {
    var text = text
    return text.withUTF8 { writer.append(text: UnsafeRawBufferPointer($0)) }
  }

  private static func append<Record: BitwiseCopyable>(
    _ record: Record, _ kind: SectionKind, to writer: borrowing StoreWriter
  ) {
    guard let room = writer.room(for: MemoryLayout<Record>.stride, in: kind) else { return }
    room.storeBytes(of: record, as: Record.self)
    writer.commit(MemoryLayout<Record>.stride, in: kind)
  }
}
