import Foundation
import Testing
import TraceOptions

@testable import BSTRReporter

/// Where reports go, and in which format.
@Suite struct ReportSinkTests {
  private func report() throws -> Report {
    var names = CachingSymbolicator(SampleReport.names)
    return Reporter().report(on: [try SampleReport.image()], symbolicator: &names)
  }

  /// What a sink with these options writes to a file that has content already.
  private func written(_ change: (inout TraceOptions) -> Void) throws -> [UInt8] {
    let file = FileManager.default.temporaryDirectory.appending(path: "sink-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: file) }
    try String(repeating: "old", count: 9999).write(to: file, atomically: false, encoding: .utf8)
    var options = TraceOptions()
    options.outputs = [file.path]
    change(&options)
    try ReportSinks(options, start: .max).write(try report()) { [] }
    return try Array(Data(contentsOf: file))
  }

  @Test(arguments: ReportFormat.allCases)
  func aFileHasTheReportInItsFormat(format: ReportFormat) throws {
    let bytes = try written { $0.format = format }
    #expect(try bytes == format.renderer().bytes(of: report()))
  }

  @Test func theWordsChooseTheRenderers() {
    #expect(ReportFormat(rawValue: "text")?.renderer(colour: true) is TextRenderer)
    #expect((ReportFormat.text.renderer(colour: true) as? TextRenderer)?.colour == true)
    #expect((ReportFormat.text.renderer() as? TextRenderer)?.colour == false)
    #expect(ReportFormat(rawValue: "json")?.renderer() is JSONRenderer)
    let sarif = ReportFormat(rawValue: "sarif")?.renderer(sourceRoot: "/src")
    #expect((sarif as? SARIFRenderer)?.sourceRoot == "/src")
  }

  @Test func rulesFollowTheReportForPeople() throws {
    let report = try report()
    let rules = TextRenderer().suppressionRules(for: report)
    #expect(rules.contains("leak:"))
    #expect(
      try written { $0.printSuppressions = true }
        == Array(
          (TextRenderer().render(report) + rules).utf8))
    #expect(
      try written {
        $0.printSuppressions = true
        $0.format = .json
      } == Array(JSONRenderer().render(report).utf8))
  }

  @Test func everyOutputHasItsFormat() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func path(_ name: String) -> String { folder.appending(path: name).path }
    var options = TraceOptions()
    options.outputs = ["a.txt", "b.json", "c.sarif", "d", "e.store"].map(path)
    let report = try report()
    try ReportSinks(options, start: .max).write(report) { Array("a store".utf8) }
    let texts = try options.outputs.map { try String(contentsOfFile: $0, encoding: .utf8) }
    let text = TextRenderer().render(report)
    #expect(
      texts == [
        text, JSONRenderer().render(report), SARIFRenderer().render(report), text, "a store",
      ])
    // The flag overrules the endings.
    options.format = .json
    try ReportSinks(options, start: .max).write(report) { [] }
    for path in options.outputs {
      #expect(try String(contentsOfFile: path, encoding: .utf8) == JSONRenderer().render(report))
    }
  }

  /// A full disk costs the outputs on it, and no others.
  @Test func anOutputThatFailsCostsNoOther() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: file) }
    var options = TraceOptions()
    options.outputs = ["/dev/full", file.path]
    let failure = #expect(throws: ReportOutput.Failure.self) {
      try ReportSinks(options, start: .max).write(try report()) { [] }
    }
    #expect(failure?.description == "No space left on device")
    #expect(try String(contentsOf: file, encoding: .utf8).contains("get_StatusText"))
    let sums = FindingSums(of: try report())
    let diff = try #require(FindingDiff(from: sums, to: sums))
    #expect(throws: ReportOutput.Failure.self) {
      try ReportSinks(options, start: .max).write(diff)
    }
    #expect(try String(contentsOf: file, encoding: .utf8).contains("DIFF: "))
  }

  @Test func textMayStandInPlaceOfAReport() throws {
    let pipe = Pipe()
    try ReportSink(pipe.fileHandleForWriting.fileDescriptor, .json, colour: false)
      .write(text: "none\n")
    try pipe.fileHandleForWriting.close()
    #expect(try pipe.fileHandleForReading.readToEnd() == Data("none\n".utf8))
  }

  @Test func whatCannotBeOpenedOrWrittenIsSaid() throws {
    var options = TraceOptions()
    options.outputs = ["/no/such/folder/report"]
    let opening = #expect(throws: ReportOutput.Failure.self) {
      try ReportSinks(options, start: .max)
    }
    #expect(opening?.description == "'/no/such/folder/report': No such file or directory")
    let report = try report()
    let writing = #expect(throws: ReportOutput.Failure.self) {
      try ReportSink(-1, colour: false).write(report)
    }
    #expect(writing?.description == "Bad file descriptor")
  }
}
