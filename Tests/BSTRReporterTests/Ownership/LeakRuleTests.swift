import Testing
import TraceStore

@testable import BSTRReporter

/// Each rule for leaks, by strings that it alone decides on.
@Suite struct LeakRuleTests {
  typealias Pair = (allocated: String, freed: String, count: Int, crossedThreads: Bool)

  /// A leaked string, and the strings of its process that were freed.
  struct Leak: Sendable {
    var stack: String
    var pairs: [Pair] = []
    var moreFrees = 0
  }

  private static func pair(
    _ allocated: String, _ freed: String, _ count: Int = 1, crossedThreads: Bool = false
  ) -> Pair {
    (allocated, freed, count, crossedThreads)
  }

  static let withSiblings: [(Leak, OwnershipExample)] = [
    (
      Leak(
        stack: "make:3 < main:20 < _start",
        pairs: [pair("make:3 < main:20 < _start", "worker:5 < clone", crossedThreads: true)]),
      OwnershipExample(
        rule: "other-thread",
        text:
          "Its siblings were freed on another stack, that of another thread: they were passed on, and this "
          + "one got lost on the way.",
        code: "siblings-freed-in-other-thread", parties: "-, -, -")
    ),
    (
      Leak(
        stack: "make:3 < f:10 < main:20 < _start",
        pairs: [
          pair("make:3 < f:10 < main:20 < _start", "f:11 < main:20 < _start"),
          pair("make:3 < f:10 < main:20 < _start", "main:22 < _start"),
        ]),
      OwnershipExample(
        rule: "different-levels",
        text:
          "Its siblings were freed at different levels: who was to free this one cannot be told.",
        code: "siblings-freed-at-different-levels", parties: "-, -, -")
    ),
    (
      Leak(
        stack: "set:3 < main:20 < _start",
        pairs: [pair("set:3 < main:20 < _start", "set:4 < main:21 < _start")]),
      OwnershipExample(
        rule: "kept-until-next-call",
        text:
          "set frees in one call what an earlier call of it had made: the last one was to be freed by "
          + "whoever ends what it is stored in.",
        code: "kept-until-next-call", parties: "-, -, -")
    ),
    (
      Leak(
        stack: "set:5 < f:9 < main:20 < _start",
        pairs: [pair("set:5 < f:9 < main:20 < _start", "set:4 < f:9 < main:20 < _start")]),
      OwnershipExample(
        rule: "kept-until-next-call",
        text:
          "set frees an earlier string when it makes the next one, in line 4: the last one was to be freed "
          + "by whoever ends what it is stored in.",
        code: "kept-until-next-call", parties: "-, -, -")
    ),
    (
      Leak(
        stack: "Box::set:4 < f:9 < main:20 < _start",
        pairs: [pair("Box::set:4 < f:9 < main:20 < _start", "Box::set:6 < f:9 < main:20 < _start")]),
      OwnershipExample(
        rule: "kept-until-next-call",
        text:
          "Box::set freed its siblings: whether each call freed the string that it had got or made, or "
          + "that of the call before, which it had kept, cannot be told.",
        code: "possibly-kept-until-next-call", parties: "-, -, -")
    ),
    (
      Leak(
        stack: "make:3 < main:20 < _start",
        pairs: [pair("make:3 < main:20 < _start", "release:7 < main:22 < _start")]),
      OwnershipExample(
        rule: "freed-by-callee",
        text:
          "main usually hands such strings to release, which frees them; which of the two missed this one "
          + "cannot be told.",
        code: "handed-to-consumer", parties: "main, -, release")
    ),
    (
      Leak(
        stack: "make:3 < other:40 < main:30 < _start",
        pairs: [
          pair("make:3 < user:10 < main:20 < _start", "release:7 < user:11 < main:20 < _start")
        ]),
      OwnershipExample(
        rule: "freed-by-callee",
        text:
          "Others that get such strings hand them to release, which frees them; whether other was to do "
          + "so, too, cannot be told.",
        code: "others-hand-to-consumer", parties: "other, -, release")
    ),
    (
      Leak(
        stack: "make:3 < main:20 < _start",
        pairs: [
          pair("make:3 < main:20 < _start", "main:21 < _start"),
          pair("make:3 < main:20 < _start", "release:7 < main:22 < _start"),
        ]),
      OwnershipExample(
        rule: "freed-by-owner-and-callees",
        text:
          "Its siblings were freed by main and by what it calls: who was to free this one cannot be told.",
        code: "freed-by-owner-and-callees", parties: "main, -, -")
    ),
    (
      Leak(
        stack: "make:3 < other:40 < main:30 < _start",
        pairs: [
          pair("make:3 < user:10 < main:20 < _start", "user:11 < main:20 < _start"),
          pair("make:3 < user:10 < main:20 < _start", "release:7 < user:12 < main:20 < _start"),
        ]),
      OwnershipExample(
        rule: "freed-by-owner-and-callees",
        text:
          "Its siblings were freed by who received them, as user did, and by what such functions call, as "
          + "release: who was to free this one cannot be told.",
        code: "freed-by-owners-and-callees", parties: "other, -, -")
    ),
    (
      Leak(
        stack: "Window::fill:3 < main:20 < _start",
        pairs: [
          pair("Window::fill:3 < main:20 < _start", "Window::~Window:9 < main:25 < _start")
        ]),
      OwnershipExample(
        rule: "owned-by-object",
        text:
          "It belongs to an object, as Window::~Window shows: either that was not ended, or it lost the "
          + "string.",
        code: "owned-by-object", parties: "-, -, -")
    ),
    (
      Leak(
        stack: "make:3#2 < main:20 < _start",
        pairs: [pair("make:3#1 < main:20 < _start", "main:22 < _start")]),
      OwnershipExample(
        rule: "other-call",
        text:
          "Those that were freed had been allocated by another call in make: whether that returned this "
          + "one, or forgot it, cannot be told.",
        code: "draft-or-result", parties: "-, make, -")
    ),
    (
      Leak(stack: "main:20#2 < _start", pairs: [pair("main:20#1 < _start", "main:22 < _start")]),
      OwnershipExample(
        rule: "other-call",
        text:
          "Those that were freed had been allocated by another call in main: whether this one was "
          + "forgotten by it, or by what is inlined into it, cannot be told.",
        code: "allocated-by-other-call", parties: "-, -, -")
    ),
    (
      Leak(
        stack: "make:3 < f:10 < main:20 < _start",
        pairs: [
          pair("make:3 < f:10 < main:20 < _start", "f:11 < main:20 < _start", 3),
          pair("make:3 < f:10 < main:20 < _start", "main:25 < _start"),
        ]),
      OwnershipExample(
        rule: "passed-on",
        text:
          "Most of its siblings were freed while f ran, and 1 later or in another thread, as by main: "
          + "whether this one, too, was kept or passed on cannot be told.",
        code: "siblings-passed-on", parties: "-, -, -")
    ),
    (
      Leak(stack: "main:20 < _start", pairs: [pair("main:20 < _start", "main:22 < _start")]),
      OwnershipExample(
        rule: "siblings-agree", text: "main allocated a BSTR and did not free it.", code: "in",
        parties: "main, -, -", grounds: "1 sibling")
    ),
    (
      Leak(
        stack: "make:3 < main:20 < _start",
        pairs: [
          pair("make:3 < main:20 < _start", "main:22 < _start", 3),
          pair("make:3 < main:20 < _start", "make:5 < main:20 < _start"),
        ]),
      OwnershipExample(
        rule: "siblings-agree", text: "Nobody freed what make returned; main owned it.",
        code: "out",
        parties: "main, make, -", grounds: "3 of 4 siblings")
    ),
    (
      Leak(
        stack: "make:3 < other:40 < main:30 < _start",
        pairs: [pair("make:3 < user:10 < main:20 < _start", "user:11 < main:20 < _start", 2)]),
      OwnershipExample(
        rule: "siblings-agree",
        text:
          "Nobody freed what make returned; other received it, and was to free it or to return it.",
        code: "out", parties: "other, make, -", grounds: "2 siblings")
    ),
  ]

