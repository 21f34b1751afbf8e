// The choice between llvm-symbolizer and the runtime's symbolizer, made once for a report.

import Glibc

/// Names code locations in modules with what there is on this machine.
public enum ModuleSymbolicator: Symbolicator {
  /// With llvm-symbolizer, and the runtime as its fallback.
  case llvm(LLVMSymbolicator)
  /// With the runtime only: in programs that report on themselves, which start no other program.
  case runtime(RuntimeSymbolicator)

  /// With llvm-symbolizer where there is one.
  public static var best: ModuleSymbolicator {
    let path = getenv("PATH").map { String(cString: $0) } ?? ""
    return LLVMSymbolizer.find(path: path).map { .llvm(LLVMSymbolicator(path: $0)) }
      ?? .runtime(RuntimeSymbolicator())
  }

  /// Returns the functions at each location, innermost first.
  public mutating func symbols(for locations: Set<CodeLocation>) -> [CodeLocation: [Symbol]] {
    switch self {
    case .llvm(var symbolicator):
      defer { self = .llvm(symbolicator) }
      return symbolicator.symbols(for: locations)
    case .runtime(var symbolicator):
      defer { self = .runtime(symbolicator) }
      return symbolicator.symbols(for: locations)
    }
  }

  /// Returns the variable in the module's symbol table, and whether it can be written to.
  public mutating func dataSymbol(at location: CodeLocation) -> DataSymbol? {
    switch self {
    case .llvm(var symbolicator):
      defer { self = .llvm(symbolicator) }
      return symbolicator.dataSymbol(at: location)
    case .runtime(var symbolicator):
      defer { self = .runtime(symbolicator) }
      return symbolicator.dataSymbol(at: location)
    }
  }

  /// The symbolizer that has named locations so far.
  public var source: NameSource? {
    switch self {
    case .llvm(let symbolicator): symbolicator.source
    case .runtime(let symbolicator): symbolicator.source
    }
  }

  /// The reason why llvm-symbolizer is not used any more, as a sentence; `nil` while it is, or is
  /// not at all.
  public var failure: String? {
    if case .llvm(let symbolicator) = self { symbolicator.failure } else { nil }
  }
}
