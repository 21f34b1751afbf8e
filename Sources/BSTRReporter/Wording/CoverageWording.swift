// Sentences on strings that are not seen.

import TraceStore

extension UnseenStrings {
  /// Returns the sentence that strings of a module are not seen, and why.
  ///
  /// - Parameter foreignFrees: the count of freed BSTRs that no traced function had allocated.
  func sentence(foreignFrees: UInt64) -> String {
    let cause = causeSentence(foreignFrees: foreignFrees)
    return [cause, refusal?.refusalSentence].compactMap(\.self).joined(separator: " ")
  }

  private func causeSentence(foreignFrees: UInt64) -> String {
    let name = Frame.lastComponent(of: module ?? "")
    let function = symbol ?? "?"
    return switch reason {
    case .ownCopy where symbol == nil:
      "\(name) has BSTR functions of its own and calls them directly: strings that it allocates so are not seen."
    case .notLoaded:
      "\(name), in which \(function) was given by --function, was not loaded: nothing of it was replaced."
    case .ownCopy:
      "\(name) has its own \(function) and calls it directly: strings that it allocates so are not seen."
    case .exportedByProgram:
      "\(name) exports its own \(function), which comes before any library's: strings that are allocated "
        + "by it are not seen."
    case .boundToItself:
      "\(name) is bound to its own \(function): strings that it allocates itself are not seen."
    case .mangledNames:
      "\(name) has \(function), a C++ name, which is not traced: strings that are allocated under such names "
        + "are not seen."
    case .overloads:
      "\(name) has \(function), an overload: strings that are allocated under C++ names are not seen where it "
        + "is loaded."
    case .foreignFrees:
      foreignFrees == 1
        ? "1 BSTR was freed that another copy of the functions had allocated: what that copy leaks is not seen."
        : "\(foreignFrees) BSTRs were freed that another copy of the functions had allocated: what that copy "
          + "leaks is not seen."
    }
  }
}

extension FunctionReplacement {
  /// The sentence that a module's functions were not replaced, and why; `nil` where they were, or
  /// were not to be.
  var refusalSentence: String? {
    refusalReason.map { "They are not replaced: \($0)." }
  }

  private var refusalReason: String? {
    switch self {
    case .none, .replaced: nil
    case .tooSmall: "one is shorter than a jump"
    case .folded: "another function is at the address of one"
    case .cloned: "a compiler made a clone of one, which is called in its own way"
    case .repeated: "there are several of one name"
    case .overloaded: "they are overloads"
    case .inParts: "a compiler left only some of them"
    case .changed: "the file is not what was loaded"
    case .unanswered: "tried out, they did not do what a BSTR's functions do"
    case .outOfReach: "there was no room for jumps near the module"
    case .unwritable: "the code could not be written to"
    case .noMoment: "it was opened later, and when nothing runs in it yet cannot be told"
    case .threads: "the process had several threads when they were looked at"
    case .noCode: "the address that was given for one is in no code of the file"
    case .noStart:
      "no function starts at the address that was given for one, as far as its unwind information shows"
    }
  }
}
