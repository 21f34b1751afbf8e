import Foundation
import Testing

@testable import BSTRReporter

/// Which file a report is written to, and which other process's stays.
@Suite struct ReportFileTests {
  private let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)

  init() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  private func path(_ name: String) -> String { folder.appending(path: name).path }

  private func text(_ name: String) -> String? {
    try? String(contentsOfFile: path(name), encoding: .utf8)
  }

  private func write(_ name: String, _ text: String, start: Int64) throws {
    try ReportFile(opening: path(name), start: start).replace(Array(text.utf8))
  }

  private func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
  }

  @Test func anEarlierRunsReportIsReplaced() throws {
    try "a longer one than the new".write(toFile: path("r.txt"), atomically: false, encoding: .utf8)
    try write("r.txt", "new", start: .max)
    #expect(text("r.txt") == "new")
    #expect(try names() == ["r.txt"])
  }

  @Test func whatWasWrittenMeanwhileStays() throws {
    let start = ReportFile.fileTime
    let file = try ReportFile(opening: path("r.txt"), start: start)
    let handle = FileHandle(forWritingAtPath: path("r.txt"))
    try handle?.write(contentsOf: Data("another's".utf8))
    try file.replace(Array("own".utf8))
    #expect(text("r.txt") == "another's")
    #expect(text("r.2.txt") == "own")
    // The second name is taken, too.
    try write("r.txt", "third", start: start)
    #expect(text("r.3.txt") == "third")
  }

  @Test func whatIsBeingWrittenStays() throws {
    let descriptor = open(path("r"), O_WRONLY | O_CREAT, 0o644)
    defer { close(descriptor) }
    #expect(flock(descriptor, LOCK_EX) == 0)
    try write("r", "own", start: .max)
    #expect(text("r") == "")
    #expect(text("r.2") == "own")
  }

  @Test func aProcessOfTheSameIDIsNeverReplaced() throws {
    for text in ["one", "two"] { try write("r-%p.json", text, start: .max) }
    #expect(try names() == ["r-\(getpid()).2.json", "r-\(getpid()).json"])
  }

  @Test(arguments: [
    ("%p", "\(getpid())", true), ("a%%p%%", "a%p%", false), ("100%", "100%", false),
    ("%x%p%p.txt", "%x\(getpid())\(getpid()).txt", true),
  ])
  func patternsStandForPaths(pattern: String, path: String, hasID: Bool) {
    let expanded = ReportFile.expanded(pattern)
    #expect(expanded.path == path && expanded.hasID == hasID)
  }

  @Test(arguments: [
    ("leaks.json", "leaks.2.json"), ("out.d/leaks", "out.d/leaks.2"), ("/a/.leaks", "/a/.leaks.2"),
    ("a.tar.gz", "a.tar.2.gz"),
  ])
  func othersStandBeside(path: String, other: String) {
    #expect(ReportFile.numbered(path, 2) == other)
  }

  /// Links to descriptors have no name beside them.
  @Test func descriptorsAreWrittenTo() throws {
    let descriptor = open(path("target"), O_RDWR | O_CREAT, 0o644)
    defer { close(descriptor) }
    #expect(Glibc.write(descriptor, "old", 3) == 3)
    try ReportFile(opening: "/dev/fd/\(descriptor)", start: 0).replace(Array("new".utf8))
    #expect(text("target") == "new")
  }
}
