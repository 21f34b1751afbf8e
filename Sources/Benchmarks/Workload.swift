// A workload: one program's run, and the figure of it that counts.

/// A run that is measured.
struct Workload: Hashable {
  /// The program that is run.
  enum Program: Hashable {
    /// A file of the folder `Workloads`, with arguments.
    case own(String, [String])
    /// Debian's 7z, the same for all. `FRESH` is replaced by a path that does not exist.
    case sevenZip([String])
  }

  /// The figure of a run that counts.
  enum Figure: Hashable {
    /// The number that the program prints behind this name.
    case printed(String)
    /// Milliseconds from start to end.
    case milliseconds
  }

  /// The head of its column.
  let name: String
  let program: Program
  var figure = Figure.printed("ns_per_pair")

  /// Returns a kind of `workload.c`.
  static func own(_ name: String, _ arguments: String...) -> Workload {
    Workload(name: name, program: .own("workload", arguments))
  }

  static let oneSite = own("one site", "pair", "depth=18")
  static let functions = own("1,000 functions", "sites", "depth=18")
  static let paths = own("1,000 paths", "paths", "depth=18")
  static let deep = own("depth 100", "pair", "depth=100")
  static let oneThread = own("1 thread", "threads", "threads=1")
  static let twoThreads = own("2 threads", "threads", "threads=2")
  static let live = Workload(
    name: "bytes per string", program: .own("workload", ["live"]),
    figure: .printed("bytes_per_string"))
  static let alive = alive(functions: 1)
  /// Returns a thousand threads that live at once, each after 2,000 pairs at some functions.
  static func alive(functions: Int) -> Workload {
    Workload(
      name: functions == 1 ? "one function" : "\(functions) functions",
      program: .own("workload", ["alive", "count=1000", "functions=\(functions)"]),
      figure: .printed("kB_per_thread"))
  }
  static let empty = Workload(
    name: "empty program", program: .own("empty", []), figure: .milliseconds)
  static let heap = Workload(name: "malloc and free", program: .own("heap", []))
}
