// One thing wrong, as a report shows it.

/// Something wrong: what, how often, where, and in a sentence.
public struct Finding: Sendable {
  /// What kind of thing is wrong.
  ///
  /// The raw values are the report's.
  public enum Kind: String, Sendable {
    /// Nobody freed it.
    case leak
  }

  /// What is wrong.
  public var kind: Kind
  /// A closer description within the kind.
  public var detail: String?
  /// BSTRs concerned.
  public var count: Int
  /// Their payload in bytes.
  public var bytes: Int
  /// One sentence for people.
  public var message: String
  /// Where the blocks were allocated, innermost frame first.
  public var allocated: [Frame]
  /// Whether the program's stack was deeper than what was kept.
  public var truncated: Bool
  /// A few of the strings.
  public var values: [StringValue]
  /// A rule that would silence this finding.
  public var suppression: String

  /// A finding.
  public init(
    kind: Kind, detail: String? = nil, count: Int, bytes: Int, message: String,
    allocated: [Frame], truncated: Bool = false, values: [StringValue], suppression: String
  ) {
    self.kind = kind
    self.detail = detail
    self.count = count
    self.bytes = bytes
    self.message = message
    self.allocated = allocated
    self.truncated = truncated
    self.values = values
    self.suppression = suppression
  }
}

/// A string of the program as it can be shown.
public struct StringValue: Equatable, Sendable {
  /// The characters that were kept, escaped: nothing in them can act on a terminal.
  public var escaped: String
  /// How many characters the whole string had.
  public var characterCount: Int
  /// Whether characters are missing from `escaped`.
  public var isCut: Bool

  /// A string of `characterCount` characters.
  public init(escaped: String, characterCount: Int, isCut: Bool) {
    self.escaped = escaped
    self.characterCount = characterCount
    self.isCut = isCut
  }
}
