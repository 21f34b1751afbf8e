// What a function's type says of the strings that pass through its parameters.

/// The parameters of a function, as far as strings can come back through them.
struct FunctionSignature: Hashable, Sendable {
  /// A parameter.
  enum Parameter: Hashable, Sendable {
    /// A variable for a BSTR: `BSTR*`.
    case string
    /// A variable for a value that can have strings in it: `VARIANT*`, `PROPVARIANT*`,
    /// `SAFEARRAY**`.
    case variant
    /// A structure that has room for so many strings: `EXCEPINFO*`.
    case record(strings: Int)
    /// An integer by value: behind an array, the count of its elements.
    case count
    /// Any other.
    case other
  }

  /// The parameters in order, without `this`.
  var parameters: [Parameter]
  /// Whether the function returns a BSTR as its value; `nil` where that is not known.
  var returnsString: Bool?
  /// Whether its name says that it stores what it is given: what a VARIANT or a structure is for,
  /// its type does not say.
  var isSetter = false

  /// The maximum of strings that one call returns through parameters; 0 when it returns none.
  var results: Int { room.reduce(0, +) }

  /// The maximum of strings that one call returns through each parameter that is a result.
  ///
  /// A pointer in front of a count may be an array that the function only reads, as in
  /// `IDispatch::GetIDsOfNames`: it is no result.
  private var room: [Int] {
    parameters.indices.compactMap { index in
      if index + 1 < parameters.count, parameters[index + 1] == .count { return nil }
      return switch parameters[index] {
      case .string: 1
      case .variant: isSetter ? nil : 1
      case .record(let strings): isSetter ? nil : strings
      case .count, .other: nil
      }
    }
  }

  /// Returns whether a number of strings fills some of the parameters for results, with none left
  /// over: what a function makes for them and beside them rarely does.
  func fills(_ count: Int) -> Bool {
    room.reduce(into: [0] as Set) { sums, room in sums.formUnion(sums.map { $0 + room }) }
      .contains(count)
  }

  /// Whether a parameter is a variable for a BSTR.
  var takesStringByReference: Bool { parameters.contains(.string) }
}

// MARK: debug information

extension FunctionSignature {
  /// Takes the type from debug information, or else from the name; `nil` where neither has it.
  ///
  /// - Parameter type: the function's type; `nil` without debug information.
  init?(_ frame: Frame, _ type: FunctionType?) {
    guard let name = frame.function, let plainName = frame.plainName else { return nil }
    let named = FunctionSignature(demangled: name, plainName: plainName)
    // What was optimised away is in the name still.
    guard let type, named.map({ $0.parameters.count == type.parameters.count }) ?? true else {
      guard let named else { return nil }
      self = named
      return
    }
    parameters = type.parameters.enumerated().map { index, parameter in
      let kind = Self.parameter(parameter.type)
      // The first of several is what a function of C works on, as `this`.
      guard kind == .other, index > 0 || type.parameters.count == 1 else { return kind }
      let strings = parameter.members.count { Self.strings.contains($0) }
      return strings > 0 ? .record(strings: strings) : .other
    }
    returnsString = type.result == "BSTR"
    isSetter = Self.isSetter(plainName)
  }

  /// Types of members that are strings, or have room for one.
  private static let strings: Set = [
    "BSTR", "VARIANT", "VARIANTARG", "PROPVARIANT", "tagVARIANT", "tagPROPVARIANT",
  ]

  /// Typedefs that say more than what they stand for.
  static let namedTypes: Set = [
    "BSTR", "VARIANT", "VARIANTARG", "PROPVARIANT", "SAFEARRAY", "LPSAFEARRAY", "EXCEPINFO",
  ]
}

// MARK: names

extension FunctionSignature {
  /// Reads the parameters in a demangled C++ name; `nil` for a name without any.
  ///
  /// - Parameters:
  ///   - name: "Range::GetText(int, char16_t**) const".
  ///   - plainName: the same without parameters: "Range::GetText".
  init?(demangled name: String, plainName: String) {
    guard name.utf8.count > plainName.utf8.count, name.hasPrefix(plainName),
      let types = Self.types(in: name.dropFirst(plainName.count))
    else { return nil }
    parameters = types.map(Self.parameter)
    isSetter = Self.isSetter(plainName)
  }

  /// Returns what a type is for strings, as a demangler spells it.
  static func parameter(_ type: some StringProtocol) -> Parameter {
    if integers.contains(String(type)) { return .count }
    let isReference = type.hasSuffix("&") && !type.hasSuffix("&&")
    guard isReference || type.hasSuffix("*") else { return .other }
    return pointees[String(type.dropLast())] ?? .other
  }

  /// What a pointer or a reference to a type makes of a parameter; what is const has other
  /// spellings.
  private static let pointees: [String: Parameter] = {
    var pointees: [String: Parameter] = [:]
    for name in ["BSTR", "char16_t*", "wchar_t*", "OLECHAR*", "unsigned short*"] {
      pointees[name] = .string
    }
    for name in ["VARIANT", "VARIANTARG", "PROPVARIANT", "tagVARIANT", "tagPROPVARIANT"] {
      pointees[name] = .variant
    }
    for name in ["SAFEARRAY*", "tagSAFEARRAY*", "LPSAFEARRAY"] { pointees[name] = .variant }
    // Source, description and help file: oaidl.h.
    for name in ["EXCEPINFO", "tagEXCEPINFO"] { pointees[name] = .record(strings: 3) }
    return pointees
  }()

  /// Integers that count elements, as demanglers spell them.
  private static let integers: Set = [
    "int", "long", "long long", "short", "unsigned", "unsigned int", "unsigned long",
    "unsigned long long", "unsigned short",
  ]

  /// Returns whether a name is a setter's: one of its words is "put" or "set", or begins with one
  /// of them and goes on with a capital letter.
  ///
  /// - Parameter name: "Window::put_Value" or "window_setTitle".
  static func isSetter(_ name: String) -> Bool {
    let last = name.ranges(of: "::").last.map { name[$0.upperBound...] } ?? name[...]
    return last.split(separator: "_").contains { word in
      ["put", "set", "putref"].contains { verb in
        guard word.lowercased().hasPrefix(verb) else { return false }
        return word.dropFirst(verb.count).first?.isUppercase ?? true
      }
    }
  }

  /// Returns the types in "(int, char16_t**) const"; `nil` where there is no list.
  private static func types(in list: Substring) -> [Substring]? {
    guard list.first == "(" else { return nil }
    var types: [Substring] = []
    var depth = 0
    var start = list.index(after: list.startIndex)
    for index in list.indices {
      switch list[index] {
      case "(", "<", "[", "{": depth += 1
      case ")", ">", "]", "}":
        depth -= 1
        guard depth == 0 else { continue }
        if start < index { types.append(list[start..<index]) }
        return types
      case "," where depth == 1:
        types.append(list[start..<index])
        start = list.index(after: index)
        while start < list.endIndex, list[start] == " " { start = list.index(after: start) }
      default: break
      }
    }
    return nil
  }
}
