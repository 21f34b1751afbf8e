// What the name of a function says of the strings that it returns through its parameters. Names of
// C++ have their types; of C a few functions are known.

/// The name and parameters of a function, as far as its symbol has them.
struct Signature {
  /// The name without its scopes: "get_Text" of "Range::get_Text(char16_t**)".
  private let name: Substring
  /// The first word of that in lower case: "get".
  private let verb: String
  /// Whether the function is in a class, or in a namespace, which looks alike.
  private let isMember: Bool
  private let parameters: [Parameter]
  /// Whether the function is one that returns strings, by its name alone.
  let isKnown: Bool

  /// The meaning of a parameter's type for strings.
  private enum Parameter: Equatable {
    /// A pointer to a BSTR.
    case string
    /// A pointer to a VARIANT or the like, or to an array of them, which may be an argument.
    case value
    /// A pointer to a pointer to something else, in which an object is returned.
    case interface
    /// An integer, which may be the length of an array beside it.
    case integer
    case other
  }

  init(_ frame: Frame) {
    let plain = frame.plainName ?? ""
    let scope = frame.enclosingClass
    name = plain.dropFirst(scope.map { $0.count + 2 } ?? 0)
    verb = Self.firstWord(of: name)
    isMember = scope.map { $0 != "(anonymous namespace)" } ?? false
    let list = frame.function?.dropFirst(plain.count) ?? ""
    parameters = Self.types(in: list).map { Self.parameter(of: $0) }
    isKnown = list.isEmpty && Self.known.contains { Wrappers.matches(plain, $0) }
  }

  // MARK: contracts

  /// Whether the function returns strings through a parameter, by its type.
  var returnsStrings: Bool {
    !Self.storing.contains(verb) && parameters.indices.contains { isReturned(at: $0) }
  }

  /// Whether the function returns strings in such a way that it passes on what it receives, too.
  ///
  /// A function that is given a VARIANT may as well receive a string on its way, for itself.
  var passesOn: Bool { returnsStrings && isGivenReference }

  /// Whether the last parameter is a pointer to a BSTR, as [out,retval] ones are.
  var isGivenReference: Bool { parameters.last == .string }

  /// Returns whether the function returns strings through one of its parameters.
  ///
  /// What is returned stands behind what is given, and an [out,retval] parameter is the last one.
  /// In front of others a BSTR is as often replaced, and a VARIANT is passed by its address as an
  /// argument, too, so that the function's name decides.
  private func isReturned(at index: Int) -> Bool {
    let isLast = index == parameters.count - 1
    if parameters[index] == .string, isLast { return true }
    guard Self.getting.contains(verb), !isInteger(at: index + 1) else { return false }
    let following = isLast ? nil : parameters[index + 1]
    switch parameters[index] {
    case .string:
      // Behind an integer it is an array, which other arrays follow; or the integer is an index.
      return !isInteger(at: index - 1) || verb == "next"
        || following != .string && following != .value
    case .value:
      let isBehindGiven = index > 0 || isMember && parameters.count == 1 && name.hasPrefix("get_")
      return isBehindGiven && !parameters[index...].contains(.interface)
        && !parameters.contains(.string) && parameters.count { $0 == .value } == 1
    case .interface, .integer, .other: return false
    }
  }

  private func isInteger(at index: Int) -> Bool {
    parameters.indices.contains(index) && parameters[index] == .integer
  }

  // MARK: words and types

  /// The verbs of functions that return a value.
  private static let getting: Set = [
    "get", "fetch", "read", "retrieve", "next",
  ]
  /// The verbs of functions that are given a value, by its address or not.
  private static let storing: Set = [
    "put", "putref", "set", "let", "add", "append", "insert", "store", "save", "write", "update",
    "assign", "push", "register", "replace", "change", "log", "print", "find", "compare",
  ]

  /// Functions of C that return strings, by the names that implementations give them.
  ///
  /// Not VariantCopy and VariantChangeType, which are wrappers: their destination is as often a
  /// member of an object, or what their caller returns.
  private static let known = [
    "SafeArrayGetElement", "*ErrorInfo*GetSource", "*ErrorInfo*GetDescription",
    "*ErrorInfo*GetHelpFile", "*TypeInfo*GetDocumentation", "*TypeInfo*GetNames",
    "*TypeInfo*GetMops", "*TypeInfo*GetDllEntry", "*TypeLib*GetDocumentation",
    "*RecordInfo*GetName", "*RecordInfo*GetField", "*RecordInfo*GetFieldNames",
  ]

  private static let strings: Set<Substring> = [
    "char16_t**", "wchar_t**", "unsigned short**", "OLECHAR**", "BSTR*",
  ]
  private static let values: Set<Substring> = [
    "VARIANT*", "tagVARIANT*", "PROPVARIANT*", "tagPROPVARIANT*", "SAFEARRAY**",
    "tagSAFEARRAY**",
  ]
  private static let integers: Set<Substring> = [
    "short", "unsigned short", "int", "unsigned int", "long", "unsigned long", "long long",
    "unsigned long long",
  ]

  private static func parameter(of type: Substring) -> Parameter {
    let name = type.ranges(of: "::").last.map { type[$0.upperBound...] } ?? type
    if strings.contains(name) { return .string }
    if values.contains(name) { return .value }
    if integers.contains(type) { return .integer }
    return type.hasSuffix("**") ? .interface : .other
  }

  /// Returns the types of parameters: "int" and "A<b, c>*" of "(int, A<b, c>*) const".
  private static func types(in list: Substring) -> [Substring] {
    var types: [Substring] = []
    var depth = 0
    var start = list.startIndex
    for index in list.indices {
      switch list[index] {
      case "(", "<", "[":
        depth += 1
        if depth == 1 { start = list.index(after: index) }
      case ")", ">", "]":
        depth -= 1
        if depth == 0 {
          types.append(list[start..<index])
          let trimmed = types.map { $0.drop { $0 == " " } }
          return trimmed == [""] ? [] : trimmed
        }
      case "," where depth == 1:
        types.append(list[start..<index])
        start = list.index(after: index)
      default: break
      }
    }
    return []
  }

  /// Returns the first word of a name, in lower case: "get" of "GetText", "get_Text" and "get".
  private static func firstWord(of name: Substring) -> String {
    let rest = name.dropFirst().prefix { $0.isLowercase }
    return (name.prefix(1) + rest).lowercased()
  }
}

extension OwnershipInference {
  /// Returns what the name of a step's function says.
  func signature(of step: CallPath.Step) -> Signature { Signature(paths.frame(step)) }
}
