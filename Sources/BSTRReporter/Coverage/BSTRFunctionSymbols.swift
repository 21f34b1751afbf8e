// The BSTR functions among a module's symbols: those that it imports, exports and keeps local.

/// The BSTR functions in the symbols of a module's file.
struct BSTRFunctionSymbols {
  /// A function of the family, by the name that it has in the file.
  struct Function: Hashable {
    /// The function's C name.
    var name: String
    /// Its name in the file, which differs for C++ linkage: `_Z13SysFreeStringPw`.
    var symbol: String
    /// C's linkage, or that of a C++ name which this library exports, too; `nil` for other names,
    /// calls by which are not traced.
    var linkage: Linkage? { symbol == name ? .c : BSTRFunctionSymbols.cxxNames[symbol] }
    /// Whether calls by the name that it has in the file are traced.
    var isTraced: Bool { linkage != nil }
    /// Whether it allocates strings, and does not only free them.
    var allocates: Bool { name != "SysFreeString" }
  }

  /// The linkage of a name: C's, or C++'s with the type of a character.
  enum Linkage {
    case c
    case wchar, char16, short
    /// C++'s, in a name without a character.
    case bytes

    /// The bytes of a character, where the linkage tells.
    var olecharBytes: Int? {
      switch self {
      case .wchar: 4
      case .char16, .short: 2
      case .c, .bytes: nil
      }
    }
  }

  /// Functions that it imports from other modules.
  private(set) var imported: [Function] = []
  /// Functions that it exports.
  private(set) var exported: [Function] = []
  /// Functions that it defines with local binding.
  private(set) var own: [Function] = []
  /// The function that it exports and yet calls without the dynamic linker, whatever is preloaded.
  private(set) var boundToItself: Function?
  /// A C++ name of a function that it imports or exports, where it has the functions under names of
  /// more than one linkage or type: overloads.
  var overload: Function? {
    let linkages = Set((imported + exported).compactMap(\.linkage)).subtracting([.bytes])
    return linkages.count < 2 ? nil : (imported + exported).first { $0.symbol != $0.name }
  }
  /// Whether local symbols were stripped: then it may have more local functions.
  private(set) var isStripped = false
  /// Whether it is a copy of this library.
  private(set) var isOfThisLibrary = false

  /// The functions of the family that allocate or free.
  private static let names: Set = [
    "SysAllocString", "SysAllocStringLen", "SysAllocStringByteLen", "SysFreeString",
    "SysReAllocString", "SysReAllocStringLen",
  ]
  /// The C++ names that this library exports (CxxNames.h): by the characters' type, which is
  /// `wchar_t`, `char16_t` or `unsigned short`.
  static let cxxNames: [String: Linkage] = {
    var names: [String: Linkage] = ["_Z21SysAllocStringByteLenPKcj": .bytes]
    for (type, linkage) in [("w", .wchar), ("Ds", .char16), ("t", .short)] as [(_, Linkage)] {
      for name in [
        "_Z13SysFreeStringP\(type)", "_Z14SysAllocStringPK\(type)",
        "_Z17SysAllocStringLenPK\(type)j", "_Z16SysReAllocStringPP\(type)PK\(type)",
        "_Z19SysReAllocStringLenPP\(type)PK\(type)j", "_Z15SysAddRefStringP\(type)",
        "_Z16SysReleaseStringP\(type)",
      ] { names[name] = linkage }
    }
    return names
  }()
  /// The prefix of each name.
  private static let parts = TextSearch(anyOf: [
    "SysAllocString", "SysFreeString", "SysReAllocString",
  ])
  /// Functions that this library defines beside those of the family.
  private static let marks: Set = ["bstrtrace_release", "ct_enter"]

