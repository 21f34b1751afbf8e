import Testing
import TraceStore

@testable import BSTRReporter

/// What is said of who owned a string: each verdict and each uncertainty, from the fewest stacks that it takes.
@Suite struct OwnershipTests {
  /// Traffic, and what is to be said of the one finding in it.
  struct Case: CustomTestStringConvertible, Sendable {
    var name: String
    var kind: Finding.Kind
    var rule: Ownership.Rule?
    var basis: Ownership.Basis?
    var evidence: String?
    var owner: String?
    var producer: String?
    var consumer: String?
    /// A part of the finding's message.
    var message: String?
    /// A part of the uncertainty; `nil` where there is none.
    var doubt: String?
    var traffic: @Sendable (Traffic) -> Void

    var testDescription: String { name }
  }

  private static func leak(
    _ name: String, rule: Ownership.Rule? = nil, evidence: String? = nil, owner: String? = nil,
    producer: String? = nil, consumer: String? = nil, message: String? = nil, doubt: String? = nil,
    _ traffic: @escaping @Sendable (Traffic) -> Void
  ) -> Case {
    Case(
      name: name, kind: .leak, rule: rule, basis: rule == nil ? nil : .inferred,
      evidence: evidence, owner: owner, producer: producer, consumer: consumer, message: message,
      doubt: doubt, traffic: traffic)
  }

  private static func doubleFree(
    _ name: String, _ allocated: String, _ freed: String, _ again: String,
    threads: [UInt32] = [1, 1, 1], rule: Ownership.Rule? = nil, owner: String? = nil,
    producer: String? = nil, consumer: String? = nil, message: String? = nil, doubt: String? = nil,
    _ more: @escaping @Sendable (Traffic) -> Void = { _ in }
  ) -> Case {
    Case(
      name: name, kind: .doubleFree, rule: rule, basis: rule == nil ? nil : .inferred,
      evidence: rule == nil ? nil : "the three stacks", owner: owner, producer: producer,
      consumer: consumer, message: message, doubt: doubt
    ) {
      more($0)
      $0.fault(.doubleFree, allocated: allocated, freed: freed, detected: again, threads: threads)
    }
  }

  // MARK: leaks

