import TestSupport
import Testing
import TraceStore

@testable import BSTRReporter

/// The functions inside of a module, by its symbols.
@Suite struct FunctionFamilyTests {
  private static func file() throws -> ElfFile {
    try #require(ElfFile(bytes: FuzzCorpus("ElfCorpus").bytes(of: "family")))
  }

  @Test func aFamilyAndItsReader() throws {
    let family = FunctionFamily(in: try Self.file())
    #expect(family.replacement == .replaced)
    #expect(
      family.functions.map(\.name) == [
        "SysAllocString", "SysAllocStringLen", "SysFreeString", "SysStringLen",
      ])
    #expect(family.functions.map(\.address) == [0x38C, 0x350, 0x37D, 0x3A5])
  }

  /// By symbols that are elsewhere, and the file's own code.
  @Test func bySeparateSymbols() throws {
    let file = try Self.file()
    let family = FunctionFamily(in: file, separate: file)
    #expect(family.replacement == .replaced)
    #expect(family.functions.count == 4)
    let libc = try #require(ElfFile(path: "/lib/x86_64-linux-gnu/libc.so.6"))
    #expect(FunctionFamily(in: file, separate: libc).replacement == .none)
    #expect(FunctionFamily(in: libc).functions.isEmpty)
  }

  @Test func theNameOfADebugFile() throws {
    let link = try #require(try Self.file().debugLink)
    #expect(link.name == "family.debug")
    #expect(link.checksum == Gzip.checksum(of: Array("x\n".utf8)))
  }

  /// Where no program decompresses, modules with compressed symbols are counted.
  @Test func noProgramDecompresses() {
    #expect(Decompressor(in: "relative:/nowhere") == nil)
    #expect(Decompressor(in: "") == nil)
  }
}
