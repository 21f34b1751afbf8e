// One thing wrong, as a report shows it.

/// Something wrong: what, how often, where, and in a sentence.
public struct Finding: Sendable {
  /// What is wrong.
  public var kind: FindingKind
  /// A closer description within the kind.
  public var detail: String?
  /// How often; for leaks, BSTRs.
  public var count: Int
  /// How many BSTRs are concerned, each counted once; where none is known, as many as `count`.
  public var strings: Int
  /// Payload bytes of the BSTRs concerned, each counted once.
  public var bytes: Int
  /// One sentence for people.
  public var message: String
  /// What else is known, in sentences.
  public var remarks: [String] = []
  /// Who owned it, and which rule was broken.
  public var ownership = Ownership()
  /// The scope that a leaked BSTR was allocated in, or that a fault happened in.
  public var scope: String?
  /// Where the BSTRs were allocated; `nil` where none is concerned.
  public var allocated: StackTrace?
  /// Where it was freed first; `nil` where it was not.
  public var freed: StackTrace?
  /// Where the fault was seen; `nil` where that says nothing of who did it.
  public var detected: StackTrace?
  /// What the program declared of the string, in order; of a group of leaks, of the first.
  public var history: [HistoryEvent] = []
  /// Serial numbers of the BSTRs concerned, the first few.
  public var serials: [UInt64] = []
  /// Where pins were taken that hold a leak.
  public var pinned: [StackTrace] = []
  /// A few of the strings.
  public var values: [StringValue]
  /// A rule that would silence this finding.
  public var suppression: String

  /// A finding.
  public init(
    kind: FindingKind, detail: String? = nil, count: Int, bytes: Int, message: String,
    allocated: StackTrace? = nil, values: [StringValue] = [], suppression: String
  ) {
    self.kind = kind
    self.detail = detail
    self.count = count
    strings = count
    self.bytes = bytes
    self.message = message
    self.allocated = allocated
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
  /// What the string holds.
  public var kind = Kind.text
  /// How many bytes the whole string had; 0 for text.
  public var byteCount = 0

  /// What a BSTR holds, as it seems.
  public enum Kind: Sendable {
    /// Characters.
    case text
    /// Bytes that are no text: `escaped` has two hexadecimal digits for each.
    case bytes
    /// The sixteen bytes of a GUID: `escaped` has its usual form.
    case guid
  }

  /// A string of `characterCount` characters.
  public init(escaped: String, characterCount: Int, isCut: Bool) {
    self.escaped = escaped
    self.characterCount = characterCount
    self.isCut = isCut
  }
}
