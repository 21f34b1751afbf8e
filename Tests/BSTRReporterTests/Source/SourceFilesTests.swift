import Foundation
import Testing

@testable import BSTRReporter

/// Which files are read for excerpts, and what hostile ones give.
@Suite final class SourceFilesTests {
  private let folder = FileManager.default.temporaryDirectory.appending(
    path: "bstrtrace-\(UUID().uuidString)")
  private static let text = """
    int f(int w) {
    \tBSTR text = make();\u{20}
      if (w) return 1;
      release(text);
    }

    """

  init() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  private func write(_ name: String, _ bytes: some Sequence<UInt8> = text.utf8) throws -> String {
    let file = folder.appending(path: name)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: file)
    return file.path
  }

  private func frame(_ file: String, line: Int = 2, module: String = "/no/module") -> Frame {
    Frame(function: "f", file: file, line: line, module: module, offset: 16)
  }

  private func excerpt(_ file: String, root: String? = nil, module: String = "/no/module")
    -> SourceExcerpt?
  {
    var files = SourceFiles(root: root)
    return files.excerpt(
      owner: frame(file, module: module), frees: [frame(file, line: 4, module: module)])
  }

  @Test func linesAreShown() throws {
    let file = try write("a.c")
    let excerpt = try #require(self.excerpt(file))
    #expect(excerpt.file == file && excerpt.owner == 2 && !excerpt.isNewer)
    #expect(
      excerpt.lines.map(\.text) == [
        "int f(int w) {", "  BSTR text = make();", "  if (w) return 1;",
      ])
    #expect(excerpt.lines.map(\.number) == [1, 2, 3])
    #expect(excerpt.frees == [SourceExcerpt.Line(number: 4, text: "  release(text);")])
    #expect(excerpt.waysOut == [SourceExcerpt.Line(number: 3, text: "  if (w) return 1;")])
  }

  @Test func aSourceThatIsNewerThanItsModuleIsNotShown() throws {
    let file = try write("a.c")
    let module = try write("module.so")
    func set(_ path: String, _ seconds: Double) throws {
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: seconds)], ofItemAtPath: path)
    }
    try set(file, 1000)
    try set(module, 2000)
    #expect(excerpt(file, module: module)?.waysOut.count == 1)
    try set(module, 999)
    var newer = SourceExcerpt(file: file, owner: 2)
    newer.isNewer = true
    #expect(excerpt(file, module: module) == newer)
  }

  @Test func aFileThatIsElsewhereIsFoundBelowTheRoot() throws {
    _ = try write("project/src/a.c")
    let root = folder.appending(path: "project").path
    for name in ["/build/machine/src/a.c", "src/a.c", "./src/a.c", "/build/src/a.c"] {
      #expect(excerpt(name, root: root)?.file == root + "/src/a.c", "\(name)")
      #expect(excerpt(name) == nil)
    }
    _ = try write("outside.c")
    for name in ["/build/src/b.c", "../outside.c", "/x/../outside.c", "outside.c", "", "/"] {
      #expect(excerpt(name, root: root) == nil, "\(name)")
    }
  }

  /// No proposal, no trap, and no waiting.
  @Test func hostileFilesGiveNothing() throws {
    let text = Self.text
    let long = String(repeating: "x ", count: 25_000)
    var files: [String: [UInt8]] = [
      "binary.c": Array(text.utf8) + [0, 1, 2], "latin.c": Array(text.utf8) + [0xE4, 0x20],
      "utf16.c": Array(text.utf16).flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] },
      "large.c": Array(repeating: 0x20, count: 10 << 20) + Array(text.utf8), "empty.c": [],
      "notes.txt": Array(text.utf8), "noending": Array(text.utf8),
    ]
    for (name, bytes) in files {
      #expect(excerpt(try write(name, bytes)) == nil, "\(name)")
    }
    files = [
      "unbalanced.c": Array((text + "{{{").utf8), "open.c": Array((text + "void g() {").utf8),
      "one-line.c": Array((long + text.replacing("\n", with: " ")).utf8),
      "comment.c": Array(("/* " + text).utf8), "string.swift": Array(("\"\"\"\n" + text).utf8),
      "raw.cpp": Array(("R\"(" + text).utf8),
      "only-braces.c": Array(repeating: 0x7B, count: 1 << 16),
      "hashes.swift": Array(repeating: UInt8(ascii: "#"), count: 1 << 16),
      "nested.swift": Array(String(repeating: "\"\\(", count: 10_000).utf8),
      "values.c": Array(("int a[] = {" + String(repeating: "{1},", count: 25_000) + "};").utf8),
      "conditions.c": Array(String(repeating: "#if X\n", count: 25_000).utf8),
      "ways.c": Array(
        ("int f(int w) {\n text = make();\n"
          + String(repeating: "if (w) {return 1;\n", count: 10_000)).utf8),
    ]
    for (name, bytes) in files {
      let excerpt = excerpt(try write(name, bytes))
      #expect(excerpt?.waysOut ?? [] == [], "\(name)")
      #expect(excerpt?.lines.allSatisfy { $0.text.utf8.count < 300 } ?? true, "\(name)")
    }
    let pipe = folder.appending(path: "pipe.c").path
    #expect(mkfifo(pipe, 0o600) == 0)
    #expect(excerpt(pipe) == nil)
    #expect(excerpt("/dev/zero") == nil)
    #expect(excerpt(folder.appending(path: "gone.c").path) == nil)
    #expect(excerpt(folder.path) == nil)
  }
}
