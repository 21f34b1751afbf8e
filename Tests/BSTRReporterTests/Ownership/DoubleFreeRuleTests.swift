import Foundation
import Testing
import TraceStore

@testable import BSTRReporter

/// Each rule for double frees, by three stacks that it alone decides on.
@Suite struct DoubleFreeRuleTests {
  /// A string that was freed twice.
  struct DoubleFree: Sendable {
    var allocated: String
    var first: String
    var second: String
    /// The threads of the three stacks.
    var threads: [UInt32] = [1, 1, 1]
    /// A string that was freed once.
    var pair: (allocated: String, freed: String)?
  }

  static let unrelated: [(DoubleFree, OwnershipExample)] = [
    (
      DoubleFree(
        allocated: "main:20 < _start", first: "main:22 < _start", second: "f:3 < clone",
        threads: [1, 1, 2]),
      OwnershipExample(
        rule: "two-threads",
        text:
          "It was freed in two threads: which of them had been given it cannot be told from the stacks.",
        code: "freed-in-two-threads", parties: "-, -, -")
    ),
    (
      DoubleFree(
        allocated: "main:20 < _start", first: "f:3 < clone", second: "f:4 < clone",
        threads: [1, 2, 2]),
      OwnershipExample(
        rule: "other-thread",
        text:
          "Its owner is on another stack, that of the thread which allocated it: which of the two frees "
          + "was right cannot be told.",
        code: "allocated-in-other-thread", parties: "-, -, -")
    ),
    (
      DoubleFree(
        allocated: "make:3 < main:20 < _start", first: "? < main:20 < _start",
        second: "main:23 < _start"),
      OwnershipExample(
        rule: "nothing-in-common",
        text: "Which functions the three stacks have in common cannot be told.",
        code: "nothing-in-common", parties: "-, -, -")
    ),
    (
      DoubleFree(
        allocated: "make:3 < main:20 < _start", first: "main:22 < _start",
        second: "main:23 < _start"),
      OwnershipExample(
        rule: "repeated-result",
        text:
          "main freed twice what make had returned: whether that returned one string twice, or main freed "
          + "twice what it was given once, cannot be told.",
        code: "returned-or-freed-twice", parties: "-, make, -")
    ),
  ]

  static let differentOwners: [(DoubleFree, OwnershipExample)] = [
    (
      DoubleFree(
        allocated: "make:3 < load:10 < main:20 < _start",
        first: "show:5 < load:11 < main:20 < _start", second: "main:22 < _start"),
      OwnershipExample(
        rule: "borrowed-below",
        text:
          "show freed an argument that it had only borrowed from load; it was then freed again, by main.",
        code: "in", parties: "load, -, show", grounds: "the three stacks")
    ),
    (
      DoubleFree(
        allocated: "make:3 < load:10 < main:20 < _start",
        first: "flush():5 < load:11 < main:20 < _start", second: "main:22 < _start"),
      OwnershipExample(
        rule: "borrowed-below",
        text:
          "flush() takes no string: it freed one that had been kept since an earlier call. Whether that was "
          + "handed over, or only lent and not copied, cannot be told.",
        code: "kept-without-copy", parties: "load, -, flush()")
    ),
    (
      DoubleFree(
        allocated: "make:3 < main:20 < _start", first: "make:5 < main:20 < _start",
        second: "main:22 < _start"),
      OwnershipExample(
        rule: "freed-by-implementer",
        text: "make freed what it returned; main then freed it again.", code: "return",
        parties: "main, make, -", grounds: "the three stacks")
    ),
    (
      DoubleFree(
        allocated: "make:3 < main:20 < _start", first: "main:22 < _start",
        second: "make:5 < main:20 < _start"),
      OwnershipExample(
        rule: "freed-by-implementer",
        text: "main freed what make had returned, and make freed it too.", code: "return",
        parties: "main, make, -", grounds: "the three stacks")
    ),
    (
      DoubleFree(
        allocated: "make:3 < load:10 < main:20 < _start", first: "load:12 < main:20 < _start",
        second: "main:22 < _start"),
      OwnershipExample(
        rule: "two-owners",
        text:
          "load freed it, and main did: whether it had been returned, kept without a copy, or handed over "
          + "in between cannot be told.",
        code: "freed-by-two-owners", parties: "main, load, -")
    ),
  ]

