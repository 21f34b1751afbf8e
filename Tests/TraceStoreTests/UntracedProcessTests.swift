import Testing
import TraceStore

/// The note of a process that did not need the tracker, as a store.
@Suite struct UntracedProcessTests {
  private static func bytes(_ fields: [String]) -> [UInt8] { fields.flatMap { $0.utf8 + [0] } }

  private static let whole = [
    "1f", "1e", "f000", "5f5e100", "5f5e1ff", "7", "/bin/true", "2", "true", "--x", "400000",
    "401000", "0",
    "/bin/true", "7f00", "7fff", "7f00", "/lib/libc.so.6",
  ]

  @Test func aWholeNoteIsAStore() throws {
    let process = try #require(UntracedProcess(note: Self.bytes(Self.whole)))
    let image = process.image
    #expect(process.time == 100_000_255)
    #expect(image.header.pid == 31 && image.header.parentPid == 30)
    #expect(image.header.pidNamespace == 0xF000 && image.header.startTime == 100_000_000)
    #expect(image.header.suspended == 7 && image.header.areModulesNamed == 1)
    #expect(EndState(rawValue: image.header.endState) == .untraced)
    #expect(image.text(image.header.executable) == "/bin/true")
    #expect(image.text(image.header.arguments) == "true\0--x\0")
    let modules = (1...2).compactMap { image.module(ModuleID(rawValue: $0)) }
    #expect(modules.map { image.text($0.path) } == ["/bin/true", "/lib/libc.so.6"])
    #expect(modules.last?.start == 0x7F00 && modules.last?.end == 0x7FFF)
    #expect(image.module(ModuleID(rawValue: 3)) == nil)
    #expect(image.damage.isEmpty)
    // Packed and read again, as a kept store is.
    let packed = image.packed()
    let again = try packed.withUnsafeBytes { try StoreImage(bytes: $0) }
    #expect(again.text(again.header.executable) == "/bin/true")
    #expect(again.module(ModuleID(rawValue: 2))?.bias == 0x7000)
  }

  /// One that its process was just writing, or that something else wrote, is no store and harms
  /// nothing.
  @Test func whatIsNotWholeIsNone() {
    let bytes = Self.bytes(Self.whole)
    // But where a module's end is the note's.
    let ends = [bytes.count - Self.bytes(Array(Self.whole.suffix(4))).count, bytes.count]
    let noModules = Self.bytes(Array(Self.whole.prefix(10))).count
    for count in 0..<bytes.count where !(ends + [noModules]).contains(count) {
      #expect(UntracedProcess(note: Array(bytes.prefix(count))) == nil, "\(count)")
    }
    for index in [0, 1, 2, 3, 4, 5, 7, 10, 11, 12] {
      for wrong in ["", "x", "-1", "fffffffffffffffff"] {
        var fields = Self.whole
        fields[index] = wrong
        #expect(UntracedProcess(note: Self.bytes(fields)) == nil, "\(index) \(wrong)")
      }
    }
  }

  @Test func anEndIsNotedOnce() throws {
    var image = try #require(UntracedProcess(note: Self.bytes(Self.whole))).image
    image.noteEnd(.exit, status: 3)
    image.noteEnd(.exit, status: 4)
    #expect(EndState(rawValue: image.header.endState) == .exit)
    #expect(image.header.exitStatus == 3)
  }
}
