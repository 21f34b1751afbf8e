// Names code locations with the toolchain's own symbolizer: demangled names, file, line, column,
// inlined functions, for C, C++ and Swift.

import Runtime

/// Symbolicates with `Runtime`, and stripped libraries by their dynamic symbols.
///
/// A file that is no longer the one that was loaded, by its build-id, names nothing: a wrong name
/// is worse than none.
public struct RuntimeSymbolicator: Symbolicator, Sendable {
  /// Variables of files that were queried for data; a program frees many pointers into one.
  private var data: [String: DataSymbols] = [:]

  /// Whether a location was requested.
  private var hasAsked = false

  /// Creates a symbolicator.
  public init() {}

  /// `runtime`, once a location was requested.
  public var source: NameSource? { hasAsked ? .runtime : nil }

  /// Returns the functions at each location, innermost first.
  public mutating func symbols(for locations: Set<CodeLocation>) -> [CodeLocation: [Symbol]] {
    var found: [CodeLocation: [Symbol]] = [:]
    for (module, locations) in Dictionary(grouping: locations, by: \.module) where !module.isEmpty {
      hasAsked = true
      guard let file = ElfFile(path: module) else { continue }
      let buildID = file.buildID
      let same = locations.filter { location in
        (location.buildID == nil || location.buildID == buildID)
          && CompactBacktrace.addresses.contains(location.offset)
      }
      var inModule = named(same, in: module)
      inModule.merge(byDynamicSymbols(same.filter { inModule[$0] == nil }, in: file)) { $1 }
      inModule.preferAliases(of: file)
      found.merge(inModule) { $1 }
    }
    return found
  }

  /// Returns the variable in the module's symbol table, and whether it can be written to.
  public mutating func dataSymbol(at location: CodeLocation) -> DataSymbol? {
    if data[location.module] == nil {
      data[location.module] = ElfFile(path: location.module).map(DataSymbols.init)
    }
    guard let known = data[location.module],
      location.buildID == nil || location.buildID == known.buildID
    else { return nil }
    if location.isThreadLocal {
      return known.threadLocal(at: location.offset).map { symbol in
        DataSymbol(
          name: SymbolName.demangled(symbol.name),
          offset: Int(clamping: location.offset - symbol.value), isReadOnly: false)
      }
    }
    let symbol = known.variable(at: location.offset)
    return DataSymbol(
      name: symbol.map { SymbolName.demangled($0.name) },
      offset: symbol.map { Int(clamping: location.offset - $0.value) } ?? 0,
      isReadOnly: known.file.isReadOnlyData(at: location.offset),
      section: known.file.sectionName(at: location.offset))
  }

  private func named(_ locations: [CodeLocation], in module: String) -> [CodeLocation: [Symbol]] {
    // Offsets are the file's own addresses, so that the image's base is the file's: 0. The runtime
    // accepts that as any other base.
    let compact = CompactBacktrace(
      image: module, base: 0, returnAddresses: locations.map(\.offset).sorted())
    guard let symbolicated = compact.decoded()?.symbolicated() else { return [:] }
    var byOffset: [UInt64: [Symbol]] = [:]
    for frame in symbolicated.frames {
      guard let symbol = frame.symbol, symbol.rawName != "<unknown>",
        let offset = UInt64(frame.captured.originalProgramCounter)
      else { continue }
      let location = symbol.sourceLocation
      byOffset[offset, default: []].append(
        Symbol(
          rawName: symbol.rawName, file: location?.path, line: location?.line ?? 0,
          column: location?.column ?? 0, inlined: frame.inlined))
    }
    return Dictionary(
      uniqueKeysWithValues: locations.compactMap { location in
        byOffset[location.offset].map { (location, $0.mergingThunks()) }
      })
  }

  private func byDynamicSymbols(
    _ locations: [CodeLocation], in file: ElfFile
  ) -> [CodeLocation: [Symbol]] {
    guard !locations.isEmpty else { return [:] }
    let functions = file.dynamicSymbols.filter { $0.isDefined && $0.isFunction }
      .sorted { $0.value < $1.value }
    var found: [CodeLocation: [Symbol]] = [:]
    for location in locations where location.offset > 0 {
      let address = location.offset - 1
      var (low, high) = (0, functions.count)
      while low < high {
        let middle = (low + high) / 2
        if functions[middle].value <= address { low = middle + 1 } else { high = middle }
      }
      guard low > 0, address - functions[low - 1].value < functions[low - 1].size else { continue }
      found[location] = [Symbol(rawName: functions[low - 1].name)]
    }
    return found
  }
}

/// Returns the variables of one file.
private struct DataSymbols: Sendable {
  let file: ElfFile
  let buildID: String?
  private let variables: [ElfFile.FileSymbol]
  private let threadLocals: [ElfFile.FileSymbol]

  init(_ file: ElfFile) {
    self.file = file
    buildID = file.buildID
    let symbols = (file.symbols + file.dynamicSymbols).filter(\.isDefined)
    variables = symbols.filter(\.isObject)
    threadLocals = symbols.filter(\.isThreadLocal)
  }

  func variable(at offset: UInt64) -> ElfFile.FileSymbol? {
    Self.nearest(of: variables, at: offset)
  }

  /// Returns the thread-local variable at an offset in the module's block of them.
  func threadLocal(at offset: UInt64) -> ElfFile.FileSymbol? {
    Self.nearest(of: threadLocals, at: offset)
  }

  private static func nearest(
    of symbols: [ElfFile.FileSymbol], at offset: UInt64
  ) -> ElfFile.FileSymbol? {
    // Of those that overlap the nearest one.
    var nearest: ElfFile.FileSymbol?
    for symbol in symbols
    where symbol.value <= offset && offset - symbol.value < max(1, symbol.size) {
      if let nearest, nearest.value >= symbol.value { continue }
      nearest = symbol
    }
    return nearest
  }
}