  // The leaked string is the first, where nothing else is meant: one that may be the latest may be kept.
  static let leaks: [Case] = [
    leak(
      "who allocates and frees has to free", rule: .in, evidence: "9 siblings", owner: "work(int)",
      message: "work(int) allocated a BSTR and did not free it."
    ) {
      $0.leaked("main:10 > work(int):5")
      $0.freed(9, "main:10 > work(int):5", by: "main:10 > work(int):8")
    },
    leak(
      "who receives and frees has to free", rule: .out, evidence: "9 siblings", owner: "show()",
      producer: "get(char16_t**)",
      message: "Nobody freed what get(char16_t**) returned; show() owned it."
    ) {
      $0.leaked("main:10 > show():5 > get(char16_t**):3")
      $0.freed(9, "main:10 > show():5 > get(char16_t**):3", by: "main:10 > show():8")
    },
    leak(
      "a majority of siblings is enough", rule: .out, evidence: "8 of 9 siblings",
      owner: "show()", producer: "get()", message: "Nobody freed what get() returned"
    ) {
      $0.leaked("main:10 > show():5 > get():3")
      $0.freed(8, "main:10 > show():5 > get():3", by: "main:10 > show():8")
      $0.freed(1, "main:10 > show():5 > get():3", by: "main:10 > show():5 > get():6")
    },
    leak(
      "a receiver whose siblings went to others", rule: .out, evidence: "9 siblings",
      owner: "show()", producer: "get()",
      message:
        "Nobody freed what get() returned; show() received it, and was to free it or to return it."
    ) {
      $0.leaked("main:12 > show():6 > get():3")
      $0.freed(9, "main:10 > other():5 > get():3", by: "main:10 > other():8")
    },
    leak(
      "a type says who returns", rule: .out, evidence: "the parameter's type", owner: "show()",
      producer: "get(char16_t**)", message: "Nobody freed what get(char16_t**) returned"
    ) { $0.leaked("main:10 > show():5 > get(char16_t**):3") },
    leak(
      "who has no caller has to free", rule: .in, evidence: "its having no caller", owner: "main",
      message: "main allocated a BSTR and did not free it."
    ) { $0.leaked("main:10") },
    leak(
      "a helper frees for its callers", rule: .in, evidence: "9 siblings", owner: "work(int)",
      message: "work(int) allocated"
    ) {
      $0.leaked("main:10 > work(int):5")
      $0.freed(9, "main:10 > work(int):5", by: "main:10 > work(int):8 > release(char16_t*):2")
      for caller in ["a()", "b()"] {
        $0.freed(1, "main:11 > \(caller):1", by: "main:11 > \(caller):2 > release(char16_t*):2")
      }
    },
    leak(
      "siblings of another way up", doubt: "Others from this line were freed, which other calls"
    ) {
      $0.leaked("main:11 > b():6 > make():3")
      $0.freed(9, "main:10 > a():5 > make():3", by: "main:12")
    },
    leak(
      "siblings of another line",
      doubt: "Other strings of make() were freed, and never one from this"
    ) {
      $0.leaked("main:11 > make():4")
      $0.freed(9, "main:10 > make():3", by: "main:12")
    },
    leak("siblings that crossed threads", doubt: "another thread: they were passed on") {
      $0.leaked("main:10 > work(int):5")
      $0.freed(9, "main:10 > work(int):5", by: "run():3", inAnotherThread: true)
    },
    leak("siblings of several heights", doubt: "freed at different levels") {
      $0.leaked("main:10 > show():5 > get():3")
      $0.freed(5, "main:10 > show():5 > get():3", by: "main:10 > show():8")
      $0.freed(4, "main:10 > show():5 > get():3", by: "main:10 > show():5 > get():6")
    },
    leak("one call frees what another made", doubt: "set() frees in one call what an earlier call")
    {
      $0.leaked("main:10 > set():5")
      $0.freed(9, "main:10 > set():5", by: "main:11 > set():4")
    },
    leak("one call frees before it makes", doubt: "makes the next one, in line 4:") {
      $0.leaked("main:10 > Box::set():5")
      $0.freed(9, "main:10 > Box::set():5", by: "main:10 > Box::set():4")
    },
    leak("a member may keep what it makes", doubt: "or that of the call before, which it had kept")
    {
      $0.leaked("main:10 > Box::set():5")
      $0.freed(9, "main:10 > Box::set():5", by: "main:10 > Box::set():6")
    },
    leak("the latest may be kept", doubt: "or that of the call before, which it had kept") {
      $0.freed(9, "main:10 > work(int):5", by: "main:10 > work(int):8")
      $0.leaked("main:10 > work(int):5")
    },
    leak(
      "an owner that hands on", owner: "work(int)", consumer: "take(char16_t*)",
      doubt: "work(int) usually hands such strings to take(char16_t*)"
    ) {
      $0.leaked("main:10 > work(int):5")
      $0.freed(9, "main:10 > work(int):5", by: "main:10 > work(int):8 > take(char16_t*):2")
    },
    leak(
      "others that hand on", owner: "b()", consumer: "take(char16_t*)",
      doubt: "Others that get such strings hand them to take(char16_t*)"
    ) {
      $0.leaked("main:12 > b():6 > get():3")
      $0.freed(9, "main:10 > a():5 > get():3", by: "main:10 > a():7 > take(char16_t*):2")
    },
    leak(
      "an owner that hands on now and then", owner: "work(int)",
      doubt: "freed by work(int) and by what it calls"
    ) {
      $0.leaked("main:10 > work(int):5")
      $0.freed(5, "main:10 > work(int):5", by: "main:10 > work(int):8")
      $0.freed(4, "main:10 > work(int):5", by: "main:10 > work(int):9 > take(char16_t*):2")
    },
    leak(
      "others that hand on now and then", owner: "c()",
      doubt: "as a() did, and by what such functions call, as take(char16_t*)"
    ) {
      $0.leaked("main:14 > c():7 > get():3")
      $0.freed(5, "main:10 > a():5 > get():3", by: "main:10 > a():8")
      $0.freed(4, "main:12 > b():6 > get():3", by: "main:12 > b():9 > take(char16_t*):2")
    },
    leak("an object's destructor", doubt: "It belongs to an object, as Window::~Window() shows") {
      $0.leaked("main:10 > Window::open(int):5")
      $0.freed(9, "main:10 > Window::open(int):5", by: "main:12 > Window::~Window():3")
    },
    leak(
      "another call below the owner", producer: "impl()",
      doubt: "whether that returned this one, or forgot it"
    ) {
      $0.leaked("main:10 > show():5 > impl():3#2")
      $0.freed(9, "main:10 > show():5 > impl():3", by: "main:10 > show():8")
    },
    leak("another call of the owner", doubt: "or by what is inlined into it") {
      $0.leaked("main:10 > work(int):5#2")
      $0.freed(9, "main:10 > work(int):5", by: "main:10 > work(int):8")
    },
    leak("some of them are kept", doubt: "and 1 later or in another thread, as by main") {
      $0.leaked("main:10 > show():5 > get():3")
      $0.freed(9, "main:10 > show():5 > get():3", by: "main:10 > show():8")
      $0.freed(1, "main:10 > show():5 > get():3", by: "main:12")
    },
    leak("a constructor keeps it", doubt: "Box::Box() keeps it in an object") {
      $0.leaked("main:10 > Box::Box():5 > get(char16_t**):3")
    },
    leak("others came through it", doubt: "Other strings that came through show() were freed") {
      $0.leaked("main:10 > show():6")
      $0.freed(9, "main:10 > show():5 > make():2", by: "main:10 > show():8")
    },
    leak("frees were not recorded", doubt: "Where strings were freed was not recorded") {
      $0.leaked("main:10 > work(int):5")
      $0.freedUnseen(9)
    },
    leak("nothing was ever freed", doubt: "No string of work(int) was ever freed") {
      $0.leaked("main:10 > work(int):5")
    },
  ]

