import Testing

@testable import BSTRReporter

/// The bytes of profiles, by the examples of the two standards.
@Suite struct PprofTests {
  @Test func numbersAreInGroupsOfSevenBits() {
    var message = ProtobufMessage()
    message.add(1, 150)
    #expect(message.bytes == [0x08, 0x96, 0x01])
    message.add(2, 0)
    #expect(message.bytes.count == 3)
    message.add(2, "testing")
    #expect(message.bytes[3...] == [0x12, 7, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6E, 0x67])
    var outer = ProtobufMessage()
    outer.add(6, [3, 270, 86942])
    #expect(outer.bytes == [0x32, 0x06, 0x03, 0x8E, 0x02, 0x9E, 0xA7, 0x05])
    var negative = ProtobufMessage()
    negative.add(1, -2)
    #expect(negative.bytes == [0x08, 0xFE] + Array(repeating: 0xFF, count: 8) + [0x01])
  }

  @Test func checksumIsTheStandardsExample() {
    #expect(Gzip.checksum(of: Array("123456789".utf8)) == 0xCBF4_3926)
    #expect(Gzip.checksum(of: []) == 0)
  }

  /// Offsets and counts of damaged stores may be any.
  @Test(arguments: [0, 1, 1 << 40, UInt64.max]) func anyOffsetHasALocation(offset: UInt64) {
    var profile = PprofProfile([.init(name: "inuse_space", unit: "bytes")])
    profile.add([Frame(module: "/lib/a.so", offset: offset)], [.max, .min])
    #expect(!profile.finished(comment: "").isEmpty)
  }

  @Test(arguments: [0, 1, 65_535, 65_536, 200_000]) func storedBlocksHaveAllBytes(count: Int) {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
    let file = Gzip.stored(bytes)
    var read: [UInt8] = []
    var at = 10
    var isLast = false
    while !isLast {
      isLast = file[at] == 1
      let length = Int(file[at + 1]) | Int(file[at + 2]) << 8
      let inverse = Int(file[at + 3]) | Int(file[at + 4]) << 8
      #expect(length ^ inverse == 0xFFFF)
      read += file[(at + 5)..<(at + 5 + length)]
      at += 5 + length
    }
    #expect(read == bytes && at == file.count - 8)
  }
}
