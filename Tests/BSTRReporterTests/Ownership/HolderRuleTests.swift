import Testing
import TraceStore

@testable import BSTRReporter

/// Each rule by what holds strings, and what it does not decide.
@Suite struct HolderRuleTests {
  private static let variable = HolderChain(
    steps: [Holder(place: .data, symbol: "g_cache")], isWeak: false)
  private static let throughObject = HolderChain(
    steps: [
      Holder(place: .data, symbol: "g_cache"), Holder(place: .heap, type: "Cache", bytes: 24),
    ],
    isWeak: false)
  private static let threadLocal = HolderChain(
    steps: [Holder(place: .threadLocal, symbol: "t_last", thread: 7)], isWeak: false)
  private static let object = HolderChain(
    steps: [Holder(place: .heap, type: "Cache", bytes: 24)], isWeak: false)
  private static let block = HolderChain(steps: [Holder(place: .heap, bytes: 24)], isWeak: false)
  private static let weak = HolderChain(
    steps: [Holder(place: .data, symbol: "g_cache"), Holder(place: .heap, bytes: 24)], isWeak: true)
  private static let inside = HolderChain(
    steps: [Holder(place: .data, certainty: .interior, symbol: "g_cache")], isWeak: false)
  private static let stack = HolderChain(
    steps: [Holder(place: .stack, function: "main")], isWeak: true)

  /// What holds the strings of a leak that stacks leave open.
  struct Held: Sendable {
    var strings: [[HolderChain]]
    /// The count of the finding's strings.
    var count = 1
    var isWhole = true
    /// The strings of the process that were freed.
    var pairs: [LeakRuleTests.Pair] = []
  }

  private static let stackText = "make:3 < use:10 < main:20 < _start"

  private static let kept =
    "g_cache still held what make allocated, and nobody freed it."

  static let examples: [(Held, OwnershipExample)] = [
    (
      Held(strings: [[variable]]),
      OwnershipExample(
        rule: "kept-by-variable", text: kept, code: "held", parties: "-, -, -",
        grounds: "the search for holders")
    ),
    (
      // By two ways from one variable; what holds one of them besides does not matter.
      Held(strings: [[throughObject, object], [variable], [weak, variable]], count: 4000),
      OwnershipExample(
        rule: "kept-by-variable", text: kept, code: "held", parties: "-, -, -",
        grounds: "the search for holders of a few of them")
    ),
    (
      Held(strings: [[threadLocal]]),
      OwnershipExample(
        rule: "kept-by-variable",
        text: "t_last still held what make allocated, and nobody freed it.",
        code: "held", parties: "-, -, -", grounds: "the search for holders")
    ),
    (
      Held(
        strings: [[variable]],
        pairs: [("make:4 < use:11 < main:20 < _start", "use:12 < main:20 < _start", 1, false)]),
      OwnershipExample(
        rule: "kept-by-variable", text: kept, code: "held", parties: "-, -, -",
        grounds: "the search for holders")
    ),
    (
      Held(strings: [[object], [object]], count: 2),
      OwnershipExample(
        rule: "kept-by-object",
        text: "An object of Cache still held what make allocated, and nobody freed it.",
        code: "held", parties: "-, -, -", grounds: "the search for holders")
    ),
    (
      Held(strings: [[], []], count: 2),
      OwnershipExample(
        rule: "kept-by-nobody",
        text: "Nobody freed what make allocated, and nothing was found that still referred to it.",
        code: "held", parties: "-, -, -", grounds: "the search for holders")
    ),
  ]

  /// Returns the case, and the reason why stacks leave it open; `nil` where they do not.
  private static func leak(_ held: Held) throws -> (leak: LeakCase, reason: Uncertainty?) {
    var store = ConstructedStore()
    for pair in held.pairs {
      store.add(
        allocated: pair.allocated, freed: pair.freed, count: pair.count,
        crossedThreads: pair.crossedThreads)
    }
    var leaked = OwnershipInference.Leaked(
      stacks: [store.stack(stackText)], live: held.count, allocationsAfterFirst: 0)
    var holders = Holders()
    for string in held.strings { holders.add(string) }
    holders.isWhole = held.isWhole
    (leaked.count, leaked.holders) = (held.count, holders)
    let leak = try #require(LeakCase(leaked, try store.evidence().inference))
    return (leak, Ownership(LeakRule.decision(on: leak)?.decision).uncertainty)
  }

  @Test(arguments: examples)
  func theRuleDecides(held: Held, example: OwnershipExample) throws {
    let (leak, reason) = try Self.leak(held)
    example.expect(HolderRule.decision(on: leak, open: try #require(reason)))
    example.expect(leak.inference.ownership(of: leak.leaked))
  }

  @Test func eachRuleHasAnExample() {
    let rules = HolderRule.all.map(\.name)
    #expect(Set(rules).count == rules.count)
    #expect(Set(Self.examples.map(\.1.rule)) == Set(rules))
  }

  @Test(arguments: [
    // One of them is held elsewhere, or by nobody.
    Held(strings: [[variable], [threadLocal]]), Held(strings: [[variable], []]),
    Held(strings: [[variable], [object]]),
    // By a word that may be out of use, by which it cannot be freed, or in a block of any kind.
    Held(strings: [[weak]]), Held(strings: [[stack]]), Held(strings: [[inside]]),
    Held(strings: [[block]]),
    // Not all memory was looked at.
    Held(strings: [[]], isWhole: false),
    // Nothing was looked for.
    Held(strings: []),
    // Two variables of one name: statics of two functions.
    Held(
      strings: [UInt64(0x10), 0x20].map {
        let cache = Holder(place: .data, symbol: "cache", symbolAddress: $0)
        return [HolderChain(steps: [cache], isWeak: false)]
      }),
    // Another line's strings were freed: who lost this one may have been passed it.
    Held(
      strings: [[]],
      pairs: [("make:4 < use:11 < main:20 < _start", "use:12 < main:20 < _start", 1, false)]),
  ])
  func theReasonOfTheStacksStands(held: Held) throws {
    let (leak, reason) = try Self.leak(held)
    #expect(HolderRule.decision(on: leak, open: try #require(reason)) == nil)
    #expect(leak.inference.ownership(of: leak.leaked).uncertainty == reason)
  }

  /// Where frees are not recorded, others of the function may have been freed.
  @Test func whatWasFreedUnseenIsNotForgotten() throws {
    let (leak, _) = try Self.leak(Held(strings: [[]]))
    let receiver = leak.frame(leak.allocator)
    #expect(HolderRule.decision(on: leak, open: .neverFreed(receiver: receiver)) != nil)
    #expect(HolderRule.decision(on: leak, open: .freesNotRecorded(receiver: receiver)) == nil)
  }

  /// Siblings that were freed in the call that got them decide, or leave open who of two missed one.
  @Test(
    arguments: [
      (freed: "use:11 < main:20 < _start", rule: "out", doubt: nil),
      (freed: "drop:5 < use:11 < main:20 < _start", rule: nil, doubt: "handed-to-consumer"),
    ] as [(freed: String, rule: String?, doubt: String?)])
  func whatStacksSayIsNotContradicted(freed: String, rule: String?, doubt: String?) throws {
    for strings in [[[Self.variable]], [[Self.object]], [[]]] {
      let (leak, _) = try Self.leak(
        Held(strings: strings, pairs: [(Self.stackText, freed, 9, false)]))
      let ownership = leak.inference.ownership(of: leak.leaked)
      #expect(ownership.rule?.rawValue == rule && ownership.uncertainty?.code == doubt)
      #expect(ownership.basis != .held)
    }
  }
}
