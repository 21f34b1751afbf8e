// The tables: their workloads and the text above them.

import ArgumentParser

/// A table, or two, of the benchmark.
enum Topic: String, CaseIterable, ExpressibleByArgument {
  case stacks
  case sites
  case depth
  case sizes
  case threads
  case live
  case alive
  case leaks
  case startup
  case heap
  case sevenzip
  case options

  /// Whether it is made with `--short`.
  var isShort: Bool { [.stacks, .sites, .startup, .heap].contains(self) }

  /// Whether its figures depend on the depth of recorded stacks.
  var hasStacks: Bool { [.sites, .depth, .sizes, .threads].contains(self) }

  /// A line on what was measured.
  var title: String {
    switch self {
    case .stacks: "Frames shown of one leak, of the program's 18"
    case .sites: "Nanoseconds per pair: 16 characters, depth 18"
    case .depth: "Nanoseconds per pair: one site, 16 characters, by depth of the stack"
    case .sizes: "Nanoseconds per pair: one site, depth 18, by size of the string"
    case .threads: "Nanoseconds per pair by the wall clock: one site per thread, depth 18"
    case .live: "Resident bytes per string at a million live strings of 16 characters (one run)"
    case .alive: "Resident KiB per thread: 1,000 at once, each after 2,000 pairs (one run)"
    case .leaks: "A million leaks from 10,000 stacks: seconds, and peak of resident memory (+fp)"
    case .startup: "Milliseconds from start to end of an empty program"
    case .heap: "Nanoseconds per pair of malloc and free (42 bytes) of a program without BSTRs"
    case .sevenzip: "Milliseconds of Debian's 7z: packing and listing 200 files, 8 MB in all"
    case .options: "Nanoseconds per pair, linked, by options (16 characters, depth 18)"
    }
  }

  /// The workloads that are run, besides those that have a table of their own kind.
  var workloads: [Workload] {
    switch self {
    case .stacks, .leaks: []
    case .sites: [.oneSite, .functions, .paths]
    case .depth:
      [.own("depth 5", "pair", "depth=5"), .oneSite, .own("depth 40", "pair", "depth=40"), .deep]
    case .sizes:
      [
        .own("0 bytes", "pair", "size=0"), .oneSite, .own("4 KiB", "pair", "size=2048"),
        .own("64 KiB", "pair", "size=32768"),
      ]
    case .threads: [.oneThread, .twoThreads, .own("freed by the other", "crossfree")]
    case .live: [.live]
    case .alive: [.alive, .alive(functions: 10), .alive(functions: 100)]
    case .startup: [.empty]
    case .heap: [.heap]
    case .sevenzip:
      [
        Workload(
          name: "7z a", program: .sevenZip(["a", "-bd", "-mx=1", "FRESH.7z", "input"]),
          figure: .milliseconds),
        Workload(
          name: "7z l", program: .sevenZip(["l", "archive.7z"]), figure: .milliseconds),
      ]
    case .options:
      [.oneSite, .own("4 KiB", "pair", "size=2048"), .own("freed by the other", "crossfree")]
    }
  }
}