  static let oneOwner: [(DoubleFree, OwnershipExample)] = [
    (
      DoubleFree(
        allocated: "Window::Window:3 < main:20 < _start",
        first: "Window::~Window:9 < main:25 < _start", second: "main:30 < _start"),
      OwnershipExample(
        rule: "freed-by-object",
        text:
          "The object that allocated it freed it in Window::~Window, and main freed it, too: whether the "
          + "object had given it away without a copy cannot be told.",
        code: "given-away-without-copy", parties: "main, -, Window::~Window")
    ),
    (
      DoubleFree(
        allocated: "main:20 < _start", first: "main:22 < _start", second: "main:23 < _start"),
      OwnershipExample(
        rule: "freed-by-owner",
        text:
          "Whether that is its mistake, or that of a function which it called, and which returned it the "
          + "string that it was given, cannot be told.",
        code: "owner-freed-twice", parties: "main, -, -")
    ),
    (
      DoubleFree(
        allocated: "Window::Window:3 < main:20 < _start",
        first: "Window::~Window:9 < close:8 < main:22 < _start", second: "main:25 < _start"),
      OwnershipExample(
        rule: "freed-by-object-below",
        text:
          "The object that allocated it freed it in Window::~Window, and close freed it, too: whether the "
          + "object had given it away without a copy cannot be told.",
        code: "given-away-without-copy", parties: "main, -, close")
    ),
    (
      DoubleFree(
        allocated: "main:20 < _start", first: "take:5 < main:22 < _start",
        second: "main:23 < _start", pair: ("main:30 < _start", "take:5 < main:31 < _start")),
      OwnershipExample(
        rule: "given-to-freeing-callee",
        text:
          "main gave its BSTR to take, which frees what it is given, as it did with another one; main then "
          + "freed it again.",
        code: "in", parties: "main, -, take", grounds: "the three stacks")
    ),
    (
      DoubleFree(
        allocated: "make:3 < main:20 < _start", first: "take:5 < main:22 < _start",
        second: "main:23 < _start", pair: ("main:30 < _start", "take:5 < main:31 < _start")),
      OwnershipExample(
        rule: "given-to-freeing-callee",
        text:
          "main gave it to take, which frees what it is given, and freed it again: whether make had "
          + "returned one string twice cannot be told.",
        code: "handed-over-result-freed", parties: "-, make, take")
    ),
    (
      DoubleFree(
        allocated: "main:20 < _start", first: "put(char16_t**):5 < main:22 < _start",
        second: "main:23 < _start"),
      OwnershipExample(
        rule: "freed-by-reference",
        text:
          "put(char16_t**) freed a BSTR that it was given by reference and stored no other; main then freed "
          + "it again.",
        code: "in-out", parties: "main, -, put(char16_t**)", grounds: "the three stacks")
    ),
    (
      DoubleFree(
        allocated: "main:20 < _start", first: "flush():5 < main:22 < _start",
        second: "main:23 < _start"),
      OwnershipExample(
        rule: "callee-without-argument",
        text:
          "flush() takes no string: it freed one that had been kept since an earlier call. Whether that was "
          + "handed over, or only lent and not copied, cannot be told.",
        code: "kept-without-copy", parties: "main, -, flush()")
    ),
    (
      DoubleFree(
        allocated: "main:20 < _start", first: "show:5 < main:22 < _start",
        second: "main:23 < _start"),
      OwnershipExample(
        rule: "argument-freed",
        text: "show freed an argument that it had only borrowed; main then freed it again.",
        code: "in", parties: "main, -, show", grounds: "the three stacks")
    ),
    (
      DoubleFree(
        allocated: "main:20 < _start", first: "main:22 < _start",
        second: "show:5 < main:23 < _start"),
      OwnershipExample(
        rule: "owner-then-callee",
        text:
          "main freed it and show freed it later: whether one had kept it without a copy, or the other "
          + "freed what it had given away, cannot be told.",
        code: "freed-by-owner-then-callee", parties: "main, -, show")
    ),
    (
      DoubleFree(
        allocated: "main:20 < _start", first: "show:5 < main:22 < _start",
        second: "show:5 < main:23 < _start"),
      OwnershipExample(
        rule: "two-callees",
        text:
          "main gave it to show twice, which freed it each time: whether it should have freed it at all "
          + "cannot be told.",
        code: "freed-twice-by-callee", parties: "main, -, show")
    ),
    (
      DoubleFree(
        allocated: "main:20 < _start", first: "show:5 < main:22 < _start",
        second: "show:6 < main:22 < _start"),
      OwnershipExample(
        rule: "two-callees",
        text:
          "main gave it to show, which freed it twice, in one call or in two: whether it should have freed "
          + "it at all cannot be told.",
        code: "freed-twice-by-callee", parties: "main, -, show")
    ),
    (
      DoubleFree(
        allocated: "main:20 < _start", first: "show:5 < main:22 < _start",
        second: "hide:6 < main:23 < _start"),
      OwnershipExample(
        rule: "two-callees",
        text:
          "main gave it to show and to hide, and both freed it: which of them had been handed it cannot be "
          + "told.",
        code: "freed-by-two-callees", parties: "main, -, -")
    ),
  ]

