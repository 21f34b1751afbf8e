// Names for code locations in modules: the protocol, a cache and a stand-in.

/// The identity of a process: distinguishes it from others with the same process id.
public struct RecordedProcess: Hashable, Sendable {
  /// Its process id.
  public var pid: Int
  /// The time when recording began: nanoseconds of the monotonic clock.
  public var startTime: UInt64
  /// The time that the machine had been suspended by then, in hundredths of a second.
  public var suspended: UInt32

  /// Creates a process.
  public init(pid: Int, startTime: UInt64, suspended: UInt32 = 0) {
    self.pid = pid
    self.startTime = startTime
    self.suspended = suspended
  }
}

/// A location in a module's file, or in code that was made while the program ran.
public struct CodeLocation: Hashable, Sendable {
  /// The module's path.
  public var module: String
  /// The build-id that it had when it was recorded, in hexadecimal.
  public var buildID: String?
  /// A return address, in the file's address space.
  public var offset: UInt64
  /// The process that the address is of, for code in no module; `nil` for locations in modules.
  public var process: RecordedProcess?
  /// Whether `offset` is one in the module's block of thread-local variables.
  public var isThreadLocal = false

  /// Creates a location.
  public init(module: String, buildID: String?, offset: UInt64, process: RecordedProcess? = nil) {
    self.module = module
    self.buildID = buildID
    self.offset = offset
    self.process = process
  }
}

/// A function at a location, or one inlined there.
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
  /// Whether it only adjusts `this` for the method whose name it has.
  var isThunk = false

  /// Creates a symbol.
  public init(
    name: String, file: String? = nil, line: Int? = nil, column: Int? = nil, inlined: Bool = false
  ) {
    self.name = name
    self.file = file
    self.line = line
    self.column = column
    self.inlined = inlined
  }

  /// Creates a symbol as an object file has it: a mangled name, and 0 or no text for unknown
  /// fields.
  init(
    rawName: String, file: String? = nil, line: Int = 0, column: Int = 0, inlined: Bool = false
  ) {
    let name = SymbolName.demangled(rawName)
    let method = SymbolName.methodOfThunk(name)
    self.init(
      name: method, file: file.flatMap { $0.isEmpty ? nil : $0 }, line: line > 0 ? line : nil,
      column: line > 0 && column > 0 ? column : nil, inlined: inlined)
    isThunk = method != name
  }
}

/// The symbolizer that looked names up.
public enum NameSource: String, Sendable {
  /// LLVM's program.
  case llvmSymbolizer = "llvm-symbolizer"
  /// The Swift runtime.
  case runtime
}

/// Names code locations.
public protocol Symbolicator {
  /// Returns the functions at each location, innermost first: inlined ones, then the one that
  /// exists. A location without a name is left out.
  mutating func symbols(for locations: Set<CodeLocation>) -> [CodeLocation: [Symbol]]

  /// Returns the data of a module's file at a location, whose offset is the address itself, or the
  /// thread-local variable there; `nil` when nothing is known.
  mutating func dataSymbol(at location: CodeLocation) -> DataSymbol?

  /// The symbolizer that has named locations so far; `nil` before the first request.
  var source: NameSource? { get }
}

extension Symbolicator {
  /// `nil`: no symbolizer that a report would name.
  public var source: NameSource? { nil }
}

/// Data of a module.
public struct DataSymbol: Hashable, Sendable {
  /// The demangled name of the variable, or `nil` without one.
  public var name: String?
  /// Bytes from the variable's start to the location.
  public var offset: Int
  /// Whether the program cannot write there: literals and constants.
  public var isReadOnly: Bool
  /// The name of the section that it is in, as ".bss"; `nil` where it is in none.
  public var section: String?

  /// Data at an offset from a variable's start.
  public init(name: String?, offset: Int, isReadOnly: Bool, section: String? = nil) {
    self.name = name
    self.offset = offset
    self.isReadOnly = isReadOnly
    self.section = section
  }
}

extension CachingSymbolicator: Sendable where Base: Sendable {}

/// Asks another symbolicator once for each location.
public struct CachingSymbolicator<Base: Symbolicator>: Symbolicator {
  /// The symbolicator that is asked for unknown locations.
  public private(set) var base: Base
  private var known: [CodeLocation: [Symbol]] = [:]

  /// Creates a cache in front of `base`.
  public init(_ base: Base) { self.base = base }

  /// The symbolizer that has named locations so far.
  public var source: NameSource? { base.source }

  /// Returns the functions at each location, innermost first.
  public mutating func symbols(for locations: Set<CodeLocation>) -> [CodeLocation: [Symbol]] {
    let new = locations.filter { known[$0] == nil }
    if !new.isEmpty {
      let found = base.symbols(for: new)
      for location in new { known[location] = found[location] ?? [] }
    }
    var found: [CodeLocation: [Symbol]] = [:]
    for location in locations {
      if let symbols = known[location], !symbols.isEmpty { found[location] = symbols }
    }
    return found
  }

  /// Returns the module's data; rare enough to be asked for each time.
  public mutating func dataSymbol(at location: CodeLocation) -> DataSymbol? {
    base.dataSymbol(at: location)
  }
}

/// Names locations from a table: for tests of what comes after.
public struct FakeSymbolicator: Symbolicator, Sendable {
  private let table: [CodeLocation: [Symbol]]
  private let data: [CodeLocation: DataSymbol]

  /// Creates a symbolicator that knows these only.
  public init(_ table: [CodeLocation: [Symbol]], data: [CodeLocation: DataSymbol] = [:]) {
    self.table = table
    self.data = data
  }

  /// Returns the data at the location.
  public mutating func dataSymbol(at location: CodeLocation) -> DataSymbol? { data[location] }

  /// Returns the functions at each location, innermost first.
  public mutating func symbols(for locations: Set<CodeLocation>) -> [CodeLocation: [Symbol]] {
    table.filter { locations.contains($0.key) }
  }
}
