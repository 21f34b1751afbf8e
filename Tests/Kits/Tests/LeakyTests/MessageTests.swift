// What a developer sees: the messages are compared word for word.
import BSTR
import BSTRTesting
import CBSTR
import Testing

@inline(never)
func makeTitle() -> BSTR? { SysAllocString(Array("Untitled".utf16) + [0]) }

@Suite struct MessageTests {
  @Test(.noBSTRLeaks) func forgetsItsTitle() {
    SysFreeString(makeTitle())
    #expect(SysStringLen(makeTitle()) == 8)
  }

  @Test(.noBSTRLeaks(severity: .warning)) func isOnlyWarned() {
    _ = makeTitle()
  }

  @Test(.noBSTRLeaks) func freesTwice() {
    let title = makeTitle()
    SysFreeString(title)
    SysFreeString(title)
  }
}

/// Caches, exemptions and scopes within tests: all of these pass.
@Suite(.noBSTRLeaks, .serialized) struct AllowedTests {
  nonisolated(unsafe) static var cache: BSTR?

  @Test(.noBSTRLeaks(allowing: .perStack(1))) func oneOfAStackIsAllowed() { _ = makeTitle() }

  @Test(.noBSTRLeaks(allowing: .functions("makeTitle"))) func aFunctionIsAllowed() {
    for _ in 0..<3 { _ = makeTitle() }
  }

  @Test(.noBSTRLeaks(allowing: .matching { $0.bytes == 16 })) func aPredicateDecides() {
    _ = makeTitle()
  }

  /// The first run fills the cache, the others find it full.
  @Test(.noBSTRLeaks(runs: 3)) func aCacheIsNoLeak() {
    if Self.cache == nil { Self.cache = makeTitle() }
  }

  @Test func aValueIsIgnored() throws {
    bstrtrace_ignore(makeTitle())
    let text = try OwnedBSTR("kept")
    text.ignoreLeaks()
    _ = text.detach()
  }

  @Test func aSpanIsIgnored() async {
    withLeaksIgnored { _ = makeTitle() }
    await withLeaksIgnored { await Task { _ = makeTitle() }.value }
  }

  @Test func snapshotsCountMoreThanZero() {
    let before = LeakSnapshot()
    let titles = (0..<3).map { _ in makeTitle() }
    let other = SysAllocStringLen(nil, 100)
    let added = LeakSnapshot() - before
    let mine = added.live(allocatedBy: "makeTitle")
    #expect(mine.count == 3)
    #expect(mine.bytes == 48)
    #expect(mine.byModule.values.map(\.count) == [3])
    #expect(added.count >= 4)
    for title in titles { SysFreeString(title) }
    SysFreeString(other)
    #expect((LeakSnapshot() - before).live(allocatedBy: "makeTitle").count == 0)
  }

  @Test func aScopeThrowsItsReport() async throws {
    let outer = try withLeakScope("outer") {
      let thrown = #expect(throws: LeakReport.self) {
        try withLeakScope("inner") { _ = makeTitle() }
      }
      return thrown
    }
    #expect(outer?.scope == "inner")
    #expect(outer?.leakedBstrs == 1)
    #expect(outer?.leakedBytes == 16)
    #expect(outer?.findings.first?.scope == "inner")
    #expect(outer?.json.contains("\"leakedBstrs\" : 1") == true)
    let number = try await withLeakScope("async", allowing: .perStack(2)) {
      await Task { _ = makeTitle() }.value
      return 7
    }
    #expect(number == 7)
    struct Stop: Error {}
    #expect(throws: Stop.self) { try withLeakScope("stopped") { throw Stop() } }
  }
}
