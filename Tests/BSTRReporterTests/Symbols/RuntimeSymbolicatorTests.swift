import Foundation
import Testing

@testable import BSTRReporter

/// Names of places in real files.
@Suite struct RuntimeSymbolicatorTests {
  @Test func namesAFunctionOfTheCLibrary() throws {
    let path = "/lib/x86_64-linux-gnu/libc.so.6"
    let file = try #require(ElfFile(path: path))
    let malloc = try #require(file.dynamicSymbols.first { $0.name == "malloc" })
    let place = CodeLocation(module: path, buildID: file.buildID, offset: malloc.value + 8)
    var names = RuntimeSymbolicator()
    let found = names.symbols(for: [place])
    #expect(found[place]?.last?.name.contains("malloc") == true)
    // Another build of the same file names nothing.
    let other = CodeLocation(module: path, buildID: "00", offset: malloc.value + 8)
    #expect(names.symbols(for: [other]).isEmpty)
  }

  @Test func cacheAsksOnce() {
    struct Counting: Symbolicator {
      mutating func dataSymbol(at location: CodeLocation) -> DataSymbol? { nil }
      static nonisolated(unsafe) var asked = 0
      mutating func symbols(for places: Set<CodeLocation>) -> [CodeLocation: [Symbol]] {
        Self.asked += places.count
        return [:]
      }
    }
    var cache = CachingSymbolicator(Counting())
    let places = Set((0..<10).map { CodeLocation(module: "m", buildID: nil, offset: $0) })
    for _ in 0..<3 { #expect(cache.symbols(for: places).isEmpty) }
    #expect(Counting.asked == 10)
  }
}
