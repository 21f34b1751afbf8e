// The modules of a process, and what their files say of the BSTR functions.

import TraceStore

/// The modules of a process whose strings are seen, and those whose strings are not.
struct ModuleCoverage {
  /// Those whose strings are not seen, by path.
  var unseen: [UnseenStrings] = []
  /// A library that imports the functions, or else one that exports them, and is not this one; with
  /// the function.
  var user: (module: String, function: String, isImported: Bool)?
  /// Whether every module that was loaded is known, and its file could be looked at.
  var isComplete = false
}

/// Looks for modules whose strings are not seen.
struct CoverageFinder {
  /// A file that was loaded.
  private struct Module: Hashable {
    var path: String
    /// In hexadecimal; `nil` where it has none.
    var buildID: String?
  }

  /// What is known of files; `nil` of those that are gone, or have another one in their place.
  private var known: [Module: BSTRFunctionSymbols?] = [:]

  /// The modules of a process, by what their files say.
  ///
  /// Those are looked at that the store names: what was loaded when the process began and ended,
  /// what was on recorded stacks and what came with it, and what was closed.
  mutating func coverage(of image: StoreImage) -> ModuleCoverage {
    var coverage = ModuleCoverage()
    coverage.isComplete = image.header.areModulesNamed == 1
    for module in modules(of: image) {
      guard let symbols = symbols(of: module) else {
        coverage.isComplete = false
        continue
      }
      if symbols.isOfThisLibrary { continue }
      let isProgram = module.path == image.executable
      if let (reason, symbol) = Self.reason(symbols, isProgram: isProgram) {
        coverage.unseen.append(
          UnseenStrings(module: module.path, reason: reason, symbol: symbol))
      } else if !isProgram, coverage.user?.isImported != true,
        let function = symbols.imported.first ?? symbols.exported.first
      {
        coverage.user = (module.path, function.name, isImported: !symbols.imported.isEmpty)
      }
    }
    if image.count(.foreignFrees) > 0 {
      coverage.unseen.append(UnseenStrings(module: nil, reason: .foreignFrees, symbol: nil))
    }
    return coverage
  }

  /// The files that a store names, by path.
  private func modules(of image: StoreImage) -> [Module] {
    var modules: Set<Module> = []
    var number: UInt16 = 1
    while let record = image.module(ModuleID(rawValue: number)), number < UInt16.max {
      let buildID = image.rawText(record.buildID)
      let path = image.text(record.path)
      // The kernel's module is no file.
      if path.hasPrefix("/") {
        modules.insert(
          Module(path: path, buildID: buildID.isEmpty ? nil : Hexadecimal.text(buildID)))
      }
      number += 1
    }
    if !modules.contains(where: { $0.path == image.executable }) {
      modules.insert(Module(path: image.executable, buildID: nil))
    }
    return modules.sorted { ($0.path, $0.buildID ?? "") < ($1.path, $1.buildID ?? "") }
  }

  /// The symbols of the file that was loaded; `nil` when it is gone, or another one stands in its
  /// place.
  private mutating func symbols(of module: Module) -> BSTRFunctionSymbols? {
    if let symbols = known[module] { return symbols }
    let file = ElfFile(path: module.path)
    let isTheSame = module.buildID == nil || file?.buildID == module.buildID
    let symbols = isTheSame ? file.map { BSTRFunctionSymbols(of: $0) } : nil
    known[module] = symbols
    return symbols
  }

  /// Why strings of a module are not seen, and the symbol that shows it; `nil` where nothing speaks
  /// for it.
  private static func reason(
    _ symbols: BSTRFunctionSymbols, isProgram: Bool
  ) -> (UnseenStrings.Reason, String)? {
    func first(_ functions: [BSTRFunctionSymbols.Function]) -> String? {
      functions.first { $0.allocates && !$0.isMangled }?.symbol
    }
    if let own = first(symbols.own) { return (.ownCopy, own) }
    // The program's own symbols come first: no library stands in front of them.
    if isProgram, let exported = first(symbols.exported) { return (.exportedByProgram, exported) }
    if let bound = symbols.boundToItself { return (.boundToItself, bound.symbol) }
    // Beside the functions themselves a C++ name is a wrapper's, whose calls are seen.
    if (symbols.imported + symbols.exported).contains(where: { !$0.isMangled }) { return nil }
    return (symbols.own + symbols.exported + symbols.imported).first(where: \.isMangled)
      .map { (.mangledNames, $0.symbol) }
  }
}
