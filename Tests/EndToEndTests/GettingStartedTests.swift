import Foundation
import Testing

/// Docs/GettingStarted.md and Docs/ReadingAReport.md, followed word for word: their files, their
/// commands and what these answer.
@Suite struct GettingStartedTests {
  /// A fenced block of the page.
  private struct Block {
    /// "sh", "cpp", "diff" or nothing.
    var language: String
    /// The file that the block is to be saved as; `nil` for other blocks.
    var file: String?
    var text: String
  }

  private static func blocks(of name: String) throws -> [Block] {
    let page = try String(
      contentsOf: Built.root.appending(path: "Docs/\(name).md"), encoding: .utf8)
    let parts = page.split(separator: "```", omittingEmptySubsequences: false)
    // Text, block, text, block …
    return parts.enumerated().filter { $0.offset % 2 == 1 }.map { _, part in
      let lines = part.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
      let words = lines[0].split(separator: " ").map(String.init)
      return Block(
        language: words.first ?? "", file: words.dropFirst().first, text: String(lines[1]))
    }
  }

  @Test func thePageLeadsToTheLine() throws {
    let blocks = try Self.blocks(of: "GettingStarted")
    let folder = try Built.folder("getting-started")
    try Self.save(blocks, in: folder)
    // The first script builds this package, as whoever runs this test has done.
    let scripts = blocks.filter { $0.language == "sh" }.map(\.text)
    let answers = blocks.filter { $0.language.isEmpty }.map(\.text)
    try #require(scripts.count == 4 && answers.count == 3)

    let compiled = try Self.run(scripts[1], in: folder)
    try #require(compiled.status == 0, "\(compiled.errors)")
    let broken = try Self.run(scripts[2], in: folder)
    #expect(broken.status == 23)
    #expect(broken.output == answers[0])
    #expect(Self.withoutAccidents(broken.errors) == answers[1])

    let change = try #require(blocks.first { $0.language == "diff" }).text.split(separator: "\n")
    let old = change.filter { $0.hasPrefix("-") }.map { "\($0.dropFirst())\n" }.joined()
    let new = change.filter { $0.hasPrefix("+") }.map { "\($0.dropFirst())\n" }.joined()
    let source = folder.appending(path: "titles.cpp")
    let text = try String(contentsOf: source, encoding: .utf8)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect("\(lines[21])\n" == old, "the page says that line 22 is to be changed")
    try text.replacing(old, with: new).write(to: source, atomically: true, encoding: .utf8)

    let mended = try Self.run(scripts[3], in: folder)
    #expect(mended.status == 0)
    #expect(mended.errors == answers[2])
  }

  @Test func theReportThatIsExplainedIsReal() throws {
    let folder = try Built.folder("reading-a-report")
    let first = try Self.blocks(of: "GettingStarted")
    try Self.save(first, in: folder)
    let blocks = try Self.blocks(of: "ReadingAReport")
    try Self.save(blocks, in: folder)
    let compiling = first.filter { $0.language == "sh" }[1].text
    try #require(try Self.run(compiling, in: folder).status == 0)
    let script = try #require(blocks.first { $0.language == "sh" }).text
    let shown = try #require(blocks.first { $0.language.isEmpty }).text
    let command = try Self.run(script, in: folder)
    #expect(command.status == 2)
    #expect(Self.withoutAccidents(command.errors) == Self.withoutAccidents(shown))
  }

  /// A report without what differs from run to run and from linker to linker.
  private static func withoutAccidents(_ report: String) -> String {
    report.replacing(/pid \d+/, with: "pid 4711").replacing(/after \d+ ms/, with: "after 8 ms")
      .replacing(/0x[0-9a-f]+/, with: "0x1234")
  }

  private static func save(_ blocks: [Block], in folder: URL) throws {
    for block in blocks {
      guard let file = block.file else { continue }
      try block.text.write(to: folder.appending(path: file), atomically: true, encoding: .utf8)
    }
  }

  /// Runs a block's commands, the tool that is tested being the one in `PATH`.
  private static func run(_ script: String, in folder: URL) throws -> Command {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    return try Command.run(
      ["bash", "-euo", "pipefail", "-c", script],
      environment: ["PATH": "\(Built.products.path):\(path)"], in: folder)
  }
}
