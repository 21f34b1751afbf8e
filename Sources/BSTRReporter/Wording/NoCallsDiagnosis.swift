// The reason why a run showed no BSTR at all, from the functions that the program's file and its
// libraries import, export and contain.

import TraceStore

/// The likely reason why no BSTR function was called.
enum NoCallsDiagnosis {
  /// The maximum of libraries that are named.
  private static let maxLibraries = 3

  /// Returns a few sentences about the program at `executable`, and the libraries that it loaded.
  static func text(for executable: String, _ coverage: ModuleCoverage) -> String {
    let unseen = coverage.unseen.filter { $0.module != nil && $0.module != executable }
    let named = unseen.prefix(maxLibraries).map { $0.sentence(foreignFrees: 0) }
    let others = unseen.count - named.count
    let more = others == 0 ? [] : ["So it is with \(others) more of its libraries."]
    return ([program(executable, coverage, hasUnseen: !unseen.isEmpty)] + named + more)
      .joined(separator: " ")
  }

  /// Returns the reason in the program's own file, or else in its libraries.
  private static func program(
    _ executable: String, _ coverage: ModuleCoverage, hasUnseen: Bool
  ) -> String {
    let name = Frame.lastComponent(of: executable)
    guard let file = ElfFile(path: executable) else {
      return "\(name) cannot be read, to see whether it uses them."
    }
    let symbols = BSTRFunctionSymbols(of: file)
    let defined = symbols.own + symbols.exported
    if let own = defined.first(where: \.isTraced) ?? defined.first {
      if coverage.isProgramReplaced {
        return
          "\(name) has its own \(own.symbol), which was replaced, so this run just did not come to where "
          + "it is used."
      }
      let refusal = coverage.unseen.first { $0.module == executable }?.refusal?.refusalSentence
      let link =
        "link it with libbstrtrace-linked in place of its own copy, and where it counts on a certain layout "
        + "of strings say so, as in BSTRTRACE_OPTIONS=olechar=4:payload-offset=4."
      let own = "\(name) defines \(own.symbol) itself, so its calls never leave it"
      return refusal.map { "\(own). \($0) You can \(link)" }
        ?? "\(own): run it with --inside, or \(link)"
    }
    if coverage.isProgramReplaced {
      return
        "\(name) has BSTR functions of its own, which were replaced, so this run just did not come to "
        + "where they are used."
    }
    if let mangled = symbols.imported.first, !symbols.imported.contains(where: \.isTraced) {
      return
        "\(name) imports \(mangled.name) under its C++ name \(mangled.symbol), which is not traced: "
        + "declare the functions extern \"C\"."
    }
    if let imported = symbols.imported.first {
      return "\(name) imports \(imported.name), so this run just did not come to where it is used."
    }
    let neither = "\(name) neither imports nor exports SysAllocString"
    if hasUnseen { return neither + "." }
    return "\(neither)\(libraries(coverage, isStripped: symbols.isStripped))"
  }

  /// Returns the reason in the libraries of a program that does not use the functions itself.
  private static func libraries(_ coverage: ModuleCoverage, isStripped: Bool) -> String {
    if let (module, function, binding) = coverage.user {
      let name = Frame.lastComponent(of: module)
      return switch binding {
      case .imports:
        ". \(name), which it loaded, imports \(function), so this run just did not come to where it is used."
      case .exports:
        ". \(name), which it loaded, exports \(function), but nothing called that, unless by an address "
          + "that dlsym gave."
      case .contains:
        ". \(name), which it loaded, has its own \(function), which was replaced, so this run just did not "
          + "come to where it is used."
      }
    }
    let hidden = "has a copy inside, which its symbols would show if they had not been stripped"
    if coverage.isComplete {
      return isStripped
        ? ": this run loaded no library that uses BSTRs, or the program \(hidden)."
        : " and has none inside: this run loaded no library that uses BSTRs, as far as their symbols show."
    }
    let unknown =
      "no library that is known to have been loaded does; whether there were others cannot be told."
    return isStripped
      ? ", and \(unknown) Or the program \(hidden)."
      : " and has none inside, and \(unknown)"
  }
}
