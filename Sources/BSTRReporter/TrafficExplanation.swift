// Why a run showed no BSTR at all, from what the program's file imports and exports.

/// The likely reason why no BSTR function was seen.
enum TrafficExplanation {
  private static let functions: Set = [
    "SysAllocString", "SysAllocStringLen", "SysAllocStringByteLen", "SysFreeString",
    "SysReAllocString", "SysReAllocStringLen",
  ]

  /// One or two sentences about the program at `executable`.
  static func text(for executable: String) -> String {
    let name = executable.split(separator: "/").last.map(String.init) ?? executable
    let symbols =
      ElfFile(path: executable)?.dynamicSymbols.filter { functions.contains($0.name) } ?? []
    if let own = symbols.first(where: \.isDefined) {
      return "\(name) defines \(own.name) itself, so its calls never leave it: link it with "
        + "libbstrtrace-linked in place of its own copy."
    }
    if let imported = symbols.first {
      return "\(name) imports \(imported.name), so this run just did not come to where it is used."
    }
    return "\(name) neither imports nor exports SysAllocString: it has a private copy inside, "
      + "which cannot be intercepted, or this run loaded no library that uses BSTRs."
  }
}
