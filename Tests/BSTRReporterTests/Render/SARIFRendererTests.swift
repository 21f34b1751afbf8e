import Foundation
import Testing
import TraceStore

@testable import BSTRReporter

/// What code scanning reads of a report.
@Suite struct SARIFRendererTests {
  // MARK: reading

  private typealias Object = [String: Any]

  private func run(of text: String) throws -> Object {
    let top = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? Object)
    #expect(top["version"] as? String == "2.1.0")
    return try #require((top["runs"] as? [Object])?.first)
  }

  private func results(of text: String) throws -> [Object] {
    try #require(try run(of: text)["results"] as? [Object])
  }

  private func fingerprints(of text: String) throws -> [String] {
    try results(of: text).compactMap {
      ($0["partialFingerprints"] as? Object)?["primaryLocationLineHash"] as? String
    }
  }

  private func notifications(of text: String) throws -> [String] {
    let invocation = try #require((try run(of: text)["invocations"] as? [Object])?.first)
    let all = try #require(invocation["toolExecutionNotifications"] as? [Object])
    return all.map { "\($0["level"] ?? ""): \(($0["message"] as? Object)?["text"] ?? "")" }
  }

  // MARK: findings

  private static func frame(_ function: String?, _ line: Int?, file: String = "/src/a.cpp") -> Frame
  {
    Frame(
      function: function, file: line == nil ? nil : file, line: line, module: "/bin/app",
      offset: 0x1A2B)
  }

  private func leak(_ frames: [Frame], count: Int = 3, bytes: Int = 60) -> Finding {
    Finding(
      kind: .leak, count: count, bytes: bytes, message: "Nobody freed the 3 BSTRs.",
      allocated: StackTrace(frames: frames), suppression: "leak:f")
  }

  private func report(_ findings: [Finding]) -> Report {
    let totals = ProcessReport.Totals(
      allocations: 9, frees: 0, foreignFrees: 0, live: 9, liveBytes: 9, peakLive: 9, immortals: 0,
      ignored: 0, unrecorded: 0)
    return Report(processes: [
      ProcessReport(
        pid: 4711, parentPid: 1, executable: "/bin/app", arguments: ["app"], end: .exit(0),
        olecharBytes: 2, payloadOffset: 8, totals: totals, findings: findings,
        injectedFailures: [], map: nil, notes: [])
    ])
  }

  private func sample(redact: Bool = false, faults: Bool = false) throws -> Report {
    var names = CachingSymbolicator(SampleReport.names)
    return Reporter(redact: redact).report(
      on: [faults ? try SampleReport.faults() : try SampleReport.image()], symbolicator: &names)
  }

  // MARK: locations

  @Test func theFirstLocationIsTheLineToChange() throws {
    let producer = Self.frame("get(char16_t**)", 7)
    let owner = Self.frame("show()", 20)
    var finding = leak([producer, owner])
    finding.ownership = Ownership(
      .verdict(.resultNotFreed(owner: owner, producer: producer), .parameterType))
    let result = try #require(try results(of: SARIFRenderer().render(report([finding]))).first)
    #expect(result["ruleId"] as? String == "leak-out")
    #expect(place(result) == "file:///src/a.cpp:20")
    let message = (result["message"] as? Object)?["text"] as? String ?? ""
    #expect(message.hasSuffix("See [producer](1)."), "\(message)")
    let related = try #require(result["relatedLocations"] as? [Object])
    #expect(related.map { $0["id"] as? Int } == [1])
  }

  private func place(_ result: Object) -> String? {
    let location = (result["locations"] as? [Object])?.first?["physicalLocation"] as? Object
    let uri = (location?["artifactLocation"] as? Object)?["uri"] as? String
    let line = (location?["region"] as? Object)?["startLine"] as? Int
    return uri.flatMap { uri in line.map { "\(uri):\($0)" } }
  }

  @Test func withoutAnOwnerItIsTheInnermostLineAndWithoutALineTheModule() throws {
    let deep = leak([Self.frame(nil, nil), Self.frame("show()", 20)])
    let none = leak([Self.frame(nil, nil)])
    let nowhere = leak([])
    let results = try results(of: SARIFRenderer().render(report([deep, none, nowhere])))
    #expect(
      results.map(place) == ["file:///src/a.cpp:20", "file:///bin/app:1", "file:///bin/app:1"])
    let messages = results.map { ($0["message"] as? Object)?["text"] as? String ?? "" }
    let notice = "No line of it is known: the location is the module."
    #expect(messages.map { $0.contains(notice) } == [false, true, true])
    // The offset of a function without a name changes with every build.
    #expect(messages[1].contains("a BSTR that app allocated"), "\(messages[1])")
  }

  /// The deferred free of a pinned string is right.
  @Test func aPinnedLeakIsWhereItWasAllocated() throws {
    var finding = leak([Self.frame("make()", 1)])
    finding.freed = StackTrace(frames: [Self.frame("drop()", 9)])
    let result = try #require(try results(of: SARIFRenderer().render(report([finding]))).first)
    #expect(place(result) == "file:///src/a.cpp:1")
  }

  @Test(arguments: [Uncertainty.processCutShort, .freeUnwatched])
  func whatProvesNoLeakIsANote(uncertainty: Uncertainty) throws {
    var finding = leak([Self.frame("make()", 1)])
    finding.ownership = Ownership(.uncertain(uncertainty))
    let result = try #require(try results(of: SARIFRenderer().render(report([finding]))).first)
    #expect(result["level"] as? String == "note")
  }

  @Test func filesBelowTheSourceRootAreRelativeToIt() throws {
    let frames = [
      Self.frame("f", 1, file: "/src/ü b/a#%.cpp"), Self.frame("g", 2, file: "/srcs/a.cpp"),
    ]
    for root in ["/src", "/src/"] {
      let text = SARIFRenderer(sourceRoot: root).render(report(frames.map { leak([$0]) }))
      #expect(
        try results(of: text).map(place)
          == ["%C3%BC%20b/a%23%25.cpp:1", "file:///srcs/a.cpp:2"])
      let bases = try run(of: text)["originalUriBaseIds"] as? Object
      #expect((bases?["SRCROOT"] as? Object)?["uri"] as? String == "file:///src/")
    }
  }

  @Test func namesMakeNoLinks() throws {
    let finding = leak([Self.frame("Row::operator[](int)", 3)])
    let text = SARIFRenderer().render(report([finding]))
    let result = try #require(try results(of: text).first)
    let message = (result["message"] as? Object)?["text"] as? String ?? ""
    #expect(message.contains(#"Row::operator[\](int)"#), "\(message)")
  }

  // MARK: rules

  @Test func everyRuleHasHelp() {
    let broken = [nil] + Ownership.Rule.allCases.map(Optional.some)
    for kind in FindingKind.all {
      for rule in broken {
        let wording = RuleWording(kind, rule)
        let name = "\(kind.id) \(rule?.rawValue ?? "")"
        #expect(wording.summary.hasSuffix(".") && wording.description.hasSuffix("."), "\(name)")
        // GitHub cuts both there.
        #expect(wording.summary.count <= 1024 && wording.description.count <= 1024, "\(name)")
        let examples = wording.markdown.components(separatedBy: "```").filter {
          $0.hasPrefix("cpp\n")
        }
        #expect(Set(examples).count == 2, "\(name): two different examples")
        #expect(wording.help.contains("Wrong:\n\n    "), "\(name)")
      }
    }
  }

  @Test func onlyRulesThatAreUsedAreListed() throws {
    let text = SARIFRenderer().render(try sample(faults: true))
    let driver = try #require((try run(of: text)["tool"] as? Object)?["driver"] as? Object)
    let rules = try #require(driver["rules"] as? [Object]).compactMap { $0["id"] as? String }
    let results = try results(of: text)
    #expect(Set(results.compactMap { $0["ruleId"] as? String }) == Set(rules))
    for result in results {
      let index = try #require(result["ruleIndex"] as? Int)
      #expect(result["ruleId"] as? String == rules[index])
    }
  }

  // MARK: recognising a finding

  @Test func anUnrelatedLineAddedAboveChangesNoFingerprint() throws {
    func text(shift: Int) throws -> String {
      // Two of one key, which differ in lines only, the lighter one first in the file.
      let first = leak([Self.frame("f", 9 + shift), Self.frame("main", 95 + shift)], bytes: 1)
      let second = leak([Self.frame("f", 10 + shift), Self.frame("main", 95 + shift)], bytes: 9)
      let third = leak([Self.frame("g", 9 + shift), Self.frame("main", 95 + shift)])
      return SARIFRenderer().render(report([second, first, third]))
    }
    let before = try fingerprints(of: try text(shift: 0))
    #expect(before == (try fingerprints(of: try text(shift: 1))))
    #expect(Set(before).count == 3)
    // By line, not by weight, which changes.
    #expect(before.map { $0.suffix(2) } == [":2", ":1", ":1"])
  }

  @Test func messagesHaveNoCountsAddressesThreadsAndValues() throws {
    for faults in [false, true] {
      for result in try results(of: SARIFRenderer().render(try sample(faults: faults))) {
        let message = (result["message"] as? Object)?["text"] as? String ?? ""
        // Rule 1 and [link](1) have numbers; names of types, too.
        let text = message.replacing(/Rule [123]:|\]\([1-6]\)|char16_t/, with: "")
        #expect(text.firstMatch(of: /[0-9]/) == nil, "\(message)")
        #expect(!message.contains("Status Text"), "\(message)")
      }
    }
  }

  @Test func theSameReportIsTheSameText() throws {
    let texts = Set(
      try (0..<8).map { _ in SARIFRenderer().render(try sample(faults: true)) })
    #expect(texts.count == 1)
  }

  // MARK: triage

  @Test func whatIsKnownIsMarked() throws {
    let known = leak([Self.frame("f", 1)])
    let grown = leak([Self.frame("g", 1)])
    let silenced = leak([Self.frame("h", 1)])
    var before = report([known, grown])
    before.processes[0].findings[1].count = 1
    let new = leak([Self.frame("i", 1)])
    var now = report([known, grown, silenced, new])
    var rules = Suppressions()
    rules.add("leak:^h$ reason=a cache", file: "rules")
    rules.apply(to: &now, today: "2026-11-25")
    Baseline(of: before).apply(to: &now)
    #expect(now.findings.count == 2)
    let results = try results(of: SARIFRenderer().render(now))
    #expect(
      results.map { $0["baselineState"] as? String } == ["updated", "new", nil, "unchanged"])
    let suppressions = results.map { ($0["suppressions"] as? [Object])?.first }
    #expect(suppressions.map { $0?["justification"] as? String } == [nil, nil, "a cache", nil])
  }

  // MARK: limits

  @Test func ofTooManyFindingsTheHeaviestAreListed() throws {
    let findings = (0..<30).map { leak([Self.frame("f\($0)", $0 + 1)], bytes: $0) }
    var renderer = SARIFRenderer()
    #expect(renderer.maxResults == 25_000)
    renderer.maxResults = 20
    let text = renderer.render(report(findings))
    let ids = try results(of: text).compactMap { place($0)?.split(separator: ":").last }
    #expect(ids.map(String.init) == (11...30).map(String.init))
    #expect(
      try notifications(of: text) == [
        "warning: 30 findings are more than readers of this format take: the heaviest 20 are listed."
      ])
  }

  @Test func damageIsSaid() throws {
    var report = try sample()
    report.damage = ["'x.store' is empty"]
    let text = SARIFRenderer().render(report)
    #expect(try notifications(of: text).contains("error: 'x.store' is empty"))
    let invocation = try #require((try run(of: text)["invocations"] as? [Object])?.first)
    #expect(invocation["executionSuccessful"] as? Bool == false)
    let nothing = SARIFRenderer().render(Report(processes: [], damage: ["nothing was recorded"]))
    #expect(try results(of: nothing).isEmpty)
  }
}
