// The key of a finding: the same for the same fault in every run, wherever its lines have moved to.

/// What makes two findings of different runs the same: kind and functions, not lines, which move.
struct FindingKey: Hashable, Comparable {
  /// The functions that are compared.
  enum Version: Int, CaseIterable {
    /// Those of the whole stack, as baselines of version 1 have them.
    case wholeStack = 1
    /// Those up to the one that is to blame, without inlined ones.
    case fault = 2
  }

  /// The kind's word.
  var kind: String
  /// The closer description within the kind.
  var detail: String?
  /// The functions, innermost first, or modules where a function has no name.
  var stack: [String]

  /// Creates the key of a finding.
  init(_ finding: Finding, _ version: Version = .fault) {
    let whole = Self.wholeStack(of: finding)
    self.init(
      finding.kind.id, finding.detail,
      version == .fault ? finding.fault?.functions ?? whole : whole)
  }

  /// Creates a key from its parts.
  init(_ kind: String, _ detail: String?, _ stack: [String]) {
    self.kind = kind
    self.detail = detail
    self.stack = stack
  }

  private static func wholeStack(of finding: Finding) -> [String] {
    let trace = finding.allocated ?? finding.detected
    var stack = (trace?.frames ?? []).prefix(depth).map(\.keyName)
    if finding.kind != .leak, let frame = finding.detected?.frames.first {
      stack.insert(frame.keyName, at: 0)
    }
    return stack
  }

  /// The limit of frames of whole stacks.
  private static let depth = 12

  /// The key in one line: `leak get_Text < show`.
  var text: String {
    ([kind] + (detail.map { [$0] } ?? [])).joined(separator: " ") + " "
      + stack.joined(separator: " < ")
  }

  /// A hash of the key, the same in every run: FNV-1a of its text, in 64 bits.
  var hash: UInt64 {
    text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }

  /// Returns whether one key stands in front of another in files.
  static func < (one: FindingKey, other: FindingKey) -> Bool {
    if one.kind != other.kind { return one.kind < other.kind }
    if one.stack != other.stack { return one.stack.lexicographicallyPrecedes(other.stack) }
    return one.detail.precedes(other.detail)
  }
}
