// The spelling of symbols of object files, the same for every symbolizer: baselines, suppressions
// and groups compare these names.

import Runtime

/// Names of symbols for people.
enum SymbolName {
  /// Prefixes of methods that adjust `this`: a thunk is the method to a reader.
  private static let thunks = ["non-virtual thunk to ", "virtual thunk to "]

  /// Returns the demangled name of a symbol, whatever language it comes from, without its version:
  /// "memcpy" of "memcpy@@GLIBC_2.14".
  static func demangled(_ rawName: String) -> String {
    let version = rawName.firstIndex(of: "@").flatMap { $0 > rawName.startIndex ? $0 : nil }
    let name = SymbolicatedBacktrace.Symbol(
      imageIndex: 0, imageName: "", rawName: String(rawName[..<(version ?? rawName.endIndex)]),
      offset: 0, sourceLocation: nil
    ).name
    // GCC's copies of a function for certain arguments are that function to a reader.
    return name.firstRange(of: " [clone ").map { String(name[..<$0.lowerBound]) } ?? name
  }

  /// Returns the method that a thunk adjusts `this` for; other names as they are.
  static func methodOfThunk(_ name: String) -> String {
    for thunk in thunks where name.hasPrefix(thunk) { return String(name.dropFirst(thunk.count)) }
    return name
  }
}

extension [CodeLocation: [Symbol]] {
  /// Returns them with one name for functions that have several, the same for every symbolizer.
  ///
  /// - Parameter file: the file that all locations are in.
  mutating func preferAliases(of file: ElfFile) {
    let aliases = file.preferredAliases(at: Set(keys.map { $0.offset &- 1 }))
    for location in keys where aliases[location.offset &- 1] != nil {
      guard let alias = aliases[location.offset &- 1], let symbols = self[location],
        let function = symbols.last
      else { continue }
      let renamed = Symbol(
        rawName: alias, file: function.file, line: function.line ?? 0,
        column: function.column ?? 0)
      self[location] = (symbols.dropLast() + [renamed]).mergingThunks()
    }
  }
}

extension [Symbol] {
  /// Returns them without the thunk that a method was inlined into, which has the method's name:
  /// one activation.
  func mergingThunks() -> [Symbol] {
    var merged: [Symbol] = []
    for symbol in self {
      if let last = merged.last, last.inlined, last.name == symbol.name, symbol.isThunk {
        merged[merged.count - 1].inlined = symbol.inlined
      } else {
        merged.append(symbol)
      }
    }
    return merged
  }
}
