// Whether the strings of a module are seen when it is run, as far as its file tells before.

import TraceStore

/// The BSTR functions of one module's file, and whether its calls of them are traced.
struct ModuleReach: Sendable {
  /// The way in which a module has functions of the family.
  enum Binding: String, CaseIterable, Sendable {
    /// It takes them from other modules.
    case imports
    /// It has them for itself and for others.
    case exports
    /// It has them for itself alone.
    case contains
  }

  /// The module's path.
  let path: String
  /// The functions, by the names that they have in the file; those without any are left out.
  let functions: [(binding: Binding, names: [String])]
  /// The bytes of a character, where C++ names tell; otherwise a run detects them.
  let olecharBytes: Int?
  /// The reason why its strings, or some of them, are not seen; `nil` when all are.
  let unseen: UnseenStrings?
  /// Where the symbols were that were stripped from it; `nil` where it has its own, or they are
  /// nowhere.
  let separate: SeparateSymbols.Source?
  /// What would become of the functions that it has inside it, as far as the file tells; `.none`
  /// where they are not to be replaced.
  let replacement: FunctionReplacement
  /// Whether local symbols were stripped, so that it may contain functions which do not show.
  let isStripped: Bool

  /// Whether it is linked with this library's functions, or is this library.
  let isOfThisLibrary: Bool

  /// Whether it has anything to do with the functions, as far as its symbols show.
  var usesFunctions: Bool { isOfThisLibrary || !functions.isEmpty }

  /// Returns a function that it takes from whichever module comes first and that `program`, which
  /// does, exports: calls of it are not traced.
  func function(takenFrom program: ModuleReach) -> String? {
    guard program.unseen?.reason == .exportedByProgram, path != program.path else { return nil }
    let first = Set(program.functions.filter { $0.binding == .exports }.flatMap(\.names))
    return functions.lazy.filter { $0.binding != .contains }.flatMap(\.names)
      .first { first.contains($0) }
  }

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - isProgram: whether it is the program rather than a library.
  ///   - isInside: whether functions inside of modules are to be replaced.
  ///   - search: where symbols are looked for that were stripped from it.
  /// - Returns: `nil` where it cannot be read or is no 64-bit ELF file.
  init?(
    ofModuleAt path: String, isProgram: Bool, isInside: Bool, _ search: inout SeparateSymbolSearch
  ) {
    guard let file = ElfFile(path: path) else { return nil }
    var symbols = BSTRFunctionSymbols(of: file)
    self.path = path
    let found = symbols.isOfThisLibrary ? nil : search.symbols(of: path, file)
    let family = FunctionFamily(in: file, separate: found?.file)
    let isFound = found != nil && family.replacement != .none
    if isFound { symbols.add(family) }
    separate = isFound ? found?.source : nil
    isStripped = symbols.isStripped
    isOfThisLibrary = symbols.isOfThisLibrary
    guard !symbols.isOfThisLibrary else {
      functions = []
      olecharBytes = nil
      unseen = nil
      replacement = .none
      return
    }
    functions = [
      (Binding.imports, symbols.imported), (.exports, symbols.exported), (.contains, symbols.own),
    ].compactMap { binding, found in
      found.isEmpty ? nil : (binding, found.map(\.symbol))
    }
    // Overloads have several.
    olecharBytes =
      symbols.overload != nil
      ? nil
      : (symbols.imported + symbols.exported + symbols.own).lazy
        .compactMap { $0.linkage?.olecharBytes }.first
    replacement = isInside ? family.replacement : .none
    unseen = CoverageFinder.unseen(symbols, of: path, isProgram: isProgram, replacement)
  }
}
