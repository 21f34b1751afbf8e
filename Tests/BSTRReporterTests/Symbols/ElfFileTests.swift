import Foundation
import TestSupport
import Testing

@testable import BSTRReporter

/// The ELF reader on real files and on thousands of damaged ones.
@Suite struct ElfFileTests {
  private static let libc = "/lib/x86_64-linux-gnu/libc.so.6"

  @Test func readsTheCLibrary() throws {
    let file = try #require(ElfFile(path: Self.libc))
    #expect(file.buildID?.count == 40)
    let malloc = try #require(file.dynamicSymbols.first { $0.name == "malloc" })
    #expect(malloc.isDefined && malloc.isFunction && malloc.value > 0 && malloc.size > 0)
  }

  @Test func whatIsNoElfFileIsNone() {
    #expect(ElfFile(path: "/no/such/file") == nil)
    #expect(ElfFile(path: #filePath) == nil)
    #expect(ElfFile(bytes: Data()) == nil)
  }

  @Test func linksAreFollowedAndPipesAreNotOpened() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let link = folder.appending(path: "libc.so").path
    try FileManager.default.createSymbolicLink(
      atPath: link, withDestinationPath: "\(folder.path)/libc.so.6")
    #expect(ElfFile(path: link) == nil)
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder.path)/libc.so.6", withDestinationPath: Self.libc)
    #expect(ElfFile(path: link)?.buildID == ElfFile(path: Self.libc)?.buildID)
    let pipe = folder.appending(path: "pipe").path
    #expect(mkfifo(pipe, 0o600) == 0)
    #expect(ElfFile(path: pipe) == nil)
    #expect(ElfFile(path: folder.path) == nil)
  }

  @Test func sectionsAreKnownByTheirNames() throws {
    let file = try #require(ElfFile(path: Self.libc))
    #expect(file.hasSection(".dynsym"))
    #expect(!file.hasSection(".no_such"))
  }

  @Test func oneOfSeveralNamesIsChosen() throws {
    let file = try #require(ElfFile(path: "/usr/lib/x86_64-linux-gnu/libunwind.so.8"))
    let symbols = file.dynamicSymbols.filter { $0.isDefined && $0.isFunction && $0.size > 1 }
    let function = try #require(symbols.first { $0.name == "unw_backtrace" })
    let names = Set(symbols.filter { $0.value == function.value }.map(\.name))
    try #require(names == ["backtrace", "unw_backtrace"])
    let single = try #require(
      symbols.first { one in symbols.count { $0.value == one.value } == 1 })
    let addresses = [
      function.value, function.value + function.size - 1, function.value + function.size,
      single.value,
    ]
    let chosen = file.preferredAliases(at: Set(addresses))
    // The other one is weak.
    #expect(chosen[addresses[0]] == "unw_backtrace")
    #expect(chosen[addresses[1]] == "unw_backtrace")
    #expect(chosen[addresses[2]] != "unw_backtrace")
    #expect(chosen[single.value] == nil)
  }

  @Test func aFileThatIsCutOffWhileItIsReadEndsNothing() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let copy = folder.appending(path: "libc.so.6").path
    func file() throws -> ElfFile {
      try? FileManager.default.removeItem(atPath: copy)
      try FileManager.default.copyItem(
        at: URL(filePath: Self.libc).resolvingSymlinksInPath(), to: URL(filePath: copy))
      return try #require(ElfFile(path: copy))
    }
    let buildID = try #require(try file().buildID)
    #expect(buildID.count == 40)
    let cut = try file()
    #expect(truncate(copy, 100) == 0)
    #expect(cut.buildID == nil)
    #expect(cut.dynamicSymbols.isEmpty)
    #expect(!cut.hasSection(".dynsym"))
    #expect(cut.preferredAliases(at: [0x1000]).isEmpty)
    // Nor is anything read of another file that has taken its place: the first one is still open, or
    // another test's file is.
    let replaced = try file()
    try FileManager.default.removeItem(atPath: copy)
    try FileManager.default.copyItem(
      at: URL(filePath: "/proc/self/exe").resolvingSymlinksInPath(), to: URL(filePath: copy))
    #expect(replaced.buildID ?? buildID == buildID)
  }

  @Test func damageNeverTraps() throws {
    let whole = try Data(contentsOf: URL(filePath: "/proc/self/exe").resolvingSymlinksInPath())
    // The headers are at both ends; what is between is not looked at.
    let small = try Data(contentsOf: URL(filePath: "/usr/bin/true"))
    var random = SeededGenerator.printingSeed()
    #expect(ElfFile(bytes: whole) != nil)
    for _ in 0..<3000 {
      var bytes = small
      for _ in 0..<8 {
        let nearStart = Bool.random(using: &random)
        let range = nearStart ? 0..<64 : max(0, bytes.count - 4096)..<bytes.count
        bytes[Int.random(in: range, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      if Bool.random(using: &random) {
        bytes = bytes.prefix(Int.random(in: 0..<bytes.count, using: &random))
      }
      let file = ElfFile(bytes: Data(bytes))
      _ = file?.buildID
      _ = file?.dynamicSymbols.count
      _ = file?.hasSection(".debug_info")
      _ = file?.preferredAliases(at: [1, 0x1000, 0x2000, .max])
    }
  }
}
