// Names code locations with llvm-symbolizer, which also finds split DWARF and separate debug files
// beside a module. Falls back to the runtime's symbolizer, location by location.

import Glibc

/// Symbolicates with `llvm-symbolizer`, and with `Runtime` where that does not answer.
///
/// Both give the same names: symbols are demangled here, by one demangler. A file that is no longer
/// the one that was loaded, by its build-id, names nothing, and its debug files are not looked for.
public struct LLVMSymbolicator: Symbolicator {
  private let path: String
  private let limits: SymbolizerProcess.Limits
  private let debuginfodCache: String?
  private var process: SymbolizerProcess?
  private var fallback = RuntimeSymbolicator()
  private var hasFallenBack = false
  private var hasAsked = false

  /// Creates a symbolicator that starts the program at a path with the first request.
  public init(path: String) {
    self.init(
      path: path, limits: SymbolizerProcess.Limits(), debuginfodCache: Self.debuginfodCache)
  }

  /// Creates a symbolicator with other limits than usual, and another folder of debuginfod's
  /// cache.
  init(
    path: String, limits: SymbolizerProcess.Limits = SymbolizerProcess.Limits(),
    debuginfodCache: String? = nil
  ) {
    self.path = path
    self.limits = limits
    self.debuginfodCache = debuginfodCache
  }

  /// `runtime` where the program has failed, even if it named a part, and where it was never asked,
  /// because it cannot read some files.
  public var source: NameSource? {
    hasFallenBack ? .runtime : hasAsked ? .llvmSymbolizer : fallback.source
  }

  /// The reason why the program is not used any more, as a sentence; `nil` while it is.
  public var failure: String? {
    process?.failure.map { "'\(path)' \($0): names come from the Swift runtime instead" }
  }

  /// Returns the functions at each location, innermost first.
  public mutating func symbols(for locations: Set<CodeLocation>) -> [CodeLocation: [Symbol]] {
    var found: [CodeLocation: [Symbol]] = [:]
    var asked: [(location: CodeLocation, question: SymbolizerProcess.Question)] = []
    var rest: Set<CodeLocation> = []
    var files: [String: ElfFile] = [:]
    for (module, locations) in Dictionary(grouping: locations, by: \.module) where !module.isEmpty {
      guard let file = ElfFile(path: module) else { continue }
      files[module] = file
      let buildID = file.buildID
      let same = locations.filter { location in
        (location.buildID == nil || location.buildID == buildID)
          && CompactBacktrace.addresses.contains(location.offset)
      }
      guard !Self.isCLibrary(module), let path = debugFile(of: file, at: module),
        SymbolizerProcess.canAsk(about: path)
      else {
        rest.formUnion(same)
        continue
      }
      asked += same.map { location in
        // A return address points behind the call.
        (location, SymbolizerProcess.Question(file: path, address: location.offset - 1))
      }
    }
    asked.sort {
      ($0.question.file, $0.question.address) < ($1.question.file, $1.question.address)
    }
    let answers = answers(to: asked.map(\.question))
    for (index, entry) in asked.enumerated() {
      guard index < answers.count else {
        rest.insert(entry.location)
        continue
      }
      let symbols = Self.symbols(answers[index])
      if !symbols.isEmpty {
        found[entry.location] = symbols
      } else if files[entry.location.module]?.hasSection(".gnu_debugdata") == true {
        // A compressed symbol table, which llvm-symbolizer does not read and the runtime does.
        rest.insert(entry.location)
      }
    }
    for (module, named) in Dictionary(grouping: found, by: \.key.module) {
      guard let file = files[module] else { continue }
      var inModule = Dictionary(uniqueKeysWithValues: named.map { ($0.key, $0.value) })
      inModule.preferAliases(of: file)
      found.merge(inModule) { $1 }
    }
    if answers.count < asked.count { hasFallenBack = true }
    return rest.isEmpty ? found : found.merging(fallback.symbols(for: rest)) { first, _ in first }
  }

  /// Returns the variable in the module's symbol table, and whether it can be written to.
  public mutating func dataSymbol(at location: CodeLocation) -> DataSymbol? {
    fallback.dataSymbol(at: location)
  }

  private mutating func answers(
    to questions: [SymbolizerProcess.Question]
  ) -> [[SymbolizerProcess.Answer]] {
    guard !questions.isEmpty else { return [] }
    hasAsked = true
    let running = process ?? SymbolizerProcess(path: path, limits: limits)
    process = running
    return running.answers(to: questions)
  }

  private static func symbols(_ answers: [SymbolizerProcess.Answer]) -> [Symbol] {
    let symbols = answers.enumerated().compactMap { index, answer -> Symbol? in
      guard let rawName = answer.rawName else { return nil }
      // Without a line, paths from debug information are absolute; others are guessed from symbols.
      let isKnown = answer.line > 0 || answer.file?.hasPrefix("/") == true
      return Symbol(
        rawName: rawName, file: isKnown ? answer.file : nil, line: answer.line,
        column: answer.column, inlined: index < answers.count - 1)
    }
    // Without the function that exists, the inlined ones have no caller.
    return symbols.count == answers.count ? symbols.mergingThunks() : []
  }

  /// Returns whether this is the C library, in which every stack ends.
  ///
  /// Its debug information, where it is installed, is larger than that of most programs: reading it
  /// would take ten times as long as everything else, for lines that no reader needs. The runtime
  /// reads no more than its symbols.
  private static func isCLibrary(_ module: String) -> Bool {
    module.hasSuffix("/libc.so.6")
  }

  // MARK: debug files

  /// Returns the file to query for a module: itself, without links, or what debuginfod had fetched
  /// for it.
  ///
  /// Other debug files are found by llvm-symbolizer itself: beside the module by its debug link,
  /// and under /usr/lib/debug by its build-id.
  private func debugFile(of file: ElfFile, at module: String) -> String? {
    if let cache = debuginfodCache, let buildID = file.buildID, buildID.utf8.count > 2,
      !file.hasSection(".debug_info")
    {
      let cached = "\(cache)/\(buildID)/debuginfo"
      let installed =
        "/usr/lib/debug/.build-id/\(buildID.prefix(2))/\(buildID.dropFirst(2)).debug"
      if access(installed, R_OK) != 0, ElfFile(path: cached)?.buildID == buildID { return cached }
    }
    return realPath(module)
  }

  /// The folder in which debuginfod's client keeps what it has fetched.
  private static var debuginfodCache: String? {
    func variable(_ name: String) -> String? {
      getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
    return variable("DEBUGINFOD_CACHE_PATH")
      ?? variable("XDG_CACHE_HOME").map { "\($0)/debuginfod_client" }
      ?? variable("HOME").map { "\($0)/.cache/debuginfod_client" }
  }
}
