// Which modules allocate BSTRs that are not seen, and why. A report that is silent about them reads as if all
// were well there.

import TraceStore

/// A module whose strings are not seen, or not all of them.
public struct UnseenStrings: Hashable, Sendable {
  /// The module's path; `nil` where only strings of it were seen.
  public var module: String?
  /// Why they are not seen.
  public var reason: Reason
  /// The symbol that shows it; `nil` where there is none.
  public var symbol: String?

  /// Why a module's strings are not seen.
  ///
  /// The raw values are the report's.
  public enum Reason: String, CaseIterable, Sendable {
    /// It has the functions inside and calls them directly.
    case ownCopy = "own-copy"
    /// It is the program and exports the functions: everybody's calls of these names end there.
    case exportedByProgram = "exported-by-program"
    /// It exports the functions and is bound to its own.
    case boundToItself = "bound-to-itself"
    /// It has or calls the functions under their C++ names.
    case mangledNames = "mangled-names"
    /// BSTRs were freed that no function seen here had allocated.
    case foreignFrees = "foreign-frees"
  }
}

/// Looks for modules whose strings are not seen.
struct CoverageFinder {
  private var known: [String: BSTRFunctionSymbols?] = [:]

  /// The modules of a process whose strings are not seen, by path.
  ///
  /// Of the modules that were loaded those are looked at that the store names: the program, and what was on
  /// recorded stacks.
  mutating func unseenStrings(in image: StoreImage) -> [UnseenStrings] {
    var paths: [String: String?] = [image.executable: nil]
    var number: UInt16 = 1
    while let record = image.module(ModuleID(rawValue: number)), number < UInt16.max {
      let buildID = image.rawText(record.buildID)
      paths[image.text(record.path)] = buildID.isEmpty ? .some(nil) : Hexadecimal.text(buildID)
      number += 1
    }
    var unseen: [UnseenStrings] = []
    for (path, buildID) in paths.sorted(by: { $0.key < $1.key }) {
      guard let symbols = symbols(of: path, buildID: buildID) else { continue }
      if let (reason, symbol) = Self.reason(symbols, isProgram: path == image.executable) {
        unseen.append(UnseenStrings(module: path, reason: reason, symbol: symbol))
      }
    }
    if image.count(.foreignFrees) > 0 {
      unseen.append(UnseenStrings(module: nil, reason: .foreignFrees, symbol: nil))
    }
    return unseen
  }

  /// The symbols of the file that was loaded; `nil` when it is gone, or another one stands in its place.
  private mutating func symbols(of path: String, buildID: String?) -> BSTRFunctionSymbols? {
    if let symbols = known[path] { return symbols }
    let file = ElfFile(path: path)
    let isTheSame = buildID == nil || file?.buildID == buildID
    let symbols = isTheSame ? file.map { BSTRFunctionSymbols(of: $0) } : nil
    known[path] = symbols
    return symbols
  }

  /// Why strings of a module are not seen, and the symbol that shows it; `nil` where nothing speaks for it.
  private static func reason(
    _ symbols: BSTRFunctionSymbols, isProgram: Bool
  ) -> (UnseenStrings.Reason, String)? {
    if symbols.isOfThisLibrary { return nil }
    let mangled = (symbols.own + symbols.exported + symbols.imported).first(where: \.isMangled)
    if let own = symbols.own.first(where: { !$0.isMangled }) { return (.ownCopy, own.symbol) }
    if let exported = symbols.exported.first(where: { !$0.isMangled }) {
      // The program's own symbols come first: no library stands in front of them.
      if isProgram { return (.exportedByProgram, exported.symbol) }
      if symbols.isBoundToItself { return (.boundToItself, exported.symbol) }
    }
    // Beside the functions themselves a C++ name is a wrapper's, whose calls are seen.
    if symbols.imported.contains(where: { !$0.isMangled }) { return nil }
    return mangled.map { (.mangledNames, $0.symbol) }
  }
}
