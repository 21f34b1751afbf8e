// Names for places in modules: the protocol, a cache and a stand-in.

/// A place in a module's file.
public struct CodePlace: Hashable, Sendable {
  /// The module's path.
  public var module: String
  /// The build-id it had when it was recorded, in hexadecimal.
  public var buildID: String?
  /// A return address, as the file counts addresses.
  public var offset: UInt64

  /// A place.
  public init(module: String, buildID: String?, offset: UInt64) {
    self.module = module
    self.buildID = buildID
    self.offset = offset
  }
}

/// A function at a place, or one inlined there.
public struct Symbol: Hashable, Sendable {
  /// The demangled name.
  public var name: String
  /// The source file.
  public var file: String?
  /// The line, from 1.
  public var line: Int?
  /// The column, from 1.
  public var column: Int?
  /// Whether it was inlined into the next symbol.
  public var inlined: Bool

  /// A symbol.
  public init(
    name: String, file: String? = nil, line: Int? = nil, column: Int? = nil, inlined: Bool = false
  ) {
    self.name = name
    self.file = file
    self.line = line
    self.column = column
    self.inlined = inlined
  }
}

/// Names places.
public protocol Symbolicator {
  /// The functions at each place, innermost first: inlined ones, then the one that exists. A place
  /// without a name is left out.
  mutating func symbols(for places: Set<CodePlace>) -> [CodePlace: [Symbol]]
}

/// Asks another symbolicator once for each place.
public struct CachingSymbolicator<Base: Symbolicator>: Symbolicator {
  private var base: Base
  private var known: [CodePlace: [Symbol]] = [:]

  /// A cache in front of `base`.
  public init(_ base: Base) { self.base = base }

  /// The functions at each place, innermost first.
  public mutating func symbols(for places: Set<CodePlace>) -> [CodePlace: [Symbol]] {
    let new = places.filter { known[$0] == nil }
    if !new.isEmpty {
      let found = base.symbols(for: new)
      for place in new { known[place] = found[place] ?? [] }
    }
    return known.filter { places.contains($0.key) && !$0.value.isEmpty }
  }
}

/// Names places from a table: for tests of what comes after.
public struct FakeSymbolicator: Symbolicator, Sendable {
  private let table: [CodePlace: [Symbol]]

  /// A symbolicator that knows `table` only.
  public init(_ table: [CodePlace: [Symbol]]) { self.table = table }

  /// The functions at each place, innermost first.
  public mutating func symbols(for places: Set<CodePlace>) -> [CodePlace: [Symbol]] {
    table.filter { places.contains($0.key) }
  }
}
