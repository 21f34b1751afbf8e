// The flags on known findings: suppression rules and a baseline.

import ArgumentParser
import BSTRReporter
import TraceOptions

/// The flags on findings that a report leaves out.
struct TriageOptions: TableOptions {
  @Option(\.suppressions) var suppressions: [String] = []
  @Flag(\.strictSuppressions) var strictSuppressions: Bool?
  @Flag(\.printSuppressions) var printSuppressions: Bool?

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

/// Known findings, read before the program runs, so that a typo does not cost a long run.
struct Triage {
  private var suppressions = Suppressions()
  private var baseline: Baseline?
  private let updatedBaseline: Int32?
  private let isStrict: Bool

  /// Reads the files; reports lines that are no rules.
  ///
  /// - Parameter traceOptions: the flags merged with the environment; of several files of rules it
  ///   has none.
  init(_ options: TriageOptions, _ traceOptions: TraceOptions) throws {
    isStrict = traceOptions.strictSuppressions
    let paths =
      options.suppressions.isEmpty
      ? traceOptions.suppressions.map { [$0] } ?? [] : options.suppressions
    for path in paths {
      do throws(Suppressions.Unreadable) {
        try suppressions.addFile(at: path)
      } catch {
        throw ToolFailure("\(error)")
      }
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
    do throws(Suppressions.Unreadable) {
      bytes = try Suppressions.read(path)
    } catch {
      throw ToolFailure("\(error); --update-baseline writes it")
    }
    do throws(Baseline.Failure) {
      baseline = try Baseline(bytes)
    } catch {
      throw ToolFailure("'\(path)' \(error)")
    }
  }

  /// Removes known findings from a report, and writes a new baseline where that was asked for.
  func apply(to report: inout Report) throws {
    suppressions.apply(to: &report, today: Suppressions.today)
    if let updatedBaseline {
      let new = Baseline(of: report)
      try OutputFile.write(new.text, to: updatedBaseline)
      new.apply(to: &report)
    }
    baseline?.apply(to: &report)
  }

  /// Returns whether the rules themselves are a reason to fail.
  func fails(_ report: Report) -> Bool { isStrict && report.hasStaleSuppressions }
}