  /// Reads a module's symbols.
  init(of file: ElfFile) {
    isStripped = !file.hasOwnSymbols
    // A symbol that every copy of this library has.
    if file.hasSection(".note.bstrtrace") {
      isOfThisLibrary = true
      return
    }
    var isProtected = false
    var definitions: [ElfFile.FileSymbol] = []
    for symbol in Self.symbols(of: file, isDynamic: true) {
      if symbol.isDefined, Self.marks.contains(symbol.name) { isOfThisLibrary = true }
      guard let function = Self.function(symbol) else { continue }
      if symbol.isDefined {
        exported.append(function)
        definitions.append(symbol)
        if symbol.isProtected { isProtected = true }
      } else {
        imported.append(function)
      }
    }
    for symbol in Self.symbols(of: file, isDynamic: false) where symbol.isDefined {
      if Self.marks.contains(symbol.name) { isOfThisLibrary = true }
      guard let function = Self.function(symbol) else {
        if Self.isPart(symbol) { definitions.append(symbol) }
        continue
      }
      if !exported.contains(function) { own.append(function) }
    }
    imported = Self.inOrder(imported)
    exported = Self.inOrder(exported)
    own = Self.inOrder(own)
    if isOfThisLibrary { return }
    boundToItself =
      isProtected || file.isSymbolic
      ? exported.first { $0.allocates && $0.isTraced }
      : Self.calledDirectly(definitions, in: file)
  }

  /// Adds functions that stand in separate symbols of a stripped file.
  mutating func add(_ family: FunctionFamily) {
    let others = family.functions.filter { Self.names.contains($0.name) }.map {
      Function(name: $0.name, symbol: $0.symbol)
    }
    own = Self.inOrder(own + others.filter { !exported.contains($0) })
    isStripped = false
  }

  /// Returns the function that the file calls without the dynamic linker.
  ///
  /// The file was then linked with -Bsymbolic-functions, or compiled with
  /// -fno-semantic-interposition. Its symbols do not show which: those of a library that calls none
  /// are the same.
  ///
  /// - Parameter definitions: the functions, and parts of them; calls inside one of them are
  ///   ignored.
  private static func calledDirectly(
    _ definitions: [ElfFile.FileSymbol], in file: ElfFile
  ) -> Function? {
    var starts: [UInt64: Function] = [:]
    for symbol in definitions {
      guard let function = function(symbol), function.allocates, function.isTraced else {
        continue
      }
      starts[symbol.value] = function
    }
    if starts.isEmpty { return nil }
    let code = definitions.map { $0.value..<max($0.value, $0.value &+ $0.size) }
    return file.directCall(of: Set(starts.keys), outside: code).flatMap { starts[$0] }
  }

  /// Returns whether a compiler split a symbol off one of the functions: `SysAllocString.cold`.
  private static func isPart(_ symbol: ElfFile.FileSymbol) -> Bool {
    symbol.isFunction && symbol.name.contains(".")
      && names.contains(String(symbol.name.prefix { $0 != "." }))
  }

  /// Returns the symbols of a table; none where no name contains a part of the functions' names, as
  /// in most files.
  private static func symbols(of file: ElfFile, isDynamic: Bool) -> [ElfFile.FileSymbol] {
    file.symbols(isDynamic: isDynamic, ifAnyHas: parts)
  }

  private static func inOrder(_ functions: [Function]) -> [Function] {
    Set(functions).sorted { ($0.name, $0.symbol) < ($1.name, $1.symbol) }
  }

  private static func function(_ symbol: ElfFile.FileSymbol) -> Function? {
    // Imported symbols have no type in some tables.
    guard symbol.isFunction || !symbol.isDefined else { return nil }
    // "SysFreeString@@VERSION".
    let name = String(symbol.name.prefix { $0 != "@" })
    if names.contains(name) { return Function(name: name, symbol: name) }
    return plainName(ofMangled: name).flatMap {
      names.contains($0) ? Function(name: $0, symbol: name) : nil
    }
  }

  /// "SysFreeString" of `_Z13SysFreeStringPw`: a function outside of all classes and namespaces;
  /// `nil` of others.
  static func plainName(ofMangled symbol: String) -> String? {
    guard symbol.hasPrefix("_Z") else { return nil }
    var rest = symbol.dropFirst(2)
    // L marks a static function.
    if rest.first == "L" { rest = rest.dropFirst() }
    let digits = rest.prefix { $0.isASCII && $0.isNumber }
    guard let length = Int(digits), length > 0 else { return nil }
    let name = rest.dropFirst(digits.count).prefix(length)
    return name.utf8.count == length ? String(name) : nil
  }
}
