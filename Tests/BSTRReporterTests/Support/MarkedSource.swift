import Testing

@testable import BSTRReporter

/// Holds the ways out of a text to its marks: comments at the line that got the string (`owner`), at
/// those that free others (`free`) and at those that are to be proposed (`way`).
func expectWaysOut(
  _ name: String, _ text: String, location: SourceLocation = #_sourceLocation
) throws {
  let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
  func numbers(_ mark: String) -> [Int] {
    lines.indices.filter { lines[$0].contains("// \(mark)") }.map { $0 + 1 }
  }
  let language = try #require(SourceLanguage(path: name), sourceLocation: location)
  var file = try #require(
    SourceFile(path: name, modified: 0, language, Array(text.utf8)), sourceLocation: location)
  let owner = try #require(numbers("owner").first, sourceLocation: location)
  let parsed = file.blocks(havingRun: Set(numbers("free") + [owner]))
  let blocks = try #require(parsed, sourceLocation: location)
  let found = WaysOut.lines(in: blocks, owner: owner, frees: numbers("free"))
  #expect(found == numbers("way"), sourceLocation: location)
}