  // MARK: double frees

  private static let getter = "get(char16_t**)"
  private static let taker = "take(char16_t*)"

  static let doubleFrees: [Case] = [
    doubleFree(
      "in two threads", "main:10", "main:11", "main:12", threads: [1, 1, 2],
      doubt: "It was freed in two threads"),
    doubleFree(
      "in another thread", "main:10", "run():2", "run():3", threads: [1, 2, 2],
      doubt: "Its owner is on another stack"),
    doubleFree(
      "without a common function", "main:10", "run():2", "run():3",
      doubt: "Which functions the three stacks have in common"),
    doubleFree(
      "by the receiver, twice", "main:10 > show():5 > get():3", "main:10 > show():7",
      "main:10 > show():8", producer: "get()",
      doubt: "show() freed twice what get() had returned: whether that returned one string twice"),
    doubleFree(
      "by a callee's callee, then above", "main:10 > keep():5", "main:10 > keep():6 > \(taker):2",
      "main:12", rule: .in, owner: "keep()", consumer: taker,
      message:
        "\(taker) freed an argument that it had only borrowed from keep(); it was then freed "
        + "again, by main."),
    doubleFree(
      "by a callee's callee that takes nothing", "main:10 > keep():5",
      "main:10 > keep():6 > flush():2", "main:12", owner: "keep()", consumer: "flush()",
      doubt: "flush() takes no string: it freed one that had been kept"),
    doubleFree(
      "above, then by a callee's callee", "main:10 > keep():5", "main:12",
      "main:10 > keep():6 > \(taker):2", owner: "main", producer: "keep()",
      doubt: "main freed it, and \(taker) did: whether it had been returned, kept"),
    doubleFree(
      "by the implementer, then the receiver", "main:10 > get():5", "main:10 > get():7", "main:12",
      rule: .return, owner: "main", producer: "get()",
      message: "get() freed what it returned; main then freed it again."),
    doubleFree(
      "by the receiver, then the implementer", "main:10 > get():5", "main:12", "main:10 > get():7",
      rule: .return, owner: "main", producer: "get()",
      message: "main freed what get() had returned, and get() freed it too."),
    doubleFree(
      "by the owner, twice", "main:10", "main:11", "main:12", owner: "main",
      message: "main freed its own BSTR twice.", doubt: "Whether it freed one string twice, or a"),
    doubleFree(
      "by the owner in two wrappers", "main:10", "main:11 > VariantClear:1",
      "main:12 > PropVariantClear:1", owner: "main",
      message: "twice: in VariantClear, and then in PropVariantClear.",
      doubt: "Whether it freed one string twice, or a function"),
    doubleFree(
      "by a destructor and the owner", "main:10 > Window::Window():3",
      "main:12 > Window::~Window():4", "main:13 > VariantClear:1", owner: "main",
      consumer: "Window::~Window()",
      doubt: "freed it in Window::~Window(), and VariantClear freed it, too"),
    doubleFree(
      "by a callee and a destructor", "main:10 > Window::Window():3", "main:12 > \(taker):2",
      "main:13 > Window::~Window():4", owner: "main", consumer: taker,
      doubt: "freed it in Window::~Window(), and \(taker) freed it, too"),
    doubleFree(
      "by a callee that frees others, then the owner", "main:10", "main:11 > \(taker):2", "main:12",
      rule: .in, owner: "main", consumer: taker,
      message: "which frees what it is given, as it did with 5 others; main then freed it again."
    ) { $0.freed(5, "main:20", by: "main:21 > take(char16_t*):2") },
    doubleFree(
      "of what was received, by a callee that frees others", "main:10 > get():3",
      "main:11 > \(taker):2", "main:12", producer: "get()", consumer: taker,
      doubt: "whether get() had returned one string twice"
    ) { $0.freed(5, "main:20", by: "main:21 > take(char16_t*):2") },
    doubleFree(
      "by a callee by reference, then the owner", "main:10", "main:11 > edit(char16_t**):2",
      "main:12", rule: .inOut, owner: "main", consumer: "edit(char16_t**)",
      message: "edit(char16_t**) freed a BSTR that it was given by reference and stored no other"),
    doubleFree(
      "by a callee that takes nothing, then the owner", "main:10", "main:11 > flush():2", "main:12",
      owner: "main", consumer: "flush()", doubt: "flush() takes no string"),
    doubleFree(
      "by a callee, then the owner", "main:10", "main:11 > \(taker):2", "main:12", rule: .in,
      owner: "main", consumer: taker,
      message: "\(taker) freed an argument that it had only borrowed; main then freed it again."),
    doubleFree(
      "by the owner, then a callee", "main:10", "main:11", "main:12 > \(taker):2", owner: "main",
      consumer: taker, doubt: "main freed it and \(taker) freed it later"),
    doubleFree(
      "by two calls of a callee", "main:10", "main:11 > \(taker):2", "main:12 > \(taker):3",
      owner: "main", consumer: taker, doubt: "twice, which freed it each time"),
    doubleFree(
      "by one call of a callee, or two", "main:10", "main:11 > \(taker):2",
      "main:11 > \(taker):3", owner: "main", consumer: taker,
      doubt: "which freed it twice, in one call or in two"),
    doubleFree(
      "by two callees", "main:10", "main:11 > \(taker):2", "main:12 > put(char16_t*):2",
      owner: "main", doubt: "main gave it to \(taker) and to put(char16_t*), and both freed it"),
  ]

