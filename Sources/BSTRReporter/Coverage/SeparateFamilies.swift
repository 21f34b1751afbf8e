// The functions inside of modules that were stripped, by their separate symbols: what the traced
// process is told of them, and what of them may not be replaced.

import Glibc
public import TraceOptions
import TraceStore

/// The families of stripped modules.
public struct SeparateFamilies: Sendable {
  /// The functions that may be replaced, by their modules' build-ids or paths.
  public private(set) var functions: [GivenFunction] = []
  /// Modules with compressed symbols that no program of this machine decompresses.
  public private(set) var unread: [String] = []

  /// A family that may not be replaced.
  struct Refusal: Sendable {
    /// The symbol of a function that allocates; `nil` where only others are there.
    var symbol: String?
    /// The reason.
    var replacement: FunctionReplacement
  }
  /// Those families, by their modules' build-ids or paths.
  private var refusals: [String: Refusal] = [:]

  /// Looks at modules.
  ///
  /// - Parameters:
  ///   - paths: their paths.
  ///   - folders: folders of debug files, which are looked at first.
  ///   - given: functions that were given by hand: modules that these name are left out.
  public init(of paths: [String], below folders: [String], except given: [GivenFunction]) {
    let programs = getenv("PATH").map { String(cString: $0) } ?? ""
    var search = SeparateSymbolSearch(below: folders, programs: programs)
    for path in paths {
      guard let file = ElfFile(path: path), file.isX8664,
        !given.contains(where: { $0.isIn(path, buildID: file.buildID) }),
        let symbols = search.symbols(of: path, file),
        let key = file.buildID ?? realPath(path)
      else { continue }
      let family = FunctionFamily(in: file, separate: symbols.file)
      switch family.replacement {
      case .none: break
      case .replaced:
        functions += family.functions.map {
          GivenFunction(name: $0.name, module: key, offset: $0.address)
        }.filter(\.isSpellable)
      default:
        refusals[key] = Refusal(
          symbol: family.functions.first { $0.name.contains("Alloc") }?.symbol,
          replacement: family.replacement)
      }
    }
    unread = search.unread
  }

  /// Returns why the family of a module may not be replaced; `nil` where it may, or has none.
  func refusal(of path: String, buildID: String?) -> Refusal? {
    refusals[buildID ?? path]
  }
}

extension GivenFunction {
  /// Returns whether its module is the one with a path and a build-id.
  func isIn(_ path: String, buildID: String?) -> Bool {
    if module.utf8.contains(UInt8(ascii: "/")) {
      var (status, others) = (stat(), stat())
      return stat(module, &status) == 0 && stat(path, &others) == 0
        && status.st_dev == others.st_dev && status.st_ino == others.st_ino
    }
    return module == buildID || module == Frame.lastComponent(of: path)
  }
}