  static let withoutSiblings: [(Leak, OwnershipExample)] = [
    (
      Leak(
        stack: "make:3 < helper:5 < main:20 < _start",
        pairs: [pair("make:3 < load:9 < main:21 < _start", "main:25 < _start")]),
      OwnershipExample(
        rule: "siblings-of-other-calls",
        text:
          "Others from this line were freed, which other calls had made: who was to free this one cannot "
          + "be told.",
        code: "siblings-of-other-calls", parties: "-, -, -")
    ),
    (
      Leak(
        stack: "make:4 < main:20 < _start",
        pairs: [pair("make:3 < main:20 < _start", "main:22 < _start")]),
      OwnershipExample(
        rule: "siblings-of-other-lines",
        text:
          "Other strings of make were freed, and never one from this line: who was to free it cannot be "
          + "told.",
        code: "siblings-of-other-lines", parties: "-, -, -")
    ),
    (
      Leak(stack: "get(char16_t**):3 < Box::Box:9 < main:20 < _start"),
      OwnershipExample(
        rule: "kept-in-object",
        text: "Box::Box keeps it in an object: whoever was to end that is not on this stack.",
        code: "kept-in-object", parties: "-, -, -")
    ),
    (
      Leak(stack: "get(char16_t**):3 < main:20 < _start"),
      OwnershipExample(
        rule: "returned-by-type",
        text: "Nobody freed what get(char16_t**) returned; main owned it.", code: "out",
        parties: "main, get(char16_t**), -", grounds: "the parameter's type")
    ),
    (
      Leak(stack: "Names::Next(unsigned int, char16_t**, unsigned int*):3 < main:20 < _start"),
      OwnershipExample(
        rule: "returned-by-type",
        text:
          "Nobody freed what Names::Next(unsigned int, char16_t**, unsigned int*) returned; main owned it.",
        code: "out", parties: "main, Names::Next(unsigned int, char16_t**, unsigned int*), -",
        grounds: "the parameter's type")
    ),
    (
      Leak(stack: "SafeArrayGetElement:3 < use:9 < main:20 < _start"),
      OwnershipExample(
        rule: "returned-by-type",
        text:
          "Nobody freed what SafeArrayGetElement returned; use received it, and was to free it or to return "
          + "it.",
        code: "out", parties: "use, SafeArrayGetElement, -", grounds: "the function's name")
    ),
    (
      Leak(stack: "main:20 < _start"),
      OwnershipExample(
        rule: "no-caller", text: "main allocated a BSTR and did not free it.", code: "in",
        parties: "main, -, -", grounds: "its having no caller")
    ),
    (
      Leak(
        stack: "make:4 < f:10 < main:20 < _start",
        pairs: [pair("inner:2 < make:7 < main:20 < _start", "main:22 < _start")]),
      OwnershipExample(
        rule: "siblings-of-other-paths",
        text:
          "Other strings that came through make were freed, and never one from this line: who was to free "
          + "it cannot be told.",
        code: "siblings-of-other-paths", parties: "-, -, -")
    ),
    (
      Leak(stack: "make:3 < main:20 < _start", moreFrees: 1),
      OwnershipExample(
        rule: "frees-not-recorded",
        text:
          "Where strings were freed was not recorded: whether make was to free this one or to return it "
          + "cannot be told.",
        code: "frees-not-recorded", parties: "-, -, -")
    ),
    (
      Leak(stack: "make:3 < main:20 < _start"),
      OwnershipExample(
        rule: "never-freed",
        text:
          "No string of make was ever freed: whether it was to free them or to return them cannot be told.",
        code: "never-freed", parties: "-, -, -")
    ),
  ]

