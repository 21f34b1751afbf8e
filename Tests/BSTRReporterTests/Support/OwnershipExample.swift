import Testing

@testable import BSTRReporter

/// SymbolicatedStore, and what is to be concluded from it.
struct OwnershipExample: Sendable, CustomTestStringConvertible {
  /// The rule that decides.
  var rule: String
  /// What is reported, in words; of a verdict without a sentence, "-".
  var text: String
  /// The broken rule, or the code of the uncertainty; "held" where holders decide.
  var code: String
  /// Owner, producer and consumer; "-" for none.
  var parties: String
  /// What the verdict was inferred from.
  var grounds: String?

  var testDescription: String { "\(rule): \(text)" }

  /// Compares a decision, and the rule that made it, with what is to be concluded.
  func expect(_ concluded: (rule: String, decision: Ownership.Decision)?) {
    #expect(concluded?.rule == rule)
    expect(Ownership(concluded?.decision))
  }

  /// Compares an ownership with what is to be concluded.
  func expect(_ ownership: Ownership) {
    #expect((ownership.uncertaintySentence ?? ownership.message ?? "-") == text)
    #expect(
      (ownership.uncertainty?.code ?? ownership.rule?.rawValue ?? ownership.basis?.rawValue) == code
    )
    let parties = [ownership.owner, ownership.producer, ownership.consumer]
    #expect(parties.map { $0?.name ?? "-" }.joined(separator: ", ") == self.parties)
    #expect(ownership.evidence == grounds)
    // A verdict has no doubt, and an uncertainty breaks no rule.
    #expect((ownership.uncertainty == nil) == (ownership.basis != nil))
    #expect((ownership.rule == nil) == (ownership.basis == nil || ownership.basis == .held))
  }
}
