// Lines on the modules of a program that is not run.

import TraceStore

extension ProgramReach {
  /// The text for people: modules that have to do with the functions or were named, then a sum.
  public var text: String {
    (modules.flatMap { lines(on: $0) }
      + missing.flatMap { ["The loader does not find \($0).", ""] } + unreadSentence + [sum])
      .map { Printable.escaped($0) + "\n" }.joined()
  }

  private func lines(on module: Module) -> [String] {
    guard let reach = module.reach else {
      return [module.path, "   It cannot be looked at.", ""]
    }
    guard reach.usesFunctions || module.isNamed else { return [] }
    var lines = reach.functions.map { binding, names in
      let way = binding == .contains ? reach.separate.map { " (\($0.wording))" } : nil
      return "\(binding.rawValue) \(names.joined(separator: ", "))\(way ?? "")"
    }
    if let bytes = reach.olecharBytes { lines.append("Its characters have \(bytes) bytes.") }
    return [module.path] + (lines + verdict(on: module, reach)).map { "   \($0)" } + [""]
  }

  /// Returns whether a module's strings are seen, and what to do if not.
  private func verdict(on module: Module, _ reach: ModuleReach) -> [String] {
    if let unseen = reach.unseen {
      let inside = unseen.refusal == nil ? unseen.reason.insideAdvice : nil
      return [unseen.sentence(foreignFrees: 0), inside, unseen.reason.advice].compactMap(\.self)
    }
    if let function = module.takenFromProgram, let program = modules.first {
      return ["Its calls of \(function) reach that of \(program.path), which is not traced."]
    }
    if reach.replacement == .replaced {
      return ["Its functions are replaced when it is run, if they do what a BSTR's functions do."]
    }
    if reach.isOfThisLibrary { return ["It has the functions of bstrtrace: calls are traced."] }
    if reach.functions.contains(where: { $0.binding == .exports }) {
      return ["Calls of its functions are traced, its own among them."]
    }
    if reach.usesFunctions { return ["Its calls are traced."] }
    return [
      reach.isStripped
        ? "Its symbols show no BSTR function; local ones were stripped: it may contain some."
        : "It has no BSTR function."
    ]
  }

  private var unreadSentence: [String] {
    guard unread > 0 else { return [] }
    let modules = unread == 1 ? "1 module has" : "\(unread) modules have"
    return [
      "\(modules) compressed symbols (.gnu_debugdata), which neither xz nor 7z is here to read.",
      "",
    ]
  }

  private var sum: String {
    let users = modules.filter { $0.reach?.usesFunctions == true }
    let unseen = users.count { !$0.isTraced }
    let all = "\(modules.count) \(modules.count == 1 ? "module" : "modules")"
    let unknown = isComplete ? "" : "; not all could be looked at"
    if users.isEmpty {
      return "bstrtrace: none of \(all) uses BSTRs, as far as their symbols show\(unknown)"
    }
    let traced =
      unseen > 0
      ? "\(unseen) \(unseen == 1 ? "is" : "are") not traced, or not wholly"
      : isComplete ? "all are traced" : "these are traced"
    return "bstrtrace: \(users.count) of \(all) \(users.count == 1 ? "uses" : "use") BSTRs; "
      + traced + unknown
  }
}

extension SeparateSymbols.Source {
  /// The way in which functions were found, in words.
  fileprivate var wording: String {
    switch self {
    case .debugFile(let path): "debug file \(path)"
    case .compressed: "compressed symbols, .gnu_debugdata"
    }
  }
}

extension UnseenStrings.Reason {
  /// The option that makes the strings of a module seen, where there is one.
  fileprivate var insideAdvice: String? {
    switch self {
    case .ownCopy, .exportedByProgram, .boundToItself: "--inside replaces them, where it can."
    case .mangledNames, .overloads, .notLoaded, .foreignFrees: nil
    }
  }

  /// What makes the strings of a module seen; `nil` where its file does not show it.
  fileprivate var advice: String? {
    switch self {
    case .ownCopy, .exportedByProgram:
      "Link it with libbstrtrace-linked in place of its own functions."
    case .boundToItself:
      "Link it without -Bsymbolic, and compile it without -fno-semantic-interposition and with the functions "
        + "visible; or link it with libbstrtrace-linked in place of its own functions."
    case .mangledNames: "Declare the functions extern \"C\", in the module that has them, too."
    case .overloads: "Give the overloads a name of their own."
    case .notLoaded, .foreignFrees: nil
    }
  }
}
