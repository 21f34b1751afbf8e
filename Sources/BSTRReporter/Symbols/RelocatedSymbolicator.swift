// Names locations of modules that are not where they were when they were recorded.

extension RelocatedSymbolicator: Sendable where Base: Sendable {}

/// Asks another symbolicator, with the files in place of modules that are not here.
public struct RelocatedSymbolicator<Base: Symbolicator>: Symbolicator {
  /// The symbolicator that is asked.
  public private(set) var base: Base
  private var files: DebugFiles
  /// The path that is asked for each module: another one where that has the debug information.
  private var paths: [Module: String] = [:]

  private struct Module: Hashable {
    var path: String
    var buildID: String
  }

  /// Creates a symbolicator in front of `base`.
  public init(_ base: Base, files: DebugFiles) {
    self.base = base
    self.files = files
  }

  /// The symbolizer that has named locations so far.
  public var source: NameSource? { base.source }

  /// Returns the functions at each location, innermost first.
  public mutating func symbols(for locations: Set<CodeLocation>) -> [CodeLocation: [Symbol]] {
    if files.isEmpty { return base.symbols(for: locations) }
    var original: [CodeLocation: [CodeLocation]] = [:]
    for location in locations { original[relocated(location), default: []].append(location) }
    var found: [CodeLocation: [Symbol]] = [:]
    for (location, symbols) in base.symbols(for: Set(original.keys)) {
      for recorded in original[location] ?? [] { found[recorded] = symbols }
    }
    return found
  }

  /// Returns the module's data.
  public mutating func dataSymbol(at location: CodeLocation) -> DataSymbol? {
    base.dataSymbol(at: files.isEmpty ? location : relocated(location))
  }

  private mutating func relocated(_ location: CodeLocation) -> CodeLocation {
    guard location.process == nil, let buildID = location.buildID else { return location }
    let module = Module(path: location.module, buildID: buildID)
    let path = paths[module] ?? path(of: module)
    paths[module] = path
    var location = location
    location.module = path
    return location
  }

  private mutating func path(of module: Module) -> String {
    let file = ElfFile(path: module.path)
    let isHere = file?.buildID == module.buildID
    if isHere, file?.hasSection(".debug_info") == true { return module.path }
    guard let path = files.path(for: module.path, buildID: module.buildID) else {
      return module.path
    }
    // Without debug information it says no more than the file that is here.
    let isBetter = !isHere || ElfFile(path: path)?.hasSection(".debug_info") == true
    return isBetter ? path : module.path
  }
}
