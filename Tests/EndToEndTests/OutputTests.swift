import Foundation
import Testing

/// Outputs of reports: several of one run, and one pattern for many processes.
@Suite(.overAllProducts, .namingProducts) struct OutputTests {
  private var example: String { Built.products.appending(path: "StatusText").path }

  private func reports(in folder: URL) throws -> [Traced.Report] {
    try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
      .filter { $0.pathExtension == "json" }.map { try Traced.Report(Data(contentsOf: $0)) }
  }

  @Test func oneRunHasSeveralOutputs() throws {
    let folder = try Built.folder("outputs")
    func text(_ name: String) throws -> String {
      try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }
    let run = try Command.run(
      [
        Built.tool, "run", "--output", "a.txt", "--output", "a.json", "--output", "a-%p.sarif",
        "--output", "a.store", "--output", "-", "--", example,
      ], in: folder)
    #expect(run.status == 23)
    #expect(run.errors == "")
    let shown = try text("a.txt")
    #expect(shown.hasPrefix("bstrtrace: \(example) (pid "))
    #expect(run.output.hasSuffix("7 characters of status\n" + shown), "\(run.output)")
    #expect(try reports(in: folder).map(\.findings.count) == [2])
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    let sarif = try #require(names.first { $0.hasSuffix(".sarif") })
    #expect(sarif.wholeMatch(of: /a-[0-9]+\.sarif/) != nil)
    // The same reports come from the store.
    let again = try Command.run(
      [Built.tool, "report", "--output", "b.sarif", "--output", "b.txt", "a.store"], in: folder)
    #expect(again.status == 23 && again.errors == "", "\(again.errors)")
    #expect(try text("b.txt") == shown)
    #expect(try text("b.sarif") == text(sarif))
  }

  @Test(arguments: [true, false]) func jobsOfGitHubHaveAnnotationsAndASummary(isAsked: Bool) throws
  {
    let folder = try Built.folder("github-\(isAsked)")
    let summary = folder.appending(path: "summary.md")
    try "before\n".write(to: summary, atomically: false, encoding: .utf8)
    let job = ["GITHUB_STEP_SUMMARY": summary.path, "GITHUB_WORKSPACE": Built.root.path]
    let run = try Command.run(
      [Built.tool, "run"] + (isAsked ? ["--github"] : []) + ["--output", "a.json", "--", example],
      environment: isAsked ? job : job.merging(["GITHUB_ACTIONS": "true"]) { $1 }, in: folder)
    #expect(run.status == 23)
    // In the optimised example calls are inlined, so that nobody is blamed.
    let annotation = Products.current.recordsByDefault ? "::error" : "::warning"
    let place = "\(annotation) file=Sources/StatusText/status_text.cpp,line="
    let lines = run.errors.split(separator: "\n").filter { $0.hasPrefix(place) }
    #expect(lines.count == 2)
    #expect(lines.first?.hasPrefix("\(place)58,title=leak") == true, "\(lines)")
    let text = try String(contentsOf: summary, encoding: .utf8)
    #expect(text.hasPrefix("before\n### bstrtrace&#58; 2 findings\n"), "\(text)")
    #expect(try reports(in: folder).count == 1)
    // A report for programs stays one.
    let json = try Command.run(
      [Built.tool, "run", "--format", "json", "--", example],
      environment: job.merging(["GITHUB_ACTIONS": "true"]) { $1 }, in: folder)
    #expect(try Traced.Report(Data(json.errors.utf8)).findings.count == 2)
    // Nobody else's text is changed.
    let plain = try Command.run(
      [Built.tool, "run", "--no-github", "--", example],
      environment: job.merging(["GITHUB_ACTIONS": "true"]) { $1 }, in: folder)
    #expect(plain.errors.hasPrefix("bstrtrace: "))
    #expect(try String(contentsOf: summary, encoding: .utf8) == text)
  }

