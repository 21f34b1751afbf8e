// A kind of finding: everything that differs between kinds. Wording/FindingKinds.swift has one for
// each.

import TraceStore

/// What kind of thing is wrong, and how reports show it.
public struct FindingKind: Hashable, Sendable {
  /// The word for it in reports, suppression rules and baselines; does not change.
  public let id: String

  /// The store's event for it; `nil` for leaks, which are live blocks.
  let event: EventKind?
  /// The heading in the report for people; in lower case, one of them in its summary.
  let title: String
  /// Several of them in the summary.
  let plural: String
  /// What is counted behind the heading.
  let size: SizeUnit
  /// What is written in front of its stacks.
  let labels: StackLabels
  /// The same for details that differ from the kind's others.
  let labelsOfDetails: [String: StackLabels]
  /// The stack that a suppression rule names.
  let culprit: Culprit
  /// Fills in the sentences of one of them.
  let describe: @Sendable (inout FaultWording, EventDetail) -> Void
  /// What is concluded of the string's ownership.
  let ownership: @Sendable (EventRecord, SymbolicatedStore) -> Ownership

  /// What is counted behind the heading of a finding.
  enum SizeUnit: Sendable {
    /// BSTRs and their bytes.
    case stringsAndBytes
    /// Calls, and how many BSTRs they concern.
    case calls
    /// BSTRs, and how often something happened to them.
    case strings
  }

  /// What is written in front of stacks.
  struct StackLabels: Sendable {
    /// In front of where it was seen.
    var detected: String
    /// In front of where the string was freed.
    var freed: String
  }

  /// The stack of the function that is responsible.
  enum Culprit: Sendable {
    /// Where it was seen, or else the last one that had the string rightly.
    case detected
    /// Where the string was allocated: a stack that notices corruption says nothing of its cause.
    case allocated
  }

  init(
    _ id: String, _ event: EventKind?, title: String, plural: String, size: SizeUnit,
    labels: StackLabels, labelsOfDetails: [String: StackLabels] = [:],
    culprit: Culprit = .detected,
    ownership: @escaping @Sendable (EventRecord, SymbolicatedStore) -> Ownership = { _, _ in
      Ownership()
    },
    describe: @escaping @Sendable (inout FaultWording, EventDetail) -> Void = { _, _ in }
  ) {
    self.id = id
    self.event = event
    self.title = title
    self.plural = plural
    self.size = size
    self.labels = labels
    self.labelsOfDetails = labelsOfDetails
    self.culprit = culprit
    self.ownership = ownership
    self.describe = describe
  }

  /// The kind with a word of reports.
  public init?(id: String) {
    guard let kind = Self.all.first(where: { $0.id == id }) else { return nil }
    self = kind
  }

  /// The kind of finding that an event is, or `nil` when it is no fault.
  init?(_ event: EventRecord) {
    guard let kind = Self.ofEvents[event.kind] else { return nil }
    self = kind
  }

  private static let ofEvents = Dictionary(
    uniqueKeysWithValues: all.compactMap { kind in kind.event.map { ($0.rawValue, kind) } })

  /// Whether both are the same kind.
  public static func == (one: FindingKind, other: FindingKind) -> Bool { one.id == other.id }

  /// Hashes the word.
  public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}