  static let examples = unrelated + differentOwners + oneOwner

  private func evidence(
    _ doubleFree: DoubleFree, _ detail: EventDetail = .none
  ) throws -> (EventRecord, OwnershipInference) {
    var store = ConstructedStore()
    if let pair = doubleFree.pair { store.add(allocated: pair.allocated, freed: pair.freed) }
    var event = store.add(
      .doubleFree, detail, allocated: doubleFree.allocated, freed: doubleFree.first,
      detected: doubleFree.second)
    event.allocatedThread = doubleFree.threads[0]
    event.freedThread = doubleFree.threads[1]
    event.detectedThread = doubleFree.threads[2]
    return (event, try store.evidence().inference)
  }

  @Test(arguments: examples)
  func theRuleDecides(doubleFree: DoubleFree, example: OwnershipExample) throws {
    let (event, inference) = try evidence(doubleFree)
    let found = try #require(DoubleFreeCase(event, inference))
    example.expect(DoubleFreeRule.decision(on: found))
    example.expect(inference.ownership(ofDoubleFree: event))
  }

  @Test func eachRuleHasAnExample() {
    let rules = DoubleFreeRule.all.map(\.name)
    #expect(Set(rules).count == rules.count)
    #expect(Set(Self.examples.map(\.1.rule)) == Set(rules))
  }

  @Test func anOwnerThatFreedTwiceIsAFact() throws {
    for (first, fact) in [
      ("main:22 < _start", "main freed its own BSTR twice."),
      (
        "CComBSTR::~CComBSTR:3 < main:22 < _start",
        "main freed its own BSTR twice: in CComBSTR::~CComBSTR, and then in main."
      ),
    ] {
      let (event, inference) = try evidence(
        DoubleFree(allocated: "main:20 < _start", first: first, second: "main:23 < _start"))
      let ownership = inference.ownership(ofDoubleFree: event)
      #expect(ownership.message == fact)
      #expect(ownership.uncertainty?.code == "owner-freed-twice" && ownership.rule == nil)
    }
  }

  @Test func anAddressThatWasReusedIsNotJudged() throws {
    let (event, inference) = try evidence(
      DoubleFree(
        allocated: "main:20 < _start", first: "main:22 < _start", second: "main:23 < _start"),
      .reused)
    #expect(inference.ownership(ofDoubleFree: event).decision == nil)
  }

  @Test func theDocumentListsTheRulesInOrder() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../../Docs/Ownership.md")
    let text = try String(contentsOf: file, encoding: .utf8)
    for (section, rules) in [
      ("### Rules for leaks", LeakRule.all.map(\.name)),
      ("### Rules for double frees", DoubleFreeRule.all.map(\.name)),
    ] {
      let start = try #require(text.firstRange(of: section)).upperBound
      let end = text[start...].firstRange(of: "\n##")?.lowerBound ?? text.endIndex
      let listed = text[start..<end].matches(of: /\n\| `([a-z-]+)` \|/).map { String($0.output.1) }
      #expect(listed == rules)
    }
  }

  /// What programs read: the codes of the examples are those of the format's description, and no
  /// others.
  @Test func theSchemaHasEachCode() throws {
    let schema = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../../Docs/report.schema.json")
    let document = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: schema)) as? [String: Any])
    var value: Any? = document
    for key in ["$defs", "finding", "properties", "doubtCode", "enum"] {
      value = (value as? [String: Any])?[key]
    }
    let codes = try #require(value as? [Any]).compactMap { $0 as? String }
    let rules: Set = ["in", "out", "return", "in-out"]
    let shown = (LeakRuleTests.examples.map(\.1.code) + Self.examples.map(\.1.code))
      .filter { !rules.contains($0) }
    let fates = [Uncertainty.processCutShort, .freeUnwatched].map(\.code)
    #expect(Set(shown + fates) == Set(codes))
    #expect(codes.allSatisfy { $0.wholeMatch(of: /[a-z]+(-[a-z]+)*/) != nil })
  }
}
