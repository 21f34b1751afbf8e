import Testing
import TraceStore

@testable import BSTRReporter

/// Each verdict by a program's own word, and those on wrong deallocators.
@Suite struct DeclaredOwnershipTests {
  private static let made = "make:3 < main:20 < _start"

  /// What was declared of a leaked string, and what follows.
  static let leaks: [([(DeclaredAction, String)], OwnershipExample)] = [
    (
      [(.received, "main:20 < _start")],
      OwnershipExample(
        rule: "received", text: "Nobody freed what make returned; main received it.", code: "out",
        parties: "main, make, -")
    ),
    (
      [(.received, "other:5 < main:22 < _start")],
      OwnershipExample(
        rule: "received", text: "Nobody freed what it was given; other received it.", code: "out",
        parties: "other, -, -")
    ),
    (
      [
        (.received, "main:20 < _start"), (.handedOver, "main:23 < _start"),
        (.noted, "f:2 < _start"),
      ],
      OwnershipExample(
        rule: "handed over", text: "main handed over a BSTR that nobody received.", code: "in",
        parties: "-, main, -")
    ),
    (
      [(.adopted, "keep:5 < main:22 < _start")],
      OwnershipExample(
        rule: "adopted", text: "keep took over a BSTR and did not free it.", code: "in",
        parties: "keep, -, -")
    ),
    (
      [(.lent, "main:21 < _start"), (.givenBack, "main:21 < _start")],
      OwnershipExample(
        rule: "lent", text: "main lent a BSTR and did not free it afterwards.", code: "in",
        parties: "main, -, -")
    ),
  ]

  @Test(arguments: leaks)
  func theLastDeclarationDecidesOnALeak(
    entries: [(DeclaredAction, String)], example: OwnershipExample
  ) throws {
    var store = ConstructedStore()
    let stack = store.stack(Self.made)
    store.add(entries, of: 1)
    let declarations = try store.evidence().declarations
    let ownership = try #require(declarations.ownership(ofLeak: 1, allocated: stack))
    example.expect(ownership)
    #expect(ownership.basis == .declared)
    #expect(declarations.ownership(ofLeak: 2, allocated: stack) == nil)
  }

  /// What was declared of a string that main and show freed, in this order, and what follows.
  static let doubleFrees: [([(DeclaredAction, String)], OwnershipExample)] = [
    (
      [(.adopted, "main:20 < _start")],
      OwnershipExample(
        rule: "adopted", text: "show freed a BSTR that main had taken over.", code: "in",
        parties: "main, -, show")
    ),
    (
      [(.lent, "main:20 < _start"), (.freed, "main:22 < _start")],
      OwnershipExample(
        rule: "lent", text: "show freed a BSTR that it had only borrowed from main.", code: "in",
        parties: "main, -, show")
    ),
  ]

  @Test(arguments: doubleFrees)
  func declarationsDecideOnADoubleFree(
    entries: [(DeclaredAction, String)], example: OwnershipExample
  ) throws {
    var store = ConstructedStore()
    let event = store.add(
      .doubleFree, allocated: Self.made, freed: "main:22 < _start",
      detected: "show:5 < main:23 < _start")
    store.add(entries, of: 1)
    let declarations = try store.evidence().declarations
    let ownership = try #require(declarations.ownership(ofDoubleFree: event))
    example.expect(ownership)
    #expect(ownership.basis == .declared)
  }

  /// Contradictions, seen at main after show had done something.
  static let contradictions: [(EventDetail, OwnershipExample)] = [
    (
      .freedOnLoan,
      OwnershipExample(
        rule: "freed on loan", text: "main freed a BSTR that it had only borrowed from show.",
        code: "in", parties: "show, make, main")
    ),
    (
      .freedAfterHandOver,
      OwnershipExample(
        rule: "freed after hand-over", text: "main freed a BSTR that it had handed over before.",
        code: "in", parties: "-, make, main")
    ),
    (
      .overwritten,
      OwnershipExample(
        rule: "overwritten",
        text:
          "main passes a variable as [out] that still owns a BSTR: it will be overwritten and lost.",
        code: "out", parties: "main, make, -")
    ),
    (
      .leftByFailure,
      OwnershipExample(
        rule: "left by failure", text: "make failed and left a BSTR in its [out] argument.",
        code: "return", parties: "main, make, -")
    ),
    (
      .replaced,
      OwnershipExample(
        rule: "replaced",
        text: "main passed a BSTR as [in,out], and it was replaced without being freed.",
        code: "in-out", parties: "main, make, -")
    ),
    (
      .lost,
      OwnershipExample(
        rule: "lost",
        text:
          "main passed a variable that owned a BSTR by reference, and it holds another one now: as an [out] "
          + "argument it should have been freed before, as an [in,out] one by the function.",
        code: "out", parties: "main, make, -")
    ),
    (
      .notReplaced,
      OwnershipExample(
        rule: "not replaced", text: "show freed a BSTR that was [in,out] and stored no other.",
        code: "in-out", parties: "main, make, show")
    ),
  ]

  @Test(arguments: contradictions)
  func aContradictionHasAVerdict(detail: EventDetail, example: OwnershipExample) throws {
    var store = ConstructedStore()
    let event = store.add(
      .ownership, detail, allocated: Self.made, freed: "show:5 < main:21 < _start",
      detected: "main:22 < _start")
    let ownership = try store.evidence().declarations.ownership(ofFault: event)
    example.expect(ownership)
    #expect(ownership.basis == .declared)
  }

  @Test func aPartyWithoutStackIsSomebody() throws {
    for (detail, text) in [
      (.freedOnLoan, "Somebody freed a BSTR that it had only borrowed from somebody."),
      (.leftByFailure, "a function failed and left a BSTR in its [out] argument."),
      (.notReplaced, "somebody freed a BSTR that was [in,out] and stored no other."),
    ] as [(EventDetail, String)] {
      var store = ConstructedStore()
      let event = store.add(.ownership, detail, allocated: Self.made, freed: nil, detected: nil)
      #expect(try store.evidence().declarations.ownership(ofFault: event).message == text)
    }
  }

  @Test func anEventThatContradictsNothingHasNoVerdict() throws {
    var store = ConstructedStore()
    let event = store.add(
      .ownership, .stack, allocated: Self.made, freed: nil, detected: "main:22 < _start")
    #expect(try store.evidence().declarations.ownership(ofFault: event).decision == nil)
  }

  @Test(
    arguments: [
      ("main:20 < _start", "main:22 < _start", "in", "main, -, -"),
      (made, "main:22 < _start", "out", "main, make, -"),
      (made, "release:5 < main:22 < _start", nil, "main, -, release"),
    ] as [(String, String, String?, String)])
  func aWrongDeallocatorIsTheOwners(
    allocated: String, freed: String, rule: String?, parties: String
  ) throws {
    var store = ConstructedStore()
    let event = store.add(
      .wrongDeallocator, .free, allocated: allocated, freed: nil, detected: freed)
    let ownership = try store.evidence().inference.ownership(ofWrongRelease: event)
    #expect(ownership.rule?.rawValue == rule)
    #expect(ownership.evidence == (rule == nil ? nil : "the two stacks"))
    // The finding's own sentence says what was done.
    #expect(ownership.message == nil && ownership.uncertaintySentence == nil)
    let named = [ownership.owner, ownership.producer, ownership.consumer]
    #expect(named.map { $0?.name ?? "-" }.joined(separator: ", ") == parties)
  }
}