  @Test func aLinkedProgramWritesReportsAndStores() throws {
    let folder = try Built.folder("linked-outputs")
    let options = "output=a.json:output=a.store:output=a.txt"
    let run = try Command.run(
      [example], environment: ["BSTRTRACE_OPTIONS": options], in: folder)
    #expect(run.status == 23 && run.errors == "", "\(run.errors)")
    #expect(try reports(in: folder).map(\.findings.count) == [2])
    let again = try Command.run([Built.tool, "report", "a.store"], in: folder)
    let text = try String(contentsOf: folder.appending(path: "a.txt"), encoding: .utf8)
    // Names of a linked program are the runtime's.
    let summaries = [again.errors, text].map { $0.split(separator: "\n").last }
    #expect(summaries[0] == summaries[1] && summaries[0]?.hasPrefix("SUMMARY") == true)
  }

  @Test func storesHaveTheirStringsAndAreNotRedacted() throws {
    let folder = try Built.folder("redacted-outputs")
    _ = try Command.run([Built.tool, "run", "--output", "a.store", "--", example], in: folder)
    let again = try Command.run(
      [Built.tool, "report", "--redact", "--output", "b.store", "a.store"], in: folder)
    #expect(again.status == 2)
    #expect(again.errors.contains("a store has strings that --redact is to keep out"))
    let run = try Command.run(
      [Built.tool, "run", "--redact", "--output", "c.store", "--", example], in: folder)
    #expect(run.status == 23)
    let bytes = try Data(contentsOf: folder.appending(path: "c.store"))
    let text = Data("Loading".utf16.flatMap { [UInt8($0), 0] })
    #expect(bytes.range(of: text) == nil)
    let plain = try Data(contentsOf: folder.appending(path: "a.store"))
    #expect(plain.range(of: text) != nil)
  }

  /// As `ctest -j2` runs tests: two at a time, each with a process id of its own.
  @Test func manyProcessesLoseNoReport() throws {
    let folder = try Built.folder("many-outputs")
    let run = try Command.run(
      ["sh", "-c", "seq 20 | xargs -P2 -n1 \(example)"],
      environment: ["BSTRTRACE_OPTIONS": "output=\(folder.path)/leaks-%p.json"])
    #expect(run.errors == "", "\(run.errors)")
    let reports = try reports(in: folder)
    #expect(reports.count == 20)
    #expect(reports.allSatisfy { $0.findings.count == 2 })
    #expect(Set(reports.flatMap(\.processes).map(\.pid)).count == 20)
  }

  /// Twenty processes that live at the same time end at the same time, with one path.
  @Test func processesThatWriteAtTheSameTimeDestroyNoReport() throws {
    let folder = try Built.folder("concurrent-outputs")
    let source = folder.appending(path: "waiting.c")
    try """
    #include <bstr.h>
    #include <stdio.h>
    int main(void) {
      OLECHAR text[] = {'a', 0};
      SysAllocString(text);
      return getchar() == EOF ? 0 : 1;
    }
    """.write(to: source, atomically: false, encoding: .utf8)
    try Scenario.compile(
      [
        source.path, "-g", "-I\(Built.headers)", "-o", "waiting", "-L\(Built.products.path)",
        "-Wl,-rpath,\(Built.products.path)", "-lbstrtrace-linked",
      ], in: folder)
    func run(_ command: String) throws -> Command {
      try Command.run(
        ["sh", "-c", command], environment: ["BSTRTRACE_OPTIONS": "output=leaks.json"], in: folder)
    }
    // An earlier run's report is replaced.
    for _ in 0..<2 {
      #expect(try run("sleep 0.1; ./waiting < /dev/null").status == 23)
      #expect(try reports(in: folder).count == 1)
    }
    let many = try run("sleep 2 | (exec 3<&0; for i in $(seq 20); do ./waiting <&3 & done; wait)")
    let reports = try reports(in: folder)
    #expect(reports.count == 20)
    #expect(reports.allSatisfy { $0.findings.map(\.count) == [1] })
    #expect(Set(reports.flatMap(\.processes).map(\.pid)).count == 20)
    let messages = many.errors.split(separator: "\n")
    #expect(messages.count == 19)
    #expect(
      messages.allSatisfy {
        $0.hasPrefix("bstrtrace: 'leaks.json' is another process's report: this one is in 'leaks.")
      }, "\(many.errors)")
  }
}
