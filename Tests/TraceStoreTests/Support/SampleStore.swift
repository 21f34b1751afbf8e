import Glibc
import Synchronization
import TestSupport

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
    writer.header.pointee.executable = writer.add("/bin/app")
    writer.header.pointee.arguments = writer.add("app\0-x\0\0")
    for name in ["/bin/app", "/lib/libx.so"] {
      let record = ModuleRecord(
        start: 0x1000, end: 0x9000, bias: 0x1000, path: writer.add(name),
        buildID: writer.add("\u{1}\u{2}\u{3}"))
      writer.add(record, to: .modules)
    }
    writer.add(UInt64(0), to: .stacks)
    writer.add(StackHead(hash: 7, count: 2, truncated: false).rawValue, to: .stacks)
    writer.add(
      FrameWord(module: ModuleID(rawValue: 2), address: 0x1234).rawValue, to: .stacks)
    writer.add(
      FrameWord(module: ModuleID(rawValue: 1), address: 0x2345).rawValue, to: .stacks)
    for serial in [UInt64(1), 0, 3] {
      writer.add(
        BlockRecord(
          address: 0x5000 + serial, serial: serial, byteLength: 6, stack: StackID(rawValue: 1),
          thread: 9, milliseconds: 5), to: .blocks)
    }
    writer.add(ValueHead(serial: 3, byteLength: 6, kept: 6), to: .values)
    writer.add(UInt64(0x0063_0062_0061), to: .values)
    for _ in 0..<3 { writer.count(.allocations, ofShard: 0) }
    for _ in 0..<1 { writer.count(.frees, ofShard: 0) }
    writer.publish()
    let image = try StoreImage(bytes: writer.bytes)
    writer.unmap()
    return image
  }
}
