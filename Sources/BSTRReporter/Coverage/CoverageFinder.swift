// The modules of a process, and which BSTR functions their files import, export and define.

import TraceOptions
import TraceStore

/// The modules of a process whose strings are seen, and those whose strings are not.
struct ModuleCoverage {
  /// Modules whose strings are not seen, by path.
  var unseen: [UnseenStrings] = []
  /// A library that imports the functions, or else one that exports them, or has them inside it,
  /// replaced; other than this library, with the function.
  var user: (module: String, function: String, binding: ModuleReach.Binding)?
  /// Whether the functions inside of the program were replaced.
  var isProgramReplaced = false
  /// Whether every module that was loaded is known, and its file could be read.
  var isComplete = false
}

/// Looks for modules whose strings are not seen.
struct CoverageFinder {
  /// A file that was loaded.
  private struct Module: Hashable {
    var path: String
    /// In hexadecimal; `nil` where it has none.
    var buildID: String?
    /// What became of the functions that it has inside it.
    var replacement = FunctionReplacement.none
  }

  /// What was found of stripped modules before the run; `nil` where that was not looked for.
  private let separate: SeparateFamilies?

  /// Creates a finder.
  init(_ separate: SeparateFamilies? = nil) { self.separate = separate }

  /// Symbols of files by module; `nil` for a file that is gone or was replaced.
  private var known: [Module: BSTRFunctionSymbols?] = [:]

  /// Returns why strings of a module are not seen; `nil` where all are.
  ///
  /// - Parameter replacement: what became, or would become, of the functions inside it.
  static func unseen(
    _ symbols: BSTRFunctionSymbols, of module: String, isProgram: Bool,
    _ replacement: FunctionReplacement
  ) -> UnseenStrings? {
    if replacement == .replaced { return nil }
    let refusal = replacement.refusal
    if let (reason, symbol) = reason(symbols, isProgram: isProgram) {
      return UnseenStrings(module: module, reason: reason, symbol: symbol, refusal: refusal)
    }
    // Functions that were given by hand.
    let shows = (symbols.imported + symbols.exported).contains(where: \.allocates)
    guard refusal == .noCode || refusal == .noStart || refusal != nil && !shows else { return nil }
    return UnseenStrings(module: module, reason: .ownCopy, symbol: nil, refusal: refusal)
  }

  /// Returns the modules of a process, by the symbols of their files.
  ///
  /// These are the modules that the store names: those that were loaded when the process began and
  /// ended, those on recorded stacks and what was loaded with them, and those that were unloaded.
  mutating func coverage(of image: StoreImage) -> ModuleCoverage {
    var coverage = ModuleCoverage()
    coverage.isComplete = image.header.areModulesNamed == 1
    for module in modules(of: image) {
      guard let symbols = symbols(of: module) else {
        coverage.isComplete = false
        // What a file that is gone had shows in the process.
        if let refusal = module.replacement.refusal {
          coverage.unseen.append(
            UnseenStrings(
              module: module.path, reason: .ownCopy, symbol: nil, refusal: refusal))
        }
        continue
      }
      if symbols.isOfThisLibrary { continue }
      let isProgram = module.path == image.executable
      if isProgram, module.replacement == .replaced { coverage.isProgramReplaced = true }
      let refusal =
        module.replacement == .none
        ? separate?.refusal(of: module.path, buildID: module.buildID) : nil
      if var unseen = Self.unseen(
        symbols, of: module.path, isProgram: isProgram, refusal?.replacement ?? module.replacement)
      {
        unseen.symbol = unseen.symbol ?? refusal?.symbol
        coverage.unseen.append(unseen)
      } else if !isProgram, coverage.user?.binding != .imports {
        if let function = symbols.imported.first {
          coverage.user = (module.path, function.name, .imports)
        } else if module.replacement == .replaced,
          let function = (symbols.exported + symbols.own).first
        {
          coverage.user = (module.path, function.name, .contains)
        } else if let function = symbols.exported.first {
          coverage.user = (module.path, function.name, .exports)
        }
      }
    }
    if image.count(.foreignFrees) > 0 {
      coverage.unseen.append(UnseenStrings(module: nil, reason: .foreignFrees, symbol: nil))
    }
    return coverage
  }

  /// Returns whether a process has loaded the module that a function was given in.
  func hasLoaded(_ function: GivenFunction, in image: StoreImage) -> Bool {
    modules(of: image).contains { function.isIn($0.path, buildID: $0.buildID) }
  }

  /// Returns the files that a store names, by path.
  private func modules(of image: StoreImage) -> [Module] {
    var modules: Set<Module> = []
    var index: UInt16 = 1
    while let record = image.module(ModuleID(rawValue: index)), index < UInt16.max {
      let buildID = image.rawText(record.buildID)
      let path = image.text(record.path)
      // The vDSO is no file.
      if path.hasPrefix("/") {
        modules.insert(
          Module(
            path: path, buildID: buildID.isEmpty ? nil : Hexadecimal.text(buildID),
            replacement: record.replacement))
      }
      index += 1
    }
    if !modules.contains(where: { $0.path == image.executable }) {
      modules.insert(Module(path: image.executable, buildID: nil))
    }
    return modules.sorted { ($0.path, $0.buildID ?? "") < ($1.path, $1.buildID ?? "") }
  }

  /// Returns the symbols of the file that was loaded; `nil` when it is gone or was replaced.
  private mutating func symbols(of module: Module) -> BSTRFunctionSymbols? {
    var module = module
    module.replacement = .none
    if let symbols = known[module] { return symbols }
    let file = ElfFile(path: module.path)
    let isTheSame = module.buildID == nil || file?.buildID == module.buildID
    let symbols = isTheSame ? file.map { BSTRFunctionSymbols(of: $0) } : nil
    known[module] = symbols
    return symbols
  }

  /// Returns the reason why strings of a module are not seen, and the symbol that shows it; `nil`
  /// without one.
  private static func reason(
    _ symbols: BSTRFunctionSymbols, isProgram: Bool
  ) -> (UnseenStrings.Reason, String)? {
    func first(_ functions: [BSTRFunctionSymbols.Function]) -> String? {
      functions.first { $0.allocates && $0.isTraced }?.symbol
    }
    // Whatever their linkage, they are hidden or static.
    if let own = symbols.own.first(where: \.allocates) { return (.ownCopy, own.symbol) }
    // The program's own symbols come first: no library precedes it in symbol lookup.
    if isProgram, let exported = first(symbols.exported) { return (.exportedByProgram, exported) }
    if let bound = symbols.boundToItself { return (.boundToItself, bound.symbol) }
    if let overload = symbols.overload { return (.overloads, overload.symbol) }
    // Where the functions exist, too, another C++ name is a wrapper's, whose calls are seen.
    if (symbols.imported + symbols.exported).contains(where: \.isTraced) { return nil }
    return (symbols.exported + symbols.imported).first { !$0.isTraced }
      .map { (.mangledNames, $0.symbol) }
  }
}
