// Modules that allocate BSTRs which are not seen, and the reasons. A report that is silent about
// them reads as if there were nothing to see.

import TraceStore

/// A module whose strings are not seen, or not all of them.
public struct UnseenStrings: Hashable, Sendable {
  /// The module's path; `nil` where only strings of it were seen.
  public var module: String?
  /// The reason why they are not seen.
  public var reason: Reason
  /// The symbol that shows it; `nil` where there is none.
  public var symbol: String?
  /// Why its functions were not replaced although that was asked for; `nil` where it was not.
  var refusal: FunctionReplacement?

  /// The reason why a module's strings are not seen.
  ///
  /// The raw values are the report's.
  public enum Reason: String, CaseIterable, Sendable {
    /// It contains the functions and calls them directly.
    case ownCopy = "own-copy"
    /// It is the program and exports the functions: calls from every module are bound to them.
    case exportedByProgram = "exported-by-program"
    /// It exports the functions and is bound to its own.
    case boundToItself = "bound-to-itself"
    /// It has or calls the functions under their C++ names.
    case mangledNames = "mangled-names"
    /// It has overloads of the functions: while it is loaded no C++ name is traced.
    case overloads
    /// A function was given in it by hand, and it was not loaded.
    case notLoaded = "not-loaded"
    /// BSTRs were freed that no function seen here had allocated.
    case foreignFrees = "foreign-frees"
  }
}
