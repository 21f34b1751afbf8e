// The flags that choose the symbolizer and its files, and the symbolicator that follows from it.

import ArgumentParser
import BSTRReporter
import Glibc

/// The choice of a symbolizer.
enum Symbolizer: ExpressibleByArgument, Equatable {
  /// llvm-symbolizer where there is one, and the Swift runtime elsewhere.
  case automatic
  /// The Swift runtime.
  case runtime
  /// The llvm-symbolizer at a path.
  case program(String)

  /// "auto", "runtime", or a path.
  init?(argument: String) {
    switch argument {
    case "auto": self = .automatic
    case "runtime": self = .runtime
    default:
      guard argument.contains("/") else { return nil }
      self = .program(argument)
    }
  }

  /// The text on the command line.
  var defaultValueDescription: String {
    switch self {
    case .automatic: "auto"
    case .runtime: "runtime"
    case .program(let path): path
    }
  }
}

/// The folders of debug files.
struct DebugPathOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Look below this folder, by build-id, for modules and debug files of a run on another machine, or that are "
        + "not where they were. May be given again.", valueName: "folder"),
    completion: .directory)
  var debugPath: [String] = []

  func validate() throws {
    for folder in debugPath {
      guard let stream = opendir(folder) else {
        throw ValidationError("--debug-path '\(folder)': \(OutputFile.reason()).")
      }
      closedir(stream)
    }
  }
}

/// The flags on the lookup of names.
struct NameOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What looks up the names of functions and lines: auto (llvm-symbolizer of the Swift toolchain or "
        + "in PATH, else the Swift runtime), runtime, or the path of an llvm-symbolizer.",
      valueName: "auto|runtime|path"),
    completion: .file())
  var symbolizer = Symbolizer.automatic

  @OptionGroup var debug: DebugPathOptions

  func validate() throws {
    if case .program(let path) = symbolizer, access(path, X_OK) != 0 {
      throw ValidationError("--symbolizer '\(path)': \(OutputFile.reason()).")
    }
  }

  /// A symbolicator of locations in the programs' files, with run-times' names of code that they
  /// made.
  typealias Symbolicator =
    CachingSymbolicator<PerfMapSymbolicator<RelocatedSymbolicator<ModuleSymbolicator>>>

  /// Returns the symbolicator that was asked for.
  ///
  /// - Parameter latest: when the files of names may have been written last, in nanoseconds since
  ///   1970; `nil` when the program has just ended.
  func symbolicator(latest: Int64? = nil) -> Symbolicator {
    let modules =
      switch symbolizer {
      case .automatic: ModuleSymbolicator.best
      case .runtime: ModuleSymbolicator.runtime(RuntimeSymbolicator())
      case .program(let path): ModuleSymbolicator.llvm(LLVMSymbolicator(path: path))
      }
    let relocated = RelocatedSymbolicator(modules, files: DebugFiles(below: debug.debugPath))
    return CachingSymbolicator(PerfMapSymbolicator(relocated, latest: latest ?? .max))
  }

  /// Reports that llvm-symbolizer failed, if it did.
  static func complain(of symbolicator: Symbolicator) {
    if let failure = symbolicator.base.base.base.failure { ExitStatus.complain(failure) }
  }

  /// Returns the time when a file was written last, in nanoseconds since 1970.
  static func time(of path: String) -> Int64? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return status.st_mtim.nanoseconds
  }
}
