// The flags that say what is known already: suppression rules and a baseline.

import ArgumentParser
import BSTRReporter
import FoundationEssentials
import Glibc
import TraceOptions

/// What a report leaves out.
struct TriageOptions: ParsableArguments {
  @Option(name: .setting(.suppressions), help: .setting(.suppressions), completion: .file())
  var suppressions: [String] = []

  @Flag(name: .setting(.strictSuppressions), help: .setting(.strictSuppressions))
  var strictSuppressions = false

  @Flag(name: .setting(.printSuppressions), help: .setting(.printSuppressions))
  var printSuppressions = false

  @Option(
    help: ArgumentHelp(
      "Leave out findings that this file has, unless they have grown (Docs/Suppressions.md).",
      valueName: "file"),
    completion: .file())
  var baseline: String?

  @Flag(help: "Write what was found to the --baseline file, and fail for none of it.")
  var updateBaseline = false

  func validate() throws {
    if updateBaseline && baseline == nil {
      throw ValidationError("--update-baseline needs --baseline FILE to write to.")
    }
  }
}

/// What is known already, read before the program runs, so that hours are not lost to a typo.
struct Triage {
  private var suppressions = Suppressions()
  private var baseline: Baseline?
  private let updatedBaseline: Int32?
  private let isStrict: Bool

  /// Reads the files; complains of lines that are no rules.
  init(_ options: TriageOptions, _ settings: Settings) throws {
    isStrict = options.strictSuppressions || settings.strictSuppressions == true
    let paths =
      options.suppressions.isEmpty ? settings.suppressions.map { [$0] } ?? [] : options.suppressions
    for path in paths {
      suppressions.add(String(decoding: try Self.read(path), as: UTF8.self), file: path)
    }
    for problem in suppressions.problems { ExitStatus.complain(problem) }
    guard let path = options.baseline else {
      updatedBaseline = nil
      return
    }
    if options.updateBaseline {
      updatedBaseline = try OutputFile.open(path)
      return
    }
    updatedBaseline = nil
    let bytes: [UInt8]
    do {
      bytes = try Self.read(path)
    } catch {
      throw ToolFailure("\(error.message); --update-baseline writes it")
    }
    do throws(Baseline.Failure) {
      baseline = try Baseline(bytes)
    } catch {
      throw ToolFailure("'\(path)' \(error)")
    }
  }

  /// Takes out of a report what is known, and writes a new baseline where that was asked for.
  func apply(to report: inout Report) throws {
    suppressions.apply(to: &report, today: Self.today)
    if let updatedBaseline {
      let new = Baseline(of: report)
      try OutputFile.write(new.text, to: updatedBaseline)
      new.apply(to: &report)
    }
    baseline?.apply(to: &report)
  }

  /// Whether the rules themselves are a reason to fail.
  func fails(_ report: Report) -> Bool { isStrict && report.hasStaleSuppressions }

  private static func read(_ path: String) throws(ToolFailure) -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: path) else {
      _ = access(path, R_OK)
      throw ToolFailure("cannot read '\(path)': \(OutputFile.reason())")
    }
    return Array(data)
  }

  /// The day by this machine's clock, as `2026-11-25`.
  private static var today: String {
    var now = time(nil)
    var parts = tm()
    localtime_r(&now, &parts)
    func padded(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(parts.tm_year + 1900)-\(padded(parts.tm_mon + 1))-\(padded(parts.tm_mday))"
  }
}
