// Functions that carry out what their callers decide: those that Docs/Ownership.md lists, and a
// user's additions. Used when a report is made.

/// Names of functions that allocate or free on behalf of their callers.
public struct Wrappers: Sendable {
  /// Patterns of well-known libraries; `*` stands for any characters.
  public static let known = [
    "CComBSTR::*", "ATL::CComBSTR::*", "CComVariant::*", "ATL::CComVariant::*", "_bstr_t::*",
    "_bstr_t::Data_t::*", "_variant_t::*", "wil::*", "CMyComBSTR::*",
    "NWindows::NCOM::CPropVariant::*", "NWindows::NCOM::PropVariant_Clear", "VariantClear",
    "VariantClear_*", "VariantChangeType*",
    "VariantCopy*", "PropVariant_Clear", "PropVariantClear", "SafeArrayDestroy*",
    "*::AllocSysString", "*::SetSysString", "operator delete*",
  ]

  private let patterns: [Pattern]

  /// Creates the well-known wrappers, and a user's.
  public init(adding patterns: [String] = []) {
    self.patterns = (Self.known + patterns).map { Pattern($0) }
  }

  /// Returns whether the function is a wrapper by its name: in the table, or a constructor, a
  /// destructor or an assignment.
  ///
  /// - Parameter name: the demangled name without parameters.
  func isWrapper(_ name: String) -> Bool {
    let parts = Self.components(of: name)
    if let last = parts.last {
      // Not "operator==".
      let isAssignment = last.hasPrefix("operator=") && !last.hasPrefix("operator==")
      if last.hasPrefix("~") || isAssignment { return true }
      if parts.count > 1,
        Self.withoutArguments(last) == Self.withoutArguments(parts[parts.count - 2])
      {
        return true
      }
    }
    return isKnown(name)
  }

  /// Returns whether the function is in the table.
  func isKnown(_ name: String) -> Bool { patterns.contains { $0.matches(name) } }

  /// "a", "B<x::y>" and "f" of "a::B<x::y>::f".
  private static func components(of name: String) -> [Substring] {
    var parts: [Substring] = []
    var depth = 0
    var start = name.startIndex
    var index = name.startIndex
    while index < name.endIndex {
      let next = name.index(after: index)
      switch name[index] {
      case "<", "(": depth += 1
      case ">", ")": depth -= 1
      case ":" where depth == 0 && next < name.endIndex && name[next] == ":":
        parts.append(name[start..<index])
        index = name.index(after: next)
        start = index
        continue
      default: break
      }
      index = next
    }
    parts.append(name[start...])
    return parts
  }

  private static func withoutArguments(_ name: Substring) -> Substring {
    name.prefix { $0 != "<" && $0 != "[" }
  }

  /// Returns whether the whole text matches the pattern.
  static func matches(_ text: String, _ pattern: String) -> Bool { Pattern(pattern).matches(text) }

  /// A parsed pattern: `*` stands for any characters.
  private struct Pattern {
    private let pieces: [Substring]

    init(_ pattern: String) {
      pieces = pattern.split(separator: "*", omittingEmptySubsequences: false)
    }

    /// Returns whether the whole text matches.
    func matches(_ text: String) -> Bool {
      guard pieces.count > 1 else { return text == pieces[0] }
      var rest = text[...]
      for (index, piece) in pieces.enumerated() {
        if index == 0 {
          guard rest.hasPrefix(piece) else { return false }
          rest = rest.dropFirst(piece.count)
        } else if index == pieces.count - 1 {
          return rest.hasSuffix(piece)
        } else if !piece.isEmpty {
          guard let range = rest.firstRange(of: piece) else { return false }
          rest = rest[range.upperBound...]
        }
      }
      return true
    }
  }
}