  static let examples = withSiblings + withoutSiblings

  @Test(arguments: examples)
  func theRuleDecides(leak: Leak, example: OwnershipExample) throws {
    var store = ConstructedStore()
    for pair in leak.pairs {
      store.add(
        allocated: pair.allocated, freed: pair.freed, count: pair.count,
        crossedThreads: pair.crossedThreads)
    }
    store.moreFrees = leak.moreFrees
    let stack = store.stack(leak.stack)
    let leaked = OwnershipInference.Leaked(stacks: [stack], live: 1, allocationsAfterFirst: 0)
    let inference = try store.evidence().inference
    let found = try #require(LeakCase(leaked, inference))
    example.expect(LeakRule.decision(on: found))
    example.expect(inference.ownership(of: leaked))
  }

  /// What a function receives by its type that returns strings, too, it may have passed on.
  @Test(arguments: [
    ("get(char16_t**):3 < main:20 < _start", "main"),
    ("get(char16_t**):3 < Box::text(char16_t**):9 < main:20 < _start", "main"),
    ("Box::get(int, VARIANT*):3 < Box::text(char16_t**):9 < main:20 < _start", "main"),
    ("get(char16_t**):3 < Box::get(int, VARIANT*):9 < main:20 < _start", nil),
    ("Box::get(int, VARIANT*):3 < Outer::get(int, VARIANT*):9 < main:20 < _start", nil),
    ("get(char16_t**):3 < Box::put(int, VARIANT*):9 < main:20 < _start", "Box::put(int, VARIANT*)"),
    ("Box::put(int, VARIANT*):3 < main:20 < _start", nil),
  ])
  func aReceiverThatReturnsStringsIsNotToBlame(stack: String, owner: String?) throws {
    var store = ConstructedStore()
    let leaked = OwnershipInference.Leaked(
      stacks: [store.stack(stack)], live: 1, allocationsAfterFirst: 0)
    let ownership = try store.evidence().inference.ownership(of: leaked)
    #expect(ownership.owner?.name == owner)
    #expect((ownership.grounds == .parameterType) == (owner != nil))
    #expect((ownership.uncertainty?.code == "never-freed") == (owner == nil))
  }

