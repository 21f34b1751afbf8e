import Foundation
import Testing

/// SARIF files, as real clients read them.
@Suite struct SARIFTests {
  /// The report of the README's example program.
  private func report(_ flags: [String] = [], name: String = #function) throws -> URL {
    let folder = try Built.folder("sarif-\(name.prefix { $0 != "(" })")
    let file = folder.appending(path: "leaks.sarif")
    let run = try Command.run(
      [Built.tool, "run", "--format", "sarif", "--output", file.path] + flags + [
        "--", Built.products.appending(path: "StatusText").path,
      ])
    #expect(run.status == 23 && run.errors == "", "\(run.errors)")
    return file
  }

  /// Validates a file against the standard's schema.
  private func validate(_ file: URL) throws -> Command {
    let script = """
      import json, sys, jsonschema
      schema = json.load(open(sys.argv[1]))
      jsonschema.Draft7Validator(schema).validate(json.load(open(sys.argv[2])))
      """
    return try Command.run(
      ["/usr/bin/python3", "-c", script, Client.sarifSchema.path, file.path])
  }

  @Test(.needs(.jsonSchema), .needs(.sarifSchema)) func filesAreOfTheStandard() throws {
    let file = try report()
    let valid = try validate(file)
    #expect(valid.status == 0, "\(valid.errors)")
    let text = try String(contentsOf: file, encoding: .utf8)
    let wrong = file.deletingLastPathComponent().appending(path: "wrong.sarif")
    try text.replacing("\"startLine\":", with: "\"startLine\":-").write(
      to: wrong, atomically: false, encoding: .utf8)
    #expect(try validate(wrong).status != 0)
  }

  /// A store that was cut off gives a file of the standard that says so.
  @Test(.needs(.jsonSchema), .needs(.sarifSchema)) func damageIsSaidInAValidFile() throws {
    let folder = try Built.folder("sarif-damaged")
    _ = try Command.run(
      [
        Built.tool, "run", "--output", "whole.store", "--",
        Built.products.appending(path: "StatusText").path,
      ], in: folder)
    let whole = try Data(contentsOf: folder.appending(path: "whole.store"))
    for share in [3, 5, 9] {
      try whole.prefix(whole.count * share / 10).write(to: folder.appending(path: "cut.store"))
      let report = try Command.run(
        [Built.tool, "report", "--output", "cut.sarif", "cut.store"], in: folder)
      #expect(report.status == 2)
      let file = folder.appending(path: "cut.sarif")
      let valid = try validate(file)
      #expect(valid.status == 0, "\(valid.errors)")
      let text = try String(contentsOf: file, encoding: .utf8)
      #expect(text.contains("\"executionSuccessful\":false"), "\(share)")
      #expect(
        text.contains("{\"level\":\"error\",\"message\":{\"text\":\""), "\(share)")
    }
  }

  /// CodeChecker's parser, which brings sarif-tools along.
  private func python(_ words: [String]) throws -> Command {
    let packages = Client.codeChecker.path
    return try Command.run(
      ["/usr/bin/python3"] + words,
      environment: ["PYTHONPATH": packages.replacing("/codechecker_report_converter", with: "")])
  }

  @Test(.needs(.codeChecker)) func sarifToolsReadThem() throws {
    let file = try report()
    let summary = try python(["-m", "sarif", "summary", file.path])
    #expect(summary.status == 0 && summary.errors == "", "\(summary.errors)")
    #expect(summary.output.contains("error: 2\n"), "\(summary.output)")
    for ids in ["leak-in announce", "leak-out Nobody freed what Browser::get_StatusText"] {
      #expect(summary.output.contains(ids), "\(summary.output)")
    }
    let same = try python(["-m", "sarif", "diff", file.path, try report(name: "again").path])
    #expect(same.status == 0 && same.output.contains("all levels: +0"), "\(same.output)")
    for kind in ["codeclimate", "html", "csv"] {
      let made = file.deletingLastPathComponent().appending(path: "made.\(kind)")
      let command = try python(["-m", "sarif", kind, file.path, "-o", made.path])
      #expect(command.status == 0 && command.errors == "", "\(kind): \(command.errors)")
      #expect(try String(contentsOf: made, encoding: .utf8).contains("leak-in"), "\(kind)")
    }
  }

  @Test(.needs(.codeChecker)) func codeCheckerReadsThem() throws {
    let script = """
      import sys, logging
      logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
      from codechecker_report_converter.report import report_file
      for report in sorted(report_file.get_reports(sys.argv[1]), key=lambda report: report.line):
        print(report.checker_name, report.file.name, report.line, len(report.bug_path_events))
      """
    let command = try python(["-c", script, try report().path])
    #expect(command.errors == "")
    #expect(
      command.output == "leak-out status_text.cpp 52 1\nleak-in status_text.cpp 58 1\n",
      "\(command.output)")
  }

  @Test func twoRunsAreTheSameFile() throws {
    let texts = try ["one", "other"].map {
      try String(contentsOf: report(name: $0), encoding: .utf8)
    }
    #expect(texts[0] == texts[1])
  }
}
