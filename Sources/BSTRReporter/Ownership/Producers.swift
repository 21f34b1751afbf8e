// Functions that return strings to their callers, known by name: those that Docs/Ownership.md
// lists, and a user's additions. Used when a report is made.

/// Names of functions that return strings through their parameters, whatever their types say.
public struct Producers: Sendable {
  /// Patterns of functions of Windows and of their implementations; `*` stands for any characters.
  ///
  public static let known = [
    "SafeArrayGetElement", "VariantChangeType*", "VariantCopy*", "BstrFromVector", "VarBstrFrom*",
    "VarFormat*", "VarMonthName",
    "VarWeekdayName",
    // IErrorInfo
    "*ErrorInfo*GetSource", "*ErrorInfo*GetDescription", "*ErrorInfo*GetHelpFile",
    // ITypeInfo, ITypeLib
    "*TypeInfo*GetNames", "*TypeInfo*GetDocumentation", "*TypeInfo*GetDocumentation2",
    "*TypeInfo*GetDllEntry", "*TypeInfo*GetMops", "*TypeLib*GetDocumentation",
    "*TypeLib*GetDocumentation2",
    // IRecordInfo
    "*RecordInfo*GetName", "*RecordInfo*GetField", "*RecordInfo*GetFieldNames",
    "*RecordInfo*RecordCopy",
  ]

  private let patterns: [GlobPattern]

  /// Creates the well-known producers, and a user's.
  public init(adding patterns: [String] = []) {
    self.patterns = (Self.known + patterns).map { GlobPattern($0) }
  }

  /// Returns whether the function is in the table.
  ///
  /// - Parameter name: the demangled name without parameters.
  func isProducer(_ name: String) -> Bool { patterns.contains { $0.matches(name) } }
}