  @Test func eachRuleHasAnExample() {
    let rules = LeakRule.all.map(\.name)
    #expect(Set(rules).count == rules.count)
    #expect(Set(Self.examples.map(\.1.rule)) == Set(rules))
  }

  /// A function that keeps nothing is to blame, where later allocations show that the string is not
  /// the latest.
  @Test func whatIsNotTheLatestIsNotKept() throws {
    var store = ConstructedStore()
    let made = "set:4 < f:9 < main:20 < _start"
    store.add(allocated: made, freed: "set:6 < f:9 < main:20 < _start", count: 5)
    store.moreAllocations = 1
    let inference = try store.evidence().inference
    for (later, rule) in [(UInt64(0), "kept-until-next-call"), (5, "siblings-agree")] {
      let leaked = OwnershipInference.Leaked(
        stacks: [store.stack(made)], live: 1, allocationsAfterFirst: later)
      let found = try #require(LeakCase(leaked, inference))
      #expect(LeakRule.decision(on: found)?.rule == rule)
    }
  }

  @Test func aStackWithoutFramesIsNotJudged() throws {
    let leaked = OwnershipInference.Leaked(
      stacks: [.none], live: 1, allocationsAfterFirst: 0)
    let ownership = try ConstructedStore().evidence().inference.ownership(of: leaked)
    #expect(ownership.decision == nil && ownership.siblings == nil)
  }

  @Test func aProcessThatWasCutShortIsNotJudged() {
    #expect(LeakWording.Fate.left.uncertainty == nil)
    for fate in [LeakWording.Fate.killed, .unseen] {
      #expect(
        Ownership(fate.uncertainty.map { .uncertain($0) }).uncertaintySentence
          == "That it was live then is no proof of a leak: whether it would have been freed cannot be told."
      )
    }
    #expect(
      Ownership(LeakWording.Fate.unwatched.uncertainty.map { .uncertain($0) }).uncertaintySentence
        == "Calls of free are not seen in this process: whether it was freed by one cannot be told."
    )
  }
}
