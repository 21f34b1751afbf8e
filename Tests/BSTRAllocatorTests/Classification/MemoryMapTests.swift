import Foundation
import Testing

@testable import BSTRAllocator

/// Lines of /proc/self/maps, the real ones and constructed ones.
@Suite struct MemoryMapTests {
  /// Finds an address among lines, which end as the kernel's do.
  private func find(_ address: UInt, _ lines: [String]) throws -> MemoryMap.Mapping {
    try find(address, text: lines.map { $0 + "\n" }.joined())
  }

  private func find(_ address: UInt, text: String) throws -> MemoryMap.Mapping {
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try Data(text.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    return file.path.withCString { MemoryMap.find(address, in: $0) }
  }

  private static let lines = [
    "00400000-00401000 r-xp 00000000 fd:01 1234                               /usr/bin/true",
    "00601000-00622000 rw-p 00000000 00:00 0                                  [heap]",
    "7f0000000000-7f0000021000 rw-p 00000000 00:00 0 ",
    "7f0000021000-7f0004000000 ---p 00000000 00:00 0 ",
    "7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]",
    "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]",
  ]

  @Test func anAddressIsFoundFromTheFirstByteToTheLast() throws {
    for address: UInt in [0x40_0000, 0x40_0FFF] {
      let mapping = try find(address, Self.lines)
      #expect(mapping.start == 0x40_0000 && mapping.end == 0x40_1000)
      #expect(!mapping.isAnonymous && !mapping.isHeap && !mapping.isStack)
    }
    for address: UInt in [0x3F_FFFF, 0x40_1000, 0, .max] {
      let mapping = try find(address, Self.lines)
      #expect(mapping.end == 0)
    }
    let last = try find(0xFFFF_FFFF_FF60_0800, Self.lines)
    #expect(last.start == 0xFFFF_FFFF_FF60_0000)
  }

  @Test func mappingsAreKnownByTheirNames() throws {
    #expect(try find(0x60_1000, Self.lines).isHeap)
    #expect(try find(0x7FFD_0000_0000, Self.lines).isStack)
    let anonymous = try find(0x7F00_0000_0000, Self.lines)
    #expect(anonymous.isAnonymous && !anonymous.isHeap && !anonymous.isStack)
    #expect(try find(0x7F00_0002_1000, Self.lines).start == 0x7F00_0002_1000)
  }

  /// A file may have any name.
  @Test(arguments: [
    "/tmp/data.0", "/tmp/0", "/tmp/ends in a space ", "/tmp/[heap]", "/tmp/[stack]", "/[heap]",
    "[heap] (deleted)", "[anon: heap 0]", "a [stack]",
  ])
  func aNameIsTakenAsAWhole(name: String) throws {
    let line = "1000-2000 rw-p 00000000 08:01 77                    \(name)"
    let mapping = try find(0x1800, [line])
    #expect(mapping.start == 0x1000 && mapping.end == 0x2000)
    #expect(!mapping.isAnonymous && !mapping.isHeap && !mapping.isStack)
  }

  @Test(arguments: [
    "", "\n", "\n\n1000-2000 rw-p 0 0 0\n", "1000", "-", "zz-zz rw-p\n", "1000-2000",
  ])
  func whatIsNoLineIsPassedOver(text: String) throws {
    let mapping = try find(0x1800, text: text)
    let isLine = text.contains("1000-2000 ")
    #expect((mapping.end != 0) == isLine)
  }

  /// The file is read in pieces, which end in the middle of lines.
  @Test func linesMayCrossPieces() throws {
    let lines = (0..<3000).map { index in
      let start = 0x1000 * UInt(index + 1)
      let range = "\(String(start, radix: 16))-\(String(start + 0x1000, radix: 16))"
      return "\(range) rw-p 00000000 00:00 0   /\(String(repeating: "x", count: index % 97))"
    }
    for index in stride(from: 0, to: 3000, by: 37) {
      let start = 0x1000 * UInt(index + 1)
      let mapping = try find(start + 5, lines)
      #expect(mapping.start == start && mapping.end == start + 0x1000)
    }
  }

  @Test func aLineThatIsTooLongEndsTheSearch() throws {
    let long = "1000-2000 rw-p 00000000 00:00 0 /" + String(repeating: "x", count: 1 << 17)
    let mapping = try find(0x5800, [long, "5000-6000 rw-p 00000000 00:00 0 "])
    #expect(mapping.end == 0)
  }

  @Test func aMissingFileHasNone() {
    #expect("/no/such/file".withCString { MemoryMap.find(1, in: $0) }.end == 0)
  }

  @Test func thisProcessIsReadAsItIs() throws {
    var local = 0
    let (stack, isNamed) = withUnsafePointer(to: &local) {
      (MemoryMap.find(UInt(bitPattern: $0)), UInt(bitPattern: $0))
    }
    #expect(stack.start <= isNamed && isNamed < stack.end)
    let bytes = 3 * 4096
    let memory = try #require(PrivateMemory.map(bytes))
    defer { munmap(memory, bytes) }
    let start = UInt(bitPattern: memory)
    mprotect(memory + 4096, 4096, PROT_NONE)
    let middle = MemoryMap.find(start + 4096)
    #expect(middle.start == start + 4096 && middle.end == start + 8192)
    #expect(middle.isAnonymous && !middle.isHeap)
    // Each line of the kernel's is found by its own address.
    let text = try String(contentsOfFile: "/proc/self/maps", encoding: .utf8)
    var heaps = 0
    for line in text.split(separator: "\n") where line.hasSuffix("]") || line.contains("/") {
      let first = line.prefix { $0 != "-" }
      let address = try #require(UInt(first, radix: 16))
      let mapping = MemoryMap.find(address)
      // Others allocate meanwhile, but nobody unmaps these.
      #expect(mapping.start == address || mapping.start != 0, "\(line)")
      #expect(mapping.isHeap == line.hasSuffix(" [heap]"), "\(line)")
      #expect(mapping.isStack == line.hasSuffix(" [stack]"), "\(line)")
      #expect(!mapping.isAnonymous, "\(line)")
      heaps += mapping.isHeap ? 1 : 0
    }
    #expect(heaps <= 1)
  }
}