  // MARK: wrong deallocators

  private static func wrongFree(
    _ name: String, _ allocated: String, _ freed: String, threads: [UInt32] = [1, 0, 1],
    rule: Ownership.Rule? = nil, owner: String? = nil, producer: String? = nil,
    consumer: String? = nil
  ) -> Case {
    Case(
      name: name, kind: .wrongDeallocator, rule: rule, basis: rule == nil ? nil : .inferred,
      evidence: rule == nil ? nil : "the two stacks", owner: owner, producer: producer,
      consumer: consumer
    ) {
      $0.fault(.wrongDeallocator, .free, allocated: allocated, detected: freed, threads: threads)
    }
  }

  static let wrongFrees: [Case] = [
    wrongFree("by who allocated it", "main:10", "main:11", rule: .in, owner: "main"),
    wrongFree(
      "by who received it", "main:10 > get():3", "main:11", rule: .out, owner: "main",
      producer: "get()"),
    wrongFree("by a callee", "main:10", "main:11 > \(taker):2", owner: "main", consumer: taker),
    wrongFree("in another thread", "main:10", "run():2", threads: [1, 0, 2]),
  ]

  // MARK: declarations

  private static func declared(
    _ name: String, _ kind: Finding.Kind, rule: Ownership.Rule, owner: String? = nil,
    producer: String? = nil, consumer: String? = nil, message: String,
    _ traffic: @escaping @Sendable (Traffic) -> Void
  ) -> Case {
    Case(
      name: name, kind: kind, rule: rule, basis: .declared, owner: owner, producer: producer,
      consumer: consumer, message: message, traffic: traffic)
  }

