import Foundation
import TestSupport
import Testing
import TraceStore

@testable import BSTRReporter

/// Names of code that was made while the program ran.
@Suite struct PerfMapTests {
  private static func map(_ text: String) -> PerfMap { PerfMap(Array(text.utf8)) }

  @Test func linesThatAreUnderstoodNameAddresses() {
    let map = Self.map(
      """
      7f00 10 void [app] App::Main(string[])[Tier0]
      0x7F10 0x8 App:forget (int)

      nonsense
      7f20
      zz 10 no start
      7f30 0 no size
      7f40 10
      ffffffffffffffff 10 too far
      7f50 10 last
      """)
    #expect(map.name(at: 0x7EFF) == nil)
    #expect(map.name(at: 0x7F00) == "App::Main(string[])")
    #expect(map.name(at: 0x7F0F) == "App::Main(string[])")
    #expect(map.name(at: 0x7F10) == "App:forget(int)")
    #expect(map.name(at: 0x7F18) == nil)
    #expect(map.name(at: 0x7F30) == nil)
    #expect(map.name(at: 0x7F55) == "last")
    #expect(map.name(at: .max) == nil)
    #expect(Self.map("").name(at: 0) == nil)
  }

  @Test func theLatestOfTwoThatOverlapIsMeant() {
    let map = Self.map("1000 100 first\n1010 10 second\n1080 10 third\n1000 20 fourth\n")
    #expect(map.name(at: 0x1015) == "fourth")
    #expect(map.name(at: 0x1085) == "third")
    #expect(map.name(at: 0x10F0) == "first")
  }

  @Test(arguments: [
    (
      "instance void [app] App/Inner::Run(int32,class [mscorlib]System.Object)[OptimizedTier1]",
      "App/Inner::Run(int32,class [mscorlib]System.Object)"
    ),
    ("App:Main (string[])", "App:Main(string[])"),
    (
      "(wrapper managed-to-native) App:get_name (int)",
      "(wrapper managed-to-native) App:get_name(int)"
    ),
    ("stub<3> GenerateLookupStub", "stub<3> GenerateLookupStub"),
    ("LazyCompile:*f /a.js:3", "LazyCompile:*f /a.js:3"),
    ("red\u{1B}[31m\u{202E}", "red?[31m?"), ("f  ", "f"), ("[x] ", "[x]"),
  ])
  func namesAreThoseOfTheSource(_ text: String, _ name: String) {
    #expect(JITName.shown(text) == name)
  }

  @Test func damageNeverTraps() {
    var random = SeededGenerator(seed: 14)
    let whole = Array("7f00 10 void [app] App::Main(string[])[Tier0]\n7f10 8 f (a)\n".utf8)
    for _ in 0..<5000 {
      var bytes = whole
      for _ in 0..<6 {
        bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(
          in: 0...255, using: &random)
      }
      _ = PerfMap(bytes).name(at: UInt64.random(in: 0x7E00...0x8000, using: &random))
    }
  }

  // MARK: files

  private let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
  private let start: UInt64

