// A kind of finding: everything that differs between kinds. Wording/FindingKinds.swift has one
// instance for each.

import TraceStore

/// A class of faults, and its form in reports.
public struct FindingKind: Hashable, Sendable {
  /// The word for it in reports, suppression rules and baselines; does not change.
  public let id: String

  /// The store's event for it; `nil` for leaks, which are live blocks.
  let event: EventKind?
  /// The heading in the report for people; in lower case, the singular in its summary.
  let title: String
  /// The plural in the summary.
  let plural: String
  /// The quantity behind the heading.
  let size: SizeUnit
  /// The labels of its stacks.
  let labels: StackLabels
  /// The labels for details that differ from the kind's others.
  let labelsOfDetails: [String: StackLabels]
  /// The stack that a suppression rule names.
  let culprit: Culprit
  /// The function that writes the sentences of one finding.
  let describe: @Sendable (inout FaultWording, EventDetail) -> Void
  /// The function that infers or looks up the string's ownership.
  let ownership: @Sendable (EventRecord, SymbolicatedStore) -> Ownership

  /// The quantity behind the heading of a finding.
  enum SizeUnit: Sendable {
    /// BSTRs and their bytes.
    case stringsAndBytes
    /// Calls, and the count of BSTRs that they concern.
    case calls
    /// BSTRs, and the count of events.
    case strings
  }

  /// The labels of stacks.
  struct StackLabels: Sendable {
    /// The label of the stack that detected it.
    var detected: String
    /// The label of the stack that freed the string.
    var freed: String
  }

  /// The stack of the function that is responsible.
  enum Culprit: Sendable {
    /// The stack that detected it, or else the last one that owned the string rightly.
    case detected
    /// The stack that allocated the string: one that notices corruption says nothing of its cause.
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

  /// Returns the labels of the stacks of its findings with a detail.
  func labels(ofDetail detail: String?) -> StackLabels {
    detail.flatMap { labelsOfDetails[$0] } ?? labels
  }

  /// Creates the kind with a word of reports.
  public init?(id: String) {
    guard let kind = Self.all.first(where: { $0.id == id }) else { return nil }
    self = kind
  }

  /// Creates the kind of finding that an event is, or `nil` when it is no fault.
  init?(_ event: EventRecord) {
    guard let kind = Self.ofEvents[event.kind] else { return nil }
    self = kind
  }

  private static let ofEvents = Dictionary(
    uniqueKeysWithValues: all.compactMap { kind in kind.event.map { ($0.rawValue, kind) } })

  /// Returns whether both are the same kind.
  public static func == (one: FindingKind, other: FindingKind) -> Bool { one.id == other.id }

  /// Hashes the word.
  public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}
