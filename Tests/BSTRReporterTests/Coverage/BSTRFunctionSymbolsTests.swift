import Testing

@testable import BSTRReporter

/// The BSTR functions among a module's symbols.
@Suite struct BSTRFunctionSymbolsTests {
  @Test(arguments: [
    ("_Z13SysFreeStringPw", "SysFreeString"), ("_ZL14SysAllocStringPKw", "SysAllocString"),
    ("_Z17SysAllocStringLenPKDsj", "SysAllocStringLen"), ("_ZN3app13SysFreeStringEPw", nil),
    ("SysFreeString", nil), ("_Z", nil), ("_Z99SysFreeString", nil), ("_Z0", nil),
    ("_Z99999999999999999999a", nil), ("", nil),
  ])
  func mangledNamesAreRead(symbol: String, name: String?) {
    #expect(BSTRFunctionSymbols.plainName(ofMangled: symbol) == name)
  }

  @Test func aFileWithoutThemHasNone() throws {
    let libc = BSTRFunctionSymbols(
      of: try #require(ElfFile(path: "/lib/x86_64-linux-gnu/libc.so.6")))
    #expect(libc.imported.isEmpty && libc.exported.isEmpty && libc.own.isEmpty)
    #expect(!libc.isOfThisLibrary)
  }
}
