import Foundation
import Testing

/// Profiles, as `go tool pprof` reads them.
@Suite struct PprofClientTests {
  private func pprof(_ words: [String]) throws -> Command {
    let run = try Command.run(
      [Client.pprof.path] + words, environment: ["HOME": Built.products.path])
    #expect(run.status == 0, "\(run.errors)")
    return run
  }

  /// The profile and the JSON report of a run.
  private func profile(
    _ command: [String], _ flags: [String] = [], name: String = #function
  ) throws -> (path: String, report: JSONReport) {
    let folder = try Built.folder("pprof-\(name.prefix { $0 != "(" })")
    let (path, json) = (
      folder.appending(path: "leaks.pb.gz").path, folder.appending(path: "leaks.json")
    )
    _ = try Command.run(
      [Built.tool, "run", "--output", path, "--output", json.path] + flags + ["--"] + command)
    return (path, try JSONDecoder().decode(JSONReport.self, from: Data(contentsOf: json)))
  }

  private struct JSONReport: Decodable {
    struct Process: Decodable {
      struct Totals: Decodable { var allocations, live, liveBytes: Int }
      var totals: Totals
    }
    var processes: [Process]
    /// Those of the program; 7-Zip is started by a script.
    var totals: Process.Totals { processes[processes.count - 1].totals }
  }

  /// The total of one quantity: "Showing nodes accounting for 7, 100% of 7 total".
  private func total(_ path: String, _ quantity: String) throws -> Int {
    let run = try pprof([
      "-top", "-unit=\(quantity.hasSuffix("space") ? "bytes" : "count")",
      "-sample_index=\(quantity)", path,
    ])
    let total = run.output.firstMatch(of: /of ([0-9]+)B? total/)?.1
    return try #require(total.flatMap { Int($0) }, "\(run.output)")
  }

  private static let example = Built.products.appending(path: "StatusText").path

  @Test(.needs(.pprof)) func totalsAreTheReports() throws {
    let (path, report) = try profile([Self.example])
    #expect(try total(path, "alloc_objects") == report.totals.allocations)
    #expect(try total(path, "inuse_objects") == report.totals.live)
    #expect(try total(path, "inuse_space") == report.totals.liveBytes)
    // The default is what is in use, by bytes.
    #expect(try pprof(["-top", path]).output.contains("Type: inuse_space"))
  }

  @Test(.needs(.pprof), .needs(.sevenZip)) func totalsOfSevenZipAreTheReports() throws {
    let folder = try Built.folder("pprof-archive")
    try Data("text".utf8).write(to: folder.appending(path: "a.txt"))
    _ = try Command.run([Client.sevenZip.path, "a", "a.7z", "a.txt"], in: folder)
    let (path, report) = try profile(
      [Client.sevenZip.path, "l", "-slt", folder.appending(path: "a.7z").path])
    #expect(report.totals.allocations > 0)
    #expect(try total(path, "alloc_objects") == report.totals.allocations)
  }

  @Test(.needs(.pprof)) func atLevelLeaksThereIsWhatIsInUse() throws {
    let (path, report) = try profile([Self.example], ["--level", "leaks"])
    let raw = try pprof(["-raw", path]).output
    #expect(raw.contains("inuse_objects/count inuse_space/bytes"))
    #expect(!raw.contains("alloc_objects"))
    #expect(try total(path, "inuse_space") == report.totals.liveBytes)
  }

  @Test(.needs(.pprof)) func linesCallersAndLabelsAreThere() throws {
    let (path, _) = try profile([Self.example])
    let list = try pprof(["-list", "isIdle", "-sample_index=inuse_objects", path]).output
    #expect(list.contains(/3 +52:/), "\(list)")
    let peek = try pprof(["-peek", "get_StatusText", "-sample_index=inuse_objects", path]).output
    #expect(peek.contains("isIdle"), "\(peek)")
    let tags = try pprof(["-tags", "-sample_index=inuse_objects", path]).output
    for words in ["rule", "out", "in", "owner", "isIdle(Browser&)", "kind", "leak", "thread"] {
      #expect(tags.contains(words), "\(tags)")
    }
    let traces = try pprof(["-traces", "-sample_index=inuse_objects", path]).output
    #expect(traces.contains("isIdle"), "\(traces)")
    let raw = try pprof(["-raw", path]).output
    #expect(raw.contains(/StatusText [0-9a-f]{8,} \[FN\]\[FL\]\[LN\]\[IN\]/), "\(raw)")
  }

  @Test(.needs(.pprof)) func twoRunsDifferByWhatDiffers() throws {
    let (path, _) = try profile([Self.example])
    let same = try pprof([
      "-top", "-sample_index=inuse_objects", "-diff_base", path, path,
    ])
    #expect(same.output.contains(/accounting for 0, +0% of 4 total/), "\(same.output)")
  }
}
