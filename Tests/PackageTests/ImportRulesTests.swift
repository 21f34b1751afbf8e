import Foundation
import Testing

/// The import lines of Sources, held to the target table of Docs/Architecture.md.
@Suite struct ImportRulesTests {
  static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// The rows of the table: a target and what it may import.
  static func allowed() throws -> [String: Set<String>] {
    let page = try String(
      contentsOf: root.appending(path: "Docs/Architecture.md"), encoding: .utf8)
    var allowed: [String: Set<String>] = [:]
    for line in page.split(separator: "\n") where line.hasPrefix("| `") {
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      guard cells.count == 3 else { continue }
      let names = { (cell: String) in
        Set(
          cell.split(separator: "`").enumerated().filter {
            $0.offset % 2 == (cell.hasPrefix("`") ? 0 : 1)
          }
          .map { String($0.element) })
      }
      for target in names(cells[0]) { allowed[target] = names(cells[2]) }
    }
    return allowed
  }

  static func sources(of target: String) throws -> [URL] {
    let folder = root.appending(path: "Sources/\(target)")
    let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    return files?.compactMap { $0 as? URL } ?? []
  }

  @Test func everyTargetIsInTheTable() throws {
    let targets = try FileManager.default.contentsOfDirectory(
      atPath: Self.root.appending(path: "Sources").path)
    #expect(Set(targets) == Set(try Self.allowed().keys))
  }

  @Test func targetsImportOnlyWhatTheTableAllows() throws {
    for (target, modules) in try Self.allowed() {
      for file in try Self.sources(of: target) where file.pathExtension == "swift" {
        let text = try String(contentsOf: file, encoding: .utf8)
        for line in text.split(separator: "\n") {
          var words = line.split(separator: " ")
          if let first = words.first,
            ["public", "internal", "package", "@testable"].contains(first)
          {
            words.removeFirst()
          }
          guard words.first == "import", words.count == 2 else { continue }
          #expect(
            modules.contains(String(words[1])),
            "\(target)/\(file.lastPathComponent) imports \(words[1])")
        }
      }
    }
  }

  @Test func nothingDependsOnARowBelowItself() throws {
    let page = try String(
      contentsOf: Self.root.appending(path: "Docs/Architecture.md"), encoding: .utf8)
    let allowed = try Self.allowed()
    let order = page.split(separator: "\n").filter { $0.hasPrefix("| `") }
      .compactMap { row in allowed.keys.first { row.hasPrefix("| `\($0)` ") } }
    for (index, target) in order.enumerated() {
      let below = Set(order[index...])
      #expect(allowed[target]?.isDisjoint(with: below) == true, "\(target)")
    }
  }
}
