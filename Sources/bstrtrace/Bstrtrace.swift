// The command line: subcommands and nothing else.

import ArgumentParser
import TraceOptions

/// bstrtrace.
@main
struct Bstrtrace: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bstrtrace",
    abstract: "Find leaked BSTRs: COM's strings, allocated by SysAllocString, freed by nobody.",
    discussion: """
      bstrtrace runs a program as it is and reports every BSTR that nobody freed, every wrong \
      free and every write outside a string, with the stacks behind them.

        bstrtrace run -- ./server --port 80     report when it has ended
        bstrtrace run --output leaks.json --output leaks.sarif -- ./server
        bstrtrace run --keep-store run.store -- ./server
        bstrtrace report run.store              the same report again, later
        bstrtrace diff old.store new.store      what is new, has grown, shrunk or gone
        bstrtrace sweep -- ./server             check the paths behind failed allocations
        bstrtrace check ./server                whose strings would be seen, without a run

      The exit status is the program's own; when that is 0 and there are findings, it is 23.
      """,
    version: ToolVersion.current,
    subcommands: [
      RunCommand.self, ReportCommand.self, DiffCommand.self, SweepCommand.self,
      CheckCommand.self,
    ]
  )
}
