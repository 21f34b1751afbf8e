// Whether the strings of a module are seen when it is run, as far as its file tells before.

/// The BSTR functions of one module's file, and whether its calls of them are traced.
public struct ModuleReach: Sendable {
  /// The way in which a module has functions of the family.
  public enum Binding: String, CaseIterable, Sendable {
    /// It takes them from other modules.
    case imports
    /// It has them for itself and for others.
    case exports
    /// It has them for itself alone.
    case contains
  }

  /// The module's path.
  public let path: String
  /// The functions, by the names that they have in the file; those without any are left out.
  public let functions: [(binding: Binding, names: [String])]
  /// The bytes of a character, where C++ names tell; otherwise a run detects them.
  public let olecharBytes: Int?
  /// The reason why its strings, or some of them, are not seen; `nil` when all are.
  public let unseen: UnseenStrings?
  /// Whether local symbols were stripped, so that it may contain functions which do not show.
  public let isStripped: Bool

  /// Whether it is linked with this library's functions, or is this library.
  public let isOfThisLibrary: Bool

  /// Whether it has anything to do with the functions, as far as its symbols show.
  public var usesFunctions: Bool { isOfThisLibrary || !functions.isEmpty }

  /// Returns a function that it takes from whichever module comes first and that `program`, which
  /// does, exports: calls of it are not traced.
  public func function(takenFrom program: ModuleReach) -> String? {
    guard program.unseen?.reason == .exportedByProgram, path != program.path else { return nil }
    let first = Set(program.functions.filter { $0.binding == .exports }.flatMap(\.names))
    return functions.lazy.filter { $0.binding != .contains }.flatMap(\.names)
      .first { first.contains($0) }
  }

  /// Reads a file.
  ///
  /// - Parameter isProgram: whether it is the program rather than a library.
  /// - Returns: `nil` where it cannot be read or is no 64-bit ELF file.
  public init?(ofModuleAt path: String, isProgram: Bool) {
    guard let file = ElfFile(path: path) else { return nil }
    let symbols = BSTRFunctionSymbols(of: file)
    self.path = path
    isStripped = symbols.isStripped
    isOfThisLibrary = symbols.isOfThisLibrary
    guard !symbols.isOfThisLibrary else {
      functions = []
      olecharBytes = nil
      unseen = nil
      return
    }
    functions = [
      (Binding.imports, symbols.imported), (.exports, symbols.exported), (.contains, symbols.own),
    ].compactMap { binding, found in
      found.isEmpty ? nil : (binding, found.map(\.symbol))
    }
    olecharBytes =
      (symbols.imported + symbols.exported + symbols.own).lazy
      .compactMap(\.olecharBytes).first
    unseen = CoverageFinder.reason(symbols, isProgram: isProgram).map { reason, symbol in
      UnseenStrings(module: path, reason: reason, symbol: symbol)
    }
  }

  /// What makes its strings seen; `nil` where they are.
  public var advice: String? {
    switch unseen?.reason {
    case .ownCopy, .exportedByProgram:
      "Link it with libbstrtrace-linked in place of its own functions."
    case .boundToItself:
      "Link it without -Bsymbolic, and compile it without -fno-semantic-interposition and with the functions "
        + "visible; or link it with libbstrtrace-linked in place of its own functions."
    case .mangledNames: "Declare the functions extern \"C\", in the module that has them, too."
    case .overloads: "Give the overloads a name of their own."
    case .foreignFrees, nil: nil
    }
  }
}
