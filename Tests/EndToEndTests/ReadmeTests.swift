import Foundation
import Testing

/// The README shows what really comes.
@Suite struct ReadmeTests {
  @Test func itsReportIsTheExamples() throws {
    let page = try String(
      contentsOf: Built.root.appending(path: "README.md"), encoding: .utf8)
    let blocks = page.split(separator: "```\n", omittingEmptySubsequences: false)
    let shown = try #require(blocks.first { $0.hasPrefix("bstrtrace: ") })
    let example = Built.products.appending(path: "StatusText").path
    let command = try Command.run([Built.tool, "run", "--", example])
    #expect(command.status == 23)
    // The example is where the tests are; pids are nobody's business.
    let found = command.errors.replacingOccurrences(of: example, with: ".build/debug/StatusText")
      .replacing(/pid \d+/, with: "pid 4711")
    #expect(found == shown)
  }

  @Test func theExampleReportsByItself() throws {
    let example = Built.products.appending(path: "StatusText").path
    let command = try Command.run([example])
    #expect(command.status == 23)
    #expect(command.errors.contains("SUMMARY: bstrtrace: 2 findings: 2 leaks (4 BSTRs, 94 bytes)"))
    let quiet = try Command.run([example], environment: ["BSTRTRACE_OPTIONS": "error-exitcode=0"])
    #expect(quiet.status == 0)
    let off = try Command.run([example], environment: ["BSTRTRACE_OPTIONS": "track=off"])
    #expect(off.status == 0)
    #expect(off.errors.isEmpty)
    let wrong = try Command.run([example], environment: ["BSTRTRACE_OPTIONS": "depht=3"])
    #expect(wrong.errors.contains("BSTRTRACE_OPTIONS: ignored 'depht=3': unknown key 'depht'"))
  }
}
