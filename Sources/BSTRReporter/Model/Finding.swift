// A finding, as a report shows it.

/// A fault or leak: its kind, count, stacks and sentence.
public struct Finding: Sendable {
  /// The kind.
  public var kind: FindingKind
  /// A closer description within the kind.
  public var detail: String?
  /// The count of calls; for leaks, of BSTRs.
  public var count: Int
  /// The count of BSTRs concerned, each counted once; where none is known, the same as `count`.
  public var strings: Int
  /// Payload bytes of the BSTRs concerned, each counted once.
  public var bytes: Int
  /// The sentence for people.
  public var message: String
  /// Further facts, in sentences.
  public var remarks: [String] = []
  /// The owner, and the rule that was broken.
  public var ownership = Ownership()
  /// The scope that a leaked BSTR was allocated in, or that a fault happened in.
  public var scope: String?
  /// The count of stacks that it was found at, of which the heaviest is shown.
  public var places = 1
  /// The count of processes that it was found in, of which one is shown.
  public var processes = 1
  /// The stack that allocated the BSTRs; `nil` where none is concerned.
  public var allocated: StackTrace?
  /// The stack that freed it first; `nil` where it was not freed.
  public var freed: StackTrace?
  /// The stack at which the fault was detected; `nil` where that says nothing of its cause.
  public var detected: StackTrace?
  /// The program's declarations on the string, in order; of a group of leaks, on the first.
  public var history: [HistoryEvent] = []
  /// Serial numbers of the BSTRs concerned, the first few.
  public var serials: [UInt64] = []
  /// The stacks of pins that hold a leak.
  public var pinned: [StackTrace] = []
  /// What holds a few of the strings of a leak; `nil` where that was not looked for.
  public var holders: Holders?
  /// A few of the strings.
  public var values: [StringValue]
  /// A rule that would silence this finding.
  public var suppression: String
  /// Lines of the owner's source; `nil` where they are not at hand.
  public var source: SourceExcerpt?
  /// The fault behind it; `nil` where that is not known.
  var fault: Fault?
  /// The words for a leak, whose sentence has its count; `nil` for others.
  var wording: LeakWording?
  /// The change since a baseline; `nil` where there is none to compare with.
  public var baselineState: BaselineState?

  /// What makes findings of several stacks one fault: the frames up to the function to blame.
  struct Fault: Sendable {
    /// Those frames with their modules and lines, of each stack.
    var locations: [String] = []
    /// Their functions, without inlined ones: what it is recognised by in other runs, in which
    /// lines have moved and other functions are inlined.
    var functions: [String] = []
  }

  /// The change of a finding since a baseline; the raw values are SARIF's.
  public enum BaselineState: String, Sendable {
    /// The baseline has none of its key.
    case new
    /// It has grown.
    case updated
    /// The baseline has as many, or more.
    case unchanged
  }

  /// Creates a finding.
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
  /// The count of characters of the whole string.
  public var characterCount: Int
  /// Whether characters are missing from `escaped`.
  public var isCut: Bool
  /// The kind of its content.
  public var kind = Kind.text
  /// The count of bytes of the whole string; 0 for text.
  public var byteCount = 0

  /// The kind of content of a BSTR, as it seems.
  public enum Kind: Sendable {
    /// Characters.
    case text
    /// Bytes that are no text: `escaped` has two hexadecimal digits for each.
    case bytes
    /// The sixteen bytes of a GUID: `escaped` has its usual form.
    case guid
  }

  /// Creates a string of `characterCount` characters.
  public init(escaped: String, characterCount: Int, isCut: Bool) {
    self.escaped = escaped
    self.characterCount = characterCount
    self.isCut = isCut
  }
}
