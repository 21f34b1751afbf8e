// Why a run showed no BSTR at all, from what the program's file imports, exports and has inside.

/// The likely reason why no BSTR function was seen.
enum TrafficExplanation {
  /// One or two sentences about the program at `executable`.
  static func text(for executable: String) -> String {
    let name = executable.split(separator: "/").last.map(String.init) ?? executable
    guard let file = ElfFile(path: executable) else {
      return "\(name) cannot be read, to see whether it uses them."
    }
    let symbols = BSTRFunctionSymbols(of: file)
    let defined = symbols.own + symbols.exported
    if let own = defined.first(where: { !$0.isMangled }) ?? defined.first {
      return "\(name) defines \(own.symbol) itself, so its calls never leave it: link it with "
        + "libbstrtrace-linked in place of its own copy, and where it counts on a certain layout of strings "
        + "say so, as in BSTRTRACE_OPTIONS=olechar=4:payload-offset=4."
    }
    if let mangled = symbols.imported.first(where: \.isMangled),
      symbols.imported.allSatisfy(\.isMangled)
    {
      return
        "\(name) imports \(mangled.name) under its C++ name \(mangled.symbol), which is not traced: "
        + "declare the functions extern \"C\"."
    }
    if let imported = symbols.imported.first {
      return "\(name) imports \(imported.name), so this run just did not come to where it is used."
    }
    if symbols.isStripped {
      return
        "\(name) neither imports nor exports SysAllocString: this run loaded no library that uses BSTRs, "
        + "or the program has a copy inside, which its symbols would show if they had not been stripped."
    }
    return
      "\(name) neither imports nor exports SysAllocString and has none inside: this run loaded no library "
      + "that uses BSTRs, or only such as have a copy of their own."
  }
}
