// All that the reporter reads of an ELF file, in one value, for a fuzz target.

import FoundationEssentials

/// The facts that are read of an ELF file.
package struct ElfFacts {
  /// The build-id in hexadecimal.
  package var buildID: String?
  /// The names of the dynamic symbols and of the file's own.
  package var symbolNames: [String]
  /// The names that are chosen for addresses of symbols which have several.
  package var preferredNames: [String]
  /// The functions of its family, by their C names.
  package var functionNames: [String]
  /// Whether the file's references are bound to itself.
  package var isSymbolic: Bool

  /// Reads all of it; `nil` where the bytes are no ELF file.
  package init?(_ bytes: [UInt8]) {
    guard let file = ElfFile(bytes: Data(bytes)) else { return nil }
    buildID = file.buildID
    let symbols = file.dynamicSymbols + file.symbols
    symbolNames = symbols.map(\.name)
    let addresses = symbols.prefix(64).map(\.value) + [0, 1, 0x1000, .max]
    preferredNames = file.preferredAliases(at: Set(addresses)).values.sorted()
    isSymbolic = file.isSymbolic
    _ = file.hasOwnSymbols
    for name in [".debug_info", ".dynsym", ""] { _ = file.hasSection(name) }
    for isDynamic in [true, false] {
      _ = file.symbols(isDynamic: isDynamic, ifAnyHas: TextSearch(anyOf: ["Sys", "BSTR"]))
    }
    _ = file.directCall(of: Set(addresses), outside: [])
    for address in addresses {
      _ = file.isReadOnlyData(at: address)
      _ = file.sectionName(at: address)
    }
    _ = file.debugLink
    _ = file.checksum
    _ = BSTRFunctionSymbols(of: file)
    let families = [FunctionFamily(in: file), FunctionFamily(in: file, separate: file)]
    functionNames = families.flatMap { $0.functions.map(\.name) }
  }
}
