// The sentences that reports and code scanning have in common: made of names alone, so that they
// are the same in every run. Golden tests hold the wording.

/// The sentences on faults that need no counts, offsets and values.
enum FaultSentence {
  static func doubleFree(by doer: String, after first: String) -> String {
    "\(doer) freed a BSTR that \(first) had freed before."
  }

  static func invalidFree(by doer: String, of object: String) -> String {
    "\(doer) freed \(object)."
  }

  /// Returns the sentence on a deallocator that is given a BSTR.
  ///
  /// - Parameter detail: the closer description, as reports spell it.
  static func wrongDeallocator(by doer: String, detail: String?) -> String {
    let function =
      switch detail {
      case "realloc", "delete": detail ?? ""
      default: "free or delete"
      }
    return "\(doer) freed a BSTR with \(function); only SysFreeString does that."
  }

  /// Returns the sentence on a copy of SysFreeString with another layout, without its end.
  static func otherLayout(by doer: String) -> String {
    "\(doer) freed a BSTR through a copy of SysFreeString that lays strings out otherwise"
  }

  /// Returns the sentence on a length, without its end.
  static func prefixDamage(allocatedBy allocator: String) -> String {
    "The length of a BSTR allocated by \(allocator) was overwritten"
  }

  static func usedFreed(by doer: String, freedBy freer: String) -> String {
    "\(doer) used a BSTR that \(freer) had freed."
  }

  static func usedWithoutLength(by doer: String) -> String {
    "\(doer) used characters as a BSTR that have no length in front of them."
  }

  /// Returns the object of a pointer, for the end of "X freed …".
  ///
  /// - Parameters:
  ///   - detail: the closer description, as reports spell it.
  ///   - freer: the function that had freed the string of the block.
  static func object(_ detail: String?, freedBy freer: String) -> String {
    switch detail {
    case "stack": "a pointer into a stack, which is no BSTR"
    case "static": "a variable or a literal, which is no BSTR"
    case "immortal": "a BSTR that is never to be freed"
    case "interior": "a pointer inside the block of a live BSTR"
    case "freed-interior": "a pointer inside the block of a BSTR that \(freer) had freed"
    case "heap": "a pointer into the heap that is no BSTR"
    case "unmapped": "a pointer to no memory at all"
    case "foreign-bstr": "a BSTR that another copy of the BSTR functions had allocated"
    default: "a pointer that is no BSTR"
    }
  }
}
