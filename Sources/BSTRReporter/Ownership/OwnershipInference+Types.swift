// What the types of a function's parameters, which names of C++ have, say of the strings that it
// allocates.

extension OwnershipInference {
  /// Returns whether a function's name says that it returns BSTRs through a pointer.
  func isProducerByType(_ step: CallPath.Step) -> Bool {
    isGivenReference(step) || isNextOfEnumerator(step)
  }

  /// Returns whether the last of a function's parameters is a pointer to a BSTR.
  func isGivenReference(_ step: CallPath.Step) -> Bool {
    // An [out,retval] parameter is the last one; in front of others a pointer may be to an array.
    guard let last = parameters(of: step).last else { return false }
    return Self.pointersToString.contains { last.hasSuffix($0) }
  }

  /// Returns whether a function is the `Next` of an enumerator: elements wanted, where to store
  /// them, and how many were stored.
  ///
  /// Source: "IEnumString::Next" and "IEnumVARIANT::Next". Other functions of such parameters may
  /// read an array of strings.
  private func isNextOfEnumerator(_ step: CallPath.Step) -> Bool {
    let parameters = parameters(of: step)
    guard parameters.count == 3, let name = paths.frame(step).plainName,
      name == "Next" || name.hasSuffix("::Next")
    else { return false }
    let elements = Self.pointersToString + ["VARIANT*", "tagVARIANT*"]
    return ["unsigned int", "unsigned long"].contains(parameters[0])
      && elements.contains { parameters[1] == $0 } && parameters[2] == parameters[0] + "*"
  }

  private static let pointersToString = ["char16_t**", "wchar_t**", "OLECHAR**", "BSTR*"]

  /// Returns the types of a function's parameters; none where its name has none.
  private func parameters(of step: CallPath.Step) -> [Substring] {
    guard let function = paths.frame(step).function, let plain = paths.frame(step).plainName,
      function.count > plain.count
    else { return [] }
    var parameters = function.dropFirst(plain.count)
    while parameters.hasSuffix(" const") || parameters.last.map({ ")& ".contains($0) }) ?? false {
      parameters = parameters.hasSuffix(" const") ? parameters.dropLast(6) : parameters.dropLast()
    }
    // Commas of templates' arguments make more of them, which are of no interest here.
    return parameters.drop { $0 == "(" }.split(separator: ",").map { $0.drop { $0 == " " } }
  }
}