  init() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    start = UInt64(now.nanoseconds)
  }

  private func write(_ text: String = "1000 100 jitted\n", pid: Int = 77) throws {
    try text.write(
      to: folder.appending(path: "perf-\(pid).map"), atomically: false, encoding: .utf8)
  }

  private func name(
    pid: Int = 77, start: UInt64? = nil, owner: uid_t = geteuid(), latest: Int64 = .max
  ) -> String? {
    var names = PerfMapSymbolicator(
      FakeSymbolicator([:]), latest: latest, folders: ["/no/such", folder.path], owner: owner)
    let place = CodeLocation(
      module: "", buildID: nil, offset: 0x1010,
      process: RecordedProcess(pid: pid, startTime: start ?? self.start))
    return names.symbols(for: [place])[place]?.first?.name
  }

  @Test func theProcesssOwnMapNames() throws {
    #expect(name() == nil)
    try write()
    #expect(name() == "jitted")
    #expect(name(pid: 78) == nil)
  }

  @Test func aProcessMayStartAfterTheSymbolicatorWasMade() throws {
    // As those of a sweep do.
    var names = PerfMapSymbolicator(FakeSymbolicator([:]), folders: [folder.path])
    try write()
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    let place = CodeLocation(
      module: "", buildID: nil, offset: 0x1010,
      process: RecordedProcess(pid: 77, startTime: UInt64(now.nanoseconds)))
    #expect(names.symbols(for: [place])[place]?.first?.name == "jitted")
  }

  @Test func anotherUsersMapNamesNothing() throws {
    try write()
    #expect(name(owner: geteuid() + 1) == nil)
  }

  @Test func aMapOfBeforeTheProcessNamesNothing() throws {
    try write()
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -60)],
      ofItemAtPath: folder.appending(path: "perf-77.map").path)
    #expect(name() == nil)
  }

  /// A process that began ten minutes ago, nine of which the machine slept.
  @Test func timeThatTheMachineSleptCounts() throws {
    try write()
    let minute: UInt64 = 60_000_000_000
    func name(sleptBefore: UInt32, writtenSecondsAgo seconds: Double) throws -> String? {
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: -seconds)],
        ofItemAtPath: folder.appending(path: "perf-77.map").path)
      var names = PerfMapSymbolicator(
        FakeSymbolicator([:]), folders: [folder.path],
        clocks: {
          var now = MachineClocks.now
          now.monotonic = 100 * minute
          now.suspended = 20 * minute
          return now
        })
      let place = CodeLocation(
        module: "", buildID: nil, offset: 0x1010,
        process: RecordedProcess(pid: 77, startTime: 99 * minute, suspended: sleptBefore))
      return names.symbols(for: [place])[place]?.first?.name
    }
    let slept = UInt32(11 * 60 * 100)
    #expect(try name(sleptBefore: slept, writtenSecondsAgo: 9 * 60) == "jitted")
    #expect(try name(sleptBefore: slept, writtenSecondsAgo: 11 * 60) == nil)
    // All of it was before the process.
    let all = UInt32(20 * 60 * 100)
    #expect(try name(sleptBefore: all, writtenSecondsAgo: 30) == "jitted")
    #expect(try name(sleptBefore: all, writtenSecondsAgo: 9 * 60) == nil)
  }

  @Test func aMapOfAfterTheStoreNamesNothing() throws {
    try write()
    let now = Int64(Date.now.timeIntervalSince1970 * 1e9)
    #expect(name(latest: now - 5_000_000_000) == nil)
    #expect(name(latest: now + 5_000_000_000) == "jitted")
  }

  @Test func aProcessOfBeforeTheMachineStartedIsNotAskedFor() throws {
    try write()
    #expect(name(start: .max) == nil)
    #expect(name(start: start + 3_600_000_000_000) == nil)
  }

  @Test func onlyRegularFilesAreRead() throws {
    try write(pid: 1)
    try FileManager.default.createSymbolicLink(
      atPath: folder.appending(path: "perf-77.map").path,
      withDestinationPath: folder.appending(path: "perf-1.map").path)
    #expect(name() == nil)
    #expect(name(pid: 1) == "jitted")
    // Whose other end nobody opens.
    #expect(mkfifo(folder.appending(path: "perf-2.map").path, 0o600) == 0)
    #expect(name(pid: 2) == nil)
    try FileManager.default.createDirectory(
      at: folder.appending(path: "perf-3.map"), withIntermediateDirectories: false)
    #expect(name(pid: 3) == nil)
  }

  /// Larger than what is read at a time, with lines over the ends of pieces and one that has no end
  /// for long.
  @Test func aLargeFileIsReadInPieces() throws {
    var text = ""
    for index in 1...20_000 { text += "\(String(index * 16, radix: 16)) 10 function_\(index)\n" }
    text += "7f000000 10 " + String(repeating: "x", count: 1 << 20) + "\n7f000010 10 behind"
    try write(text)
    let map = try #require(
      PerfMap(
        path: folder.appending(path: "perf-77.map").path,
        trust: PerfMap.Trust(owner: geteuid(), modified: .min ... .max)))
    for index in stride(from: 1, through: 20_000, by: 1) {
      #expect(map.name(at: UInt64(index * 16 + 3)) == "function_\(index)")
    }
    #expect(map.name(at: 0x7F00_0000) == String(repeating: "x", count: 1024))
    #expect(map.name(at: 0x7F00_0010) == "behind")
  }

  @Test func aHugeFileIsNotRead() throws {
    try write()
    #expect(truncate(folder.appending(path: "perf-77.map").path, 1 << 40) == 0)
    #expect(name() == nil)
  }

  // MARK: stores

  @Test func framesOfNoModuleAreAskedForWithTheirProcess() throws {
    let image = try SampleReport.image { writer in
      writer.add(StackHead(hash: 9, count: 2, truncated: false).rawValue, to: .stacks)
      writer.add(
        FrameWord(module: ModuleID(rawValue: 0), address: 0x7000_1010).rawValue, to: .stacks)
      writer.add(FrameWord(module: ModuleID(rawValue: 1), address: 0x40_3030).rawValue, to: .stacks)
    }
    try write("70001000 100 void [app] App::Leak()[Tier0]\n", pid: 4711)
    var names = PerfMapSymbolicator(SampleReport.names, folders: [folder.path])
    var image2 = image
    image2.noteEnd(.exit, status: 0)
    let stack = StackID(rawValue: 18)
    let frames = Reporter().frames(of: [stack], in: image2, symbolicator: &names)[stack] ?? []
    #expect(frames.map(\.name) == ["App::Leak()", "main"])
    #expect(frames.first?.suppressionPattern == "App::Leak")
    // Another process has other code at the address.
    let place = CodeLocation(
      module: "", buildID: nil, offset: 0x7000_1010,
      process: RecordedProcess(pid: 4712, startTime: 0))
    #expect(names.symbols(for: [place]).isEmpty)
  }
}