  private static func contradiction(
    _ name: String, _ detail: EventDetail, rule: Ownership.Rule, owner: String? = nil,
    producer: String? = nil, consumer: String? = nil, message: String, freed: String? = nil
  ) -> Case {
    declared(
      name, .ownership, rule: rule, owner: owner, producer: producer, consumer: consumer,
      message: message
    ) {
      $0.fault(
        .ownership, detail, allocated: "main:10 > \(getter):3", freed: freed, detected: "main:10")
    }
  }

  static let declarations: [Case] = [
    declared(
      "a received string", .leak, rule: .out, owner: "main", producer: "get()",
      message: "Nobody freed what get() returned; main received it."
    ) { $0.declared($0.leaked("main:10 > get():3"), [(.received, "main:10")]) },
    declared(
      "a string that was handed over", .leak, rule: .in, producer: "main",
      message: "main handed over a BSTR that nobody received."
    ) { $0.declared($0.leaked("main:10"), [(.lent, "main:11"), (.handedOver, "main:12")]) },
    declared(
      "a string that was taken over", .leak, rule: .in, owner: "keep()",
      message: "keep() took over a BSTR and did not free it."
    ) {
      $0.declared(
        $0.leaked("main:10"), [(.handedOver, "main:12"), (.adopted, "main:12 > keep():2")])
    },
    declared(
      "a string that was lent", .leak, rule: .in, owner: "main",
      message: "main lent a BSTR and did not free it afterwards."
    ) { $0.declared($0.leaked("main:10"), [(.lent, "main:11"), (.givenBack, "main:11")]) },
    declared(
      "freed on loan, then again", .doubleFree, rule: .in, owner: "main", consumer: taker,
      message: "\(taker) freed a BSTR that it had only borrowed from main."
    ) {
      let serial = $0.fault(
        .doubleFree, allocated: "main:10", freed: "main:11 > take(char16_t*):2",
        detected: "main:12")
      $0.declared(serial, [(.lent, "main:11"), (.freed, "main:11 > take(char16_t*):2")])
    },
    declared(
      "freed on loan, then by another", .doubleFree, rule: .in, owner: "main", consumer: taker,
      message: "\(taker) freed a BSTR that it had only borrowed from main."
    ) {
      let serial = $0.fault(
        .doubleFree, allocated: "main:10", freed: "main:11 > take(char16_t*):2",
        detected: "main:12 > put(char16_t*):2")
      $0.declared(serial, [(.lent, "main:11"), (.freed, "main:11 > take(char16_t*):2")])
    },
    declared(
      "freed by who had given it away", .doubleFree, rule: .in, owner: "keep()", consumer: "main",
      message: "main freed a BSTR that keep() had taken over."
    ) {
      let serial = $0.fault(
        .doubleFree, allocated: "main:10", freed: "main:13", detected: "main:14 > keep():3")
      $0.declared(serial, [(.handedOver, "main:12"), (.adopted, "main:12 > keep():2")])
    },
    contradiction(
      "freed on loan", .freedOnLoan, rule: .in, owner: "keep()", producer: getter,
      consumer: "main", message: "main freed a BSTR that it had only borrowed from keep().",
      freed: "main:9 > keep():2"),
    contradiction(
      "freed after it was handed over", .freedAfterHandOver, rule: .in, producer: getter,
      consumer: "main", message: "main freed a BSTR that it had handed over before."),
    contradiction(
      "an [out] variable that owned one", .overwritten, rule: .out, owner: "main",
      producer: getter, message: "main passes a variable as [out] that still owns a BSTR"),
    contradiction(
      "left by a failure", .leftByFailure, rule: .return, owner: "main", producer: getter,
      message: "\(getter) failed and left a BSTR in its [out] argument."),
    contradiction(
      "replaced without being freed", .replaced, rule: .inOut, owner: "main", producer: getter,
      message: "main passed a BSTR as [in,out], and it was replaced without being freed."),
    contradiction(
      "lost by reference", .lost, rule: .out, owner: "main", producer: getter,
      message: "main passed a variable that owned a BSTR by reference, and it holds another one"),
    contradiction(
      "freed and not replaced", .notReplaced, rule: .inOut, owner: "main", producer: getter,
      consumer: "edit()", message: "edit() freed a BSTR that was [in,out] and stored no other.",
      freed: "main:9 > edit():2"),
  ]

