import Foundation
import Testing

/// Valgrind's XML, as real clients read it.
@Suite struct ValgrindXMLTests {
  /// The report of the README's example program.
  private func report(_ name: String = #function) throws -> URL {
    let folder = try Built.folder("valgrind-\(name.prefix { $0 != "(" })")
    let file = folder.appending(path: "leaks.xml")
    let run = try Command.run(
      [
        Built.tool, "run", "--output", file.path, "--",
        Built.products.appending(path: "StatusText").path,
      ])
    #expect(run.status == 23 && run.errors == "", "\(run.errors)")
    return file
  }

  private func python(_ program: String, _ words: [String]) throws -> Command {
    let packages = URL(filePath: Client.valgrindReaders.path).deletingLastPathComponent()
    return try Command.run(
      ["/usr/bin/python3", packages.appending(path: "bin/\(program)").path] + words,
      environment: ["PYTHONPATH": packages.path])
  }

  @Test(.needs(.valgrindReaders)) func aCodeQualityReportHasTheOwnersLines() throws {
    let file = try report()
    let quality = file.deletingLastPathComponent().appending(path: "quality.json")
    let run = try python(
      "valgrind-codequality",
      ["-i", file.path, "-o", quality.path, "-b", Built.root.path, "-r", Built.root.path])
    #expect(run.status == 0, "\(run.errors)")
    struct Issue: Decodable {
      struct Location: Decodable {
        struct Lines: Decodable { var begin: Int }
        var path: String
        var lines: Lines
      }
      var severity, fingerprint: String
      var location: Location
    }
    let issues = try JSONDecoder().decode([Issue].self, from: Data(contentsOf: quality))
    #expect(issues.map(\.location.lines.begin) == [58, 52])
    #expect(issues.allSatisfy { $0.location.path.hasSuffix("Sources/StatusText/status_text.cpp") })
    #expect(issues.allSatisfy { $0.severity == "blocker" })
    // It is recognised in the next run.
    let again = try report("again")
    _ = try python(
      "valgrind-codequality",
      ["-i", again.path, "-o", quality.path, "-b", Built.root.path, "-r", Built.root.path])
    let next = try JSONDecoder().decode([Issue].self, from: Data(contentsOf: quality))
    #expect(next.map(\.fingerprint) == issues.map(\.fingerprint))
  }

  @Test(.needs(.valgrindReaders)) func aSummaryHasTheCounts() throws {
    let run = try python("valgrind-ci", [try report().path, "--summary", "--number-of-errors"])
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.contains("2 errors"), "\(run.output)")
    for line in [58, 52] {
      #expect(run.output.contains("line \(line): Leak_DefinitelyLost\t(1 errors)"), "\(run.output)")
    }
  }
}
