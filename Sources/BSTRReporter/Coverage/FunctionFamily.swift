// Whether the functions that a module has inside it may be replaced, by the symbols of its file:
// what CTracker's family.c decides in the process. Whether they do what a BSTR's functions do shows
// there alone.

import TraceStore

/// The BSTR functions that a module defines, whatever their visibility.
struct FunctionFamily {
  /// A function of it.
  struct Function {
    /// Its C name.
    var name: String
    /// Its name in the file.
    var symbol: String
    /// Its address in the file's address space.
    var address: UInt64
  }

  /// `.replaced` where nothing in the file speaks against it, or else the reason; `.none` where it
  /// has no function that allocates.
  private(set) var replacement = FunctionReplacement.none
  /// The functions, with those that only read a string, in the order of their names.
  private(set) var functions: [Function] = []

  /// The bytes of the jump that replaces a function.
  private static let jumpBytes: UInt64 = 5
  private static let endbr64: [UInt8] = [0xF3, 0x0F, 0x1E, 0xFA]
  private static let allocating: Set = [
    "SysAllocString", "SysAllocStringLen", "SysAllocStringByteLen",
  ]
  private static let pins: Set = ["SysAddRefString", "SysReleaseString"]
  private static let readers: Set = ["SysStringLen", "SysStringByteLen"]
  private static let known: Set = allocating.union(pins).union(readers)
    .union(["SysFreeString", "SysReAllocString", "SysReAllocStringLen"])

  /// A part of a name that every family has.
  private static let part = TextSearch(anyOf: ["SysFreeString"])

  /// A symbol of a function: its C name, whether that is its name in the file, and what a compiler
  /// put behind it.
  private struct Name {
    var function: String
    var linkage: BSTRFunctionSymbols.Linkage
    var suffix: Substring

    /// - Returns: `nil` for a symbol that is no function's.
    init?(_ symbol: String) {
      let start = symbol.prefix { $0 != "." && $0 != "@" }
      suffix = symbol.dropFirst(start.count)
      if suffix.first == "@" { suffix = "" }
      let isStatic = start.hasPrefix("_ZL")
      let name = isStatic ? "_Z" + start.dropFirst(3) : String(start)
      let function = BSTRFunctionSymbols.plainName(ofMangled: name) ?? name
      guard FunctionFamily.known.contains(function) else { return nil }
      if function == name {
        linkage = .c
      } else if let known = BSTRFunctionSymbols.cxxNames[name] {
        linkage = known
      } else {
        return nil
      }
      self.function = function
    }

    /// Whether its calling convention is the function's own.
    var isPlain: Bool { suffix.isEmpty || suffix.hasPrefix(".lto_priv.") }
    /// Whether it is reached from the function alone.
    var isSplitOff: Bool { suffix.hasPrefix(".cold") }
  }

  /// Looks at the symbols of a file.
  ///
  /// - Parameter separate: a file with the symbols that were stripped from it.
  init(in file: ElfFile, separate: ElfFile? = nil) {
    guard file.isX8664 else { return }
    var symbols = file.symbols(
      isDynamic: separate != nil || !file.hasOwnSymbols, ifAnyHas: Self.part)
    if let separate {
      // Compressed symbols leave out what the file's own have. What else is at the functions'
      // addresses counts, whichever symbols show it.
      if !symbols.isEmpty {
        symbols += separate.symbols
      } else {
        symbols = separate.symbols(isDynamic: false, ifAnyHas: Self.part)
        if !symbols.isEmpty { symbols += file.dynamicSymbols }
      }
    }
    if symbols.isEmpty { return }
    symbols = symbols.filter { $0.isDefined && !$0.isObject }
    var readers: [UInt64: Function] = [:]
    var (result, found) = Self.collect(symbols) { function, symbol in
      readers[symbol.value] = Function(
        name: function, symbol: symbol.name, address: symbol.value)
    }
    if result == .none { return }
    functions =
      readers.values + found.map { Function(name: $0, symbol: $1.name, address: $1.value) }
    functions.sort { ($0.name, $0.address) < ($1.name, $1.address) }
    if result == .replaced { result = Self.judge(&found, symbols, file) }
    replacement = result
    // What does nothing is left alone.
    if replacement == .replaced {
      functions.removeAll { Self.pins.contains($0.name) && found[$0.name] == nil }
    }
  }

  /// Returns the functions that would be replaced, and `.replaced` where nothing speaks against it
  /// yet.
  ///
  /// - Parameter reader: called with functions that only read.
  private static func collect(
    _ symbols: [ElfFile.FileSymbol], reader: (String, ElfFile.FileSymbol) -> Void
  ) -> (FunctionReplacement, [String: ElfFile.FileSymbol]) {
    var found: [String: ElfFile.FileSymbol] = [:]
    var linkages: Set<BSTRFunctionSymbols.Linkage> = []
    var hasAllocating = false
    var result: FunctionReplacement?
    for symbol in symbols {
      guard let name = Name(symbol.name), !name.isSplitOff else { continue }
      let isWhole = name.isPlain && symbol.isFunction
      if readers.contains(name.function) {
        if isWhole { reader(name.function, symbol) }
        continue
      }
      if allocating.contains(name.function) { hasAllocating = true }
      guard isWhole else {
        result = .cloned
        continue
      }
      if name.linkage != .bytes { linkages.insert(name.linkage) }
      if linkages.count > 1, result != .cloned { result = .overloaded }
      if let known = found[name.function], known.value != symbol.value {
        result = result ?? .repeated
      }
      found[name.function] = symbol
    }
    guard hasAllocating else { return (.none, [:]) }
    if let result { return (result, found) }
    let isWhole = found["SysFreeString"] != nil && found.keys.contains(where: allocating.contains)
    return (isWhole ? .replaced : .inParts, found)
  }

  /// Judges each function's code, and takes out what does nothing.
  private static func judge(
    _ found: inout [String: ElfFile.FileSymbol], _ symbols: [ElfFile.FileSymbol], _ file: ElfFile
  ) -> FunctionReplacement {
    for (function, symbol) in found {
      let code = file.code(at: symbol.value, count: Int(min(symbol.size, 16))) ?? []
      let marked = code.starts(with: endbr64) ? endbr64.count : 0
      let rest = code.dropFirst(marked)
      if pins.contains(function), symbol.size == UInt64(code.count),
        rest.elementsEqual([0xC3]) || rest.elementsEqual([0x31, 0xC0, 0xC3])
      {
        found[function] = nil
        continue
      }
      let replacedBytes = UInt64(marked) + jumpBytes
      if symbol.size < replacedBytes { return .tooSmall }
      let isShared = symbols.contains { other in
        other.value &- symbol.value < replacedBytes
          && (other.value != symbol.value || Name(other.name)?.function != function)
      }
      if isShared { return .folded }
    }
    return .replaced
  }
}
