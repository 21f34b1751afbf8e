// `bstrtrace diff`: compares two runs.

import ArgumentParser
import BSTRReporter
import TraceOptions
import TraceStore

/// Compares the findings of two runs.
struct DiffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Compare two runs: which findings are new, grown, shrunk and gone.",
    discussion: """
      Each of the two is a kept store, a JSON report or a baseline. Findings are the same by their \
      kind and the functions of their stacks, as for baselines: lines may have moved.

      The exit status is 23, or that of --error-exitcode, when something is new or has grown; \
      otherwise 0. It is 2 when one of the two is damaged.
      """
  )

  @OptionGroup var options: DiffOptions

  @OptionGroup var names: NameOptions

  @Argument(help: "The earlier run.", completion: .file())
  var before: String

  @Argument(help: "The later run.", completion: .file())
  var after: String

  func run() throws {
    var traceOptions = TraceOptions(EnvironmentOptions.read().overruled(by: options.given))
    // The difference is the output of this command, as a report is none of the program's.
    if traceOptions.outputs.isEmpty { traceOptions.outputs = ["-"] }
    traceOptions.github = false
    do {
      if traceOptions.destinations.contains(where: { $0.content == .store }) {
        throw ToolFailure("a difference is no store: give its output another ending")
      }
      let target = try ReportTarget(traceOptions)
      let (old, new) = (try sums(of: before, traceOptions), try sums(of: after, traceOptions))
      guard let diff = FindingDiff(from: old, to: new) else {
        throw ToolFailure(
          "'\(before)' and '\(after)' are of two versions, and one is a baseline: --update-baseline writes the newer"
        )
      }
      try target.write(diff)
      let damage = old.damage + new.damage
      for sentence in damage { ExitStatus.complain(sentence) }
      if !damage.isEmpty { throw ExitCode(ExitStatus.toolFailed) }
      throw diff.isWorse ? ExitCode(Int32(traceOptions.errorExitcode)) : ExitCode.success
    } catch let failure as ToolFailure {
      throw ExitStatus.fail(failure.message)
    }
  }

  /// Reads one of the two.
  private func sums(of path: String, _ options: TraceOptions) throws -> FindingSums {
    do throws(StoreFile.Failure) {
      let file = try StoreFile.images(at: path)
      return report(on: file.images, file.damage.map { ["'\(path)': \($0)"] } ?? [], path, options)
    } catch {
      // What is no store at all may be JSON.
      guard case .store(_, .notAStore) = error else { throw ToolFailure("\(error)") }
    }
    let bytes: [UInt8]
    do throws(Suppressions.Unreadable) {
      bytes = try Suppressions.read(path)
    } catch {
      throw ToolFailure("\(error)")
    }
    do throws(FindingSums.Failure) {
      return try FindingSums(json: bytes)
    } catch {
      throw ToolFailure("'\(path)' \(error)")
    }
  }

  private func report(
    on images: [StoreImage], _ damage: [String], _ path: String, _ options: TraceOptions
  ) -> FindingSums {
    var symbolicator = names.symbolicator(latest: NameOptions.time(of: path))
    defer { NameOptions.complain(of: symbolicator) }
    return FindingSums(
      of: Reporter(redact: options.redact, wrappers: Wrappers(adding: options.wrappers))
        .report(on: images, symbolicator: &symbolicator, damage: damage))
  }
}

/// The flags of a comparison.
struct DiffOptions: TableOptions {
  @Option(\.format) var format: GivenText?
  @Option(\.outputs) var output: [GivenText] = []
  @Option(\.sourceRoot) var sourceRoot: GivenText?
  @Option(\.errorExitcode) var errorExitcode: GivenText?
  @Option(\.wrappers) var wrappers: GivenText?
}