  @Test(arguments: leaks + doubleFrees + wrongFrees + declarations)
  func isSaid(_ one: Case) throws {
    let traffic = try Traffic()
    one.traffic(traffic)
    let finding = try #require(try traffic.findings(one.kind).first)
    let ownership = finding.ownership
    #expect(ownership.rule == one.rule)
    #expect(ownership.basis == one.basis)
    #expect(ownership.evidence == one.evidence)
    #expect(ownership.owner?.name == one.owner)
    #expect(ownership.producer?.name == one.producer)
    #expect(ownership.consumer?.name == one.consumer)
    if let message = one.message { #expect(finding.message.contains(message)) }
    if let doubt = one.doubt {
      #expect(ownership.doubt?.contains(doubt) == true, "\(ownership.doubt ?? "no uncertainty")")
    } else {
      #expect(ownership.doubt == nil)
    }
  }

  /// Nothing is certain of an address that was given out again.
  @Test func aReusedAddressHasNoVerdict() throws {
    let traffic = try Traffic()
    traffic.fault(
      .doubleFree, .reused, allocated: "main:10", freed: "main:11 > take(char16_t*):2",
      detected: "main:12")
    let ownership = try #require(try traffic.findings(.doubleFree).first).ownership
    #expect(ownership.rule == nil && ownership.owner == nil && ownership.doubt == nil)
  }

  @Test func siblingsAreCounted() throws {
    let traffic = try Traffic()
    traffic.leaked("main:10 > work(int):5")
    traffic.leaked("main:10 > work(int):5")
    traffic.freed(9, "main:10 > work(int):5", by: "main:10 > work(int):8")
    let siblings = try #require(try traffic.findings(.leak).first?.ownership.siblings)
    #expect(siblings.freed == 9 && siblings.total == 11)
    #expect(siblings.freedBy.name == "work(int)" && siblings.isOneLine)
  }
}
