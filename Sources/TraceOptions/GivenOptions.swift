// The options that the user has given, as text: by BSTRTRACE_OPTIONS or by flags. They are passed
// on to children in this form.

/// Options that were given a value.
public struct GivenOptions: Sendable, Equatable {
  /// Values by the option's name, in the order in which they were given.
  ///
  /// One, but for options that may be given several times. Each is valid for its option.
  private var texts: [String: [String]] = [:]

  /// Nothing.
  public init() {}

  /// The reason why a part of `BSTRTRACE_OPTIONS` was ignored.
  public struct Problem: Sendable, Equatable, CustomStringConvertible {
    /// The part as it was written.
    public var part: String
    /// The error and the accepted values, without the part.
    public var reason: String

    /// One sentence for standard error.
    public var description: String { "BSTRTRACE_OPTIONS: ignored '\(part)': \(reason)" }
  }

  /// Returns the texts that an option was given, in order.
  public subscript(option: TraceOption) -> [String] { texts[option.name] ?? [] }

  /// Returns these options, overruled by those of `others`.
  public func overruled(by others: GivenOptions) -> GivenOptions {
    var all = self
    all.texts.merge(others.texts) { $1 }
    return all
  }

  /// Sets the allocation that fails, in place of those that were given; `nil` for none.
  public mutating func setFailure(at number: UInt64?) {
    texts[TraceOption[\.failAllocation].name] = number.map { ["\(AllocationFailure.at($0))"] }
  }

  /// Gives an option a value, in place of the one before, or in addition where it is repeatable.
  ///
  /// - Returns: the accepted values, where the text is none of them; the option is then left as it
  ///   was.
  public mutating func give(_ option: TraceOption, _ text: some StringProtocol) -> String? {
    var scratch = TraceOptions()
    guard option.read(Substring(text), &scratch) else { return "expected \(option.accepted)" }
    texts[option.name] = (option.isRepeatable ? self[option] : []) + [String(text)]
    return nil
  }

  /// Reads `key=value:key=value`; parts that are invalid are left out and returned.
  ///
  /// - Parameter text: the value of the environment variable.
  /// - Returns: the parts that were ignored, in order, each with its reason.
  public mutating func parse(_ text: String) -> [Problem] {
    // By bytes: with a combining mark behind it, a colon or "=" is part of another character.
    text.utf8.split(separator: UInt8(ascii: ":")).map(Substring.init).compactMap { part in
      apply(part).map { Problem(part: String(part), reason: $0) }
    }
  }

  private mutating func apply(_ part: Substring) -> String? {
    guard let equals = part.utf8.firstIndex(of: UInt8(ascii: "=")) else {
      return "expected key=value"
    }
    let key = part[..<equals]
    guard let option = TraceOption.all.first(where: { $0.name == key }) else {
      let known = TraceOption.all.map(\.name).joined(separator: ", ")
      return "unknown key '\(key)'; the keys are \(known)"
    }
    return give(option, part[part.utf8.index(after: equals)...])
  }

  /// The options of recording, as a value of `BSTRTRACE_OPTIONS`.
  public var recordingText: String {
    TraceOption.all.filter { $0.scope == .recording }
      .flatMap { option in self[option].map { "\(option.name)=\($0)" } }
      .joined(separator: ":")
  }
}
