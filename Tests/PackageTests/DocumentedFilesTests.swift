import Foundation
import Testing
import TraceOptions

/// What the pages for contributors name is there.
@Suite struct DocumentedFilesTests {
  private static func page(_ path: String) throws -> String {
    try String(contentsOf: ImportRulesTests.root.appending(path: path), encoding: .utf8)
  }

  /// The names of all files of the package, with and without their folders.
  private static func files() throws -> Set<String> {
    var names: Set<String> = []
    for top in ["Sources", "Tests", "Docs", ".ci"] {
      let folder = ImportRulesTests.root.appending(path: top)
      for case let path as String in FileManager.default.enumerator(atPath: folder.path) ?? .init()
      {
        names.insert("\(top)/\(path)")
        names.insert(String(path.split(separator: "/").last ?? ""))
      }
    }
    return names
  }

  private static let endings = [".swift", ".c", ".h", ".hpp", ".md", ".json", ".cpp"]

  /// The words in single backticks that look like a file of this package: no placeholders, patterns
  /// or options.
  private static func namedFiles(in page: String) -> [String] {
    page.matches(of: /`([A-Za-z.][A-Za-z0-9_.+\/-]*)`/).map { String($0.1) }.filter { name in
      !name.contains("NAME")
        && (endings.contains(where: name.hasSuffix) || name.contains("/"))
        && (!name.contains("/")
          || ["Sources/", "Tests/", "Docs/", ".ci/"].contains(where: name.hasPrefix))
    }
  }

  @Test(arguments: [
    "Docs/Architecture.md", "Docs/Contributing.md", "Docs/Coverage.md", "README.md",
  ])
  func filesThatAreNamedAreThere(page: String) throws {
    let files = try Self.files()
    let named = Self.namedFiles(in: try Self.page(page))
    for name in named where !["README.md", "Type+Topic.swift"].contains(name) {
      // Apart, so that a failure does not list all files.
      let isThere = files.contains(name)
      #expect(isThere, "\(page) names \(name)")
    }
    if page.hasPrefix("Docs/A") || page.hasPrefix("Docs/Con") { #expect(named.count > 20) }
  }

  /// Every word of the code.
  private static let words = Result {
    var words: Set<String> = []
    for top in ["Sources", "Tests", "Package.swift"] {
      let folder = ImportRulesTests.root.appending(path: top)
      let paths = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String }
      let files = (paths ?? []).map { folder.appending(path: $0) } + [folder]
      for file in files where ["swift", "c", "h", "hpp"].contains(file.pathExtension) {
        words.formUnion(try SourceText(file).words)
      }
    }
    return words
  }

  /// Identifiers that the recipes name are in the code: a recipe that outlived a renaming misleads.
  @Test(arguments: ["Docs/Architecture.md", "Docs/Contributing.md"])
  func identifiersThatAreNamedAreThere(page: String) throws {
    let words = try Self.words.get()
    let named = try Self.page(page).matches(of: /`([A-Za-z_][A-Za-z0-9_]*)(\(\))?`/).map(\.1)
    for name in named
    where name.contains("_") || name.dropFirst().contains(where: \.isUppercase) {
      if Self.notOfThisCode.contains(String(name)) || name.contains("NAME") { continue }
      let isThere = words.contains(String(name))
      #expect(isThere, "\(page) names \(name)")
    }
    #expect(named.count > 20)
  }

  /// Names of other code, and of what the glossary retires.
  private static let notOfThisCode: Set = ["LICENSE"]

  /// Links from page to page, and to the headings in them.
  @Test func linksLeadSomewhere() throws {
    let folder = ImportRulesTests.root.appending(path: "Docs")
    let pages = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".md") }
    #expect(pages.count > 15)
    var links = 0
    for path in pages.map({ "Docs/\($0)" }) + ["README.md"] {
      let home = path.hasPrefix("Docs/") ? "Docs/" : ""
      for link in try Self.page(path).matches(of: /\]\(([^)#:]*)(#[^)]*)?\)/) {
        links += 1
        let target = link.1.isEmpty ? path : home + link.1
        let file = ImportRulesTests.root.appending(path: target)
        guard FileManager.default.fileExists(atPath: file.path) else {
          Issue.record("\(path) links \(target), which is not there")
          continue
        }
        guard let anchor = link.2?.dropFirst(), target.hasSuffix(".md") else { continue }
        let anchors = Self.anchors(in: try Self.page(target))
        #expect(anchors.contains(String(anchor)), "\(path) links \(target)#\(anchor)")
      }
    }
    #expect(links > 50)
  }

  /// Headings as GitHub makes anchors of them.
  private static func anchors(in page: String) -> Set<String> {
    var isCode = false
    return Set(
      page.split(separator: "\n").compactMap { line -> String? in
        if line.hasPrefix("```") { isCode.toggle() }
        guard !isCode, line.hasPrefix("#") else { return nil }
        return line.drop { $0 == "#" }.dropFirst().lowercased()
          .filter { $0.isLetter || $0.isNumber || $0 == " " || $0 == "-" || $0 == "_" }
          .replacing(" ", with: "-")
      })
  }

  @Test func theVersionIsOne() throws {
    let version = ToolVersion.current
    #expect(version.wholeMatch(of: /\d+\.\d+\.\d+/) != nil)
    #expect(try Self.page("Docs/Testing.md").contains("from: \"\(version)\""))
    // Either it is released, or it is the next one.
    let changelog = try Self.page("Docs/Changelog.md")
    #expect(
      changelog.contains("\n## \(version)") || changelog.contains("To become \(version)"))
    let folder = ImportRulesTests.root.appending(path: "Sources")
    for case let path as String in FileManager.default.enumerator(atPath: folder.path) ?? .init()
    where path.hasSuffix(".swift") && !path.hasSuffix("ToolVersion.swift") {
      let text = try SourceText(folder.appending(path: path))
      #expect(!text.contains("\"\(version)\""), "\(path)")
    }
  }
}
