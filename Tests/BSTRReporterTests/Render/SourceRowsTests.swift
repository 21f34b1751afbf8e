import TestSupport
import Testing

@testable import BSTRReporter

/// The rows of source in the report for people, and what keeps them out of reports.
@Suite struct SourceRowsTests {
  private func excerpt(ways: Int) -> SourceExcerpt {
    func line(_ number: Int) -> SourceExcerpt.Line {
      SourceExcerpt.Line(number: number, text: "line\u{1B} \(number)")
    }
    var excerpt = SourceExcerpt(file: "/src/app.cpp", owner: 9)
    excerpt.lines = [8, 9, 10].map(line)
    excerpt.frees = [99, 100].map(line)
    excerpt.waysOut = (10..<10 + ways).map(line)
    return excerpt
  }

  private func text(_ excerpt: SourceExcerpt?) -> String {
    let renderer = TextRenderer()
    return renderer.text(of: renderer.render(excerpt))
  }

  @Test func eachLineIsThereOnceAndMarked() {
    let rows = [
      #"     source             8  line\u{1b} 8"#,
      #"                        9  line\u{1b} 9   <- owner"#,
      #"                       10  line\u{1b} 10   <- leaves before line 100"#,
      #"                       11  line\u{1b} 11   <- leaves before line 100"#,
      #"                       99  line\u{1b} 99   <- frees others"#,
      #"                      100  line\u{1b} 100   <- frees others"#,
    ]
    #expect(text(excerpt(ways: 2)) == rows.map { $0 + "\n" }.joined())
    #expect(text(nil).isEmpty)
  }

  @Test func manyWaysOutAreCounted() {
    let rows = text(excerpt(ways: 12)).split(separator: "\n")
    #expect(rows.count { $0.contains("<- leaves before line 100") } == 5)
    #expect(rows.last?.hasSuffix("… 7 more ways out") == true)
    #expect(text(excerpt(ways: 6)).contains("… 1 more way out\n"))
  }

  @Test func aNewerFileShowsNoLine() {
    var newer = SourceExcerpt(file: "/src/app.cpp", owner: 9)
    newer.isNewer = true
    #expect(
      text(newer)
        == "     source           app.cpp was changed after it was built: no line of it is shown\n")
  }

  /// Names every location by its offset, in this very file.
  private struct ThisFile: Symbolicator {
    func symbols(for locations: Set<CodeLocation>) -> [CodeLocation: [Symbol]] {
      Dictionary(
        uniqueKeysWithValues: locations.map {
          ($0, [Symbol(name: "f\($0.offset)", file: #filePath, line: 2)])
        })
    }
    func dataSymbol(at location: CodeLocation) -> DataSymbol? { nil }
  }

  @Test func redactLeavesSourceOut() throws {
    for redact in [false, true] {
      var names = ThisFile()
      let report = Reporter(redact: redact, sources: SourceFiles(root: nil))
        .report(on: [try SampleReport.image()], symbolicator: &names)
      #expect(report.findings.contains { $0.source != nil } == !redact)
      #expect(JSONRenderer().render(report).contains("import Testing") == !redact)
      #expect(TextRenderer().render(report).contains("import Testing") == !redact)
    }
  }
}
