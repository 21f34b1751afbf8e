// The type of a function, as debug information has it.

/// The types of a function's parameters and of its result.
///
/// Types are spelled as demanglers spell them ("char16_t**", "tagVARIANT const*"), with the names
/// of typedefs where those say more.
public struct FunctionType: Hashable, Sendable {
  /// A parameter.
  public struct Parameter: Hashable, Sendable {
    /// Its type.
    public var type: String
    /// The types of the members of the structure that it points to, those of nested ones included.
    ///
    /// Empty for what is const, for unions, and for classes: types with member functions.
    public var members: [String]

    /// Creates a parameter.
    public init(type: String, members: [String] = []) {
      self.type = type
      self.members = members
    }
  }

  /// The function's name without its scope.
  public var name: String
  /// The type of its result; `nil` for none.
  public var result: String?
  /// Its parameters in order, without `this`.
  public var parameters: [Parameter]

  /// Creates a type.
  public init(name: String, result: String? = nil, parameters: [Parameter]) {
    self.name = name
    self.result = result
    self.parameters = parameters
  }
}
