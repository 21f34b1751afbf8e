// Sentences on strings that are not seen.

extension UnseenStrings {
  /// Returns the sentence that strings of a module are not seen, and why.
  ///
  /// - Parameter foreignFrees: the count of freed BSTRs that no traced function had allocated.
  func sentence(foreignFrees: UInt64) -> String {
    let name = Frame.lastComponent(of: module ?? "")
    let function = symbol ?? "?"
    return switch reason {
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
