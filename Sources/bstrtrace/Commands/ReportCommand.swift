// `bstrtrace report`: reads kept stores again.

import ArgumentParser
import BSTRReporter
import Glibc
import TraceOptions
import TraceStore

/// Reports on stores that were kept.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Report on stores that 'bstrtrace run --keep-store' has kept.",
    discussion: """
      Names come from the programs' files as they are now: a file that was rebuilt since, by its \
      build-id, names nothing. For a run on another machine, --debug-path names folders with its \
      modules or their debug files, and --source-root the one with its sources.

      A damaged store is read as far as it goes; what is wrong is said, and the exit status is 2.
      """
  )

  @OptionGroup var options: ReportOptions

  @Option(
    help: ArgumentHelp(
      "Show all that is known of the BSTR with this serial number instead.", valueName: "serial"))
  var history: UInt64?

  @Argument(help: "Kept stores, of one run or of several.", completion: .file())
  var store: [String]

  func validate() throws {
    guard history != nil else { return }
    for destination in TraceOptions(options.given).destinations {
      switch destination.content {
      case .report(.text): continue
      case .report(let format):
        throw ValidationError(
          "--history is text: it has no \(format.rawValue.uppercased()) form.")
      case .store: throw ValidationError("--history is text, and no store.")
      }
    }
  }

  func run() throws {
    let traceOptions = TraceOptions(EnvironmentOptions.read().overruled(by: options.allGiven))
    do {
      if traceOptions.redact,
        let store = traceOptions.destinations.first(where: { $0.content == .store })
      {
        throw ToolFailure(
          "cannot write '\(store.path ?? "")': a store has strings that --redact is to keep out")
      }
      let target = try ReportTarget(traceOptions)
      let triage = try Triage(options.triage, traceOptions)
      var stores: [StoreReference] = []
      var damage: [String] = []
      for path in store {
        do throws(StoreFile.Failure) {
          let file = try StoreFile.references(at: path)
          stores += file.stores
          if let wrong = file.damage { damage.append("'\(path)': \(wrong)") }
        } catch {
          damage.append("\(error)")
        }
      }
      if stores.isEmpty {
        for sentence in damage { ExitStatus.complain(sentence) }
        // A file of the format that was asked for, in which a program reads the same.
        if !traceOptions.outputs.isEmpty {
          try target.write(Report(processes: [], damage: damage), of: [])
        }
        throw ExitCode(ExitStatus.toolFailed)
      }
      let latest = store.compactMap(NameOptions.time(of:)).max()
      var symbolicator = options.names.symbolicator(latest: latest)
      defer { NameOptions.complain(of: symbolicator) }
      if let history {
        let story = options.reporter(traceOptions)
          .history(ofSerial: history, in: stores, symbolicator: &symbolicator)
        if options.output.isEmpty { return try OutputFile.write(story, to: STDOUT_FILENO) }
        return try target.write(story)
      }
      var report = options.report(
        on: stores, damage: damage, traceOptions, symbolicator: &symbolicator)
      try triage.apply(to: &report)
      try target.write(report, of: stores)
      throw ExitStatus.of(report, traceOptions, triage)
    } catch let failure as ToolFailure {
      throw ExitStatus.fail(failure.message)
    }
  }
}
