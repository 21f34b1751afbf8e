import Testing

@testable import BSTRReporter

/// Suppression rules and baselines.
@Suite struct SuppressionTests {
  private func leak(_ functions: String..., count: Int = 1, module: String = "/bin/app") -> Finding
  {
    let frames = functions.map {
      Frame(function: $0, file: "/src/app.cpp", line: 7, module: module, offset: 0)
    }
    return Finding(
      kind: .leak, count: count, bytes: 10 * count, message: "leak",
      allocated: StackTrace(frames: frames), suppression: "leak:\(functions[0])")
  }

  private func report(_ findings: [Finding]) -> Report {
    Report(processes: [
      ProcessReport(
        pid: 1, parentPid: 0, executable: "/bin/app", arguments: ["app"], end: .exit(0),
        totals: ProcessReport.Totals(
          allocations: 9, frees: 0, foreignFrees: 0, live: 9, liveBytes: 9, peakLive: 9,
          immortals: 0, ignored: 0, unrecorded: 0),
        findings: findings, injectedFailures: [], notes: [])
    ])
  }

  private func suppressions(_ text: String) -> Suppressions {
    var suppressions = Suppressions()
    suppressions.add(text, file: "s.txt")
    return suppressions
  }

  @Test(arguments: [
    // LeakSanitizer's examples: a part of a name, anchors, wildcards.
    ("Cache", "Cache::load()", true), ("^Cache", "Cache::load()", true),
    ("^load", "Cache::load()", false), ("load()$", "Cache::load()", true),
    ("Cache$", "Cache::load()", false), ("C*load", "Cache::load()", true),
    ("^C*load()$", "Cache::load()", true), ("^load*", "Cache::load()", false), ("*", "x", true),
    ("^$", "x", false), ("operator new(unsigned long)", "operator new(unsigned long)", true),
    ("a*b*c", "xaybzc", true), ("a*b*c", "xaybz", false), ("^", "x", true), ("$", "x", true),
  ])
  func patternsMatchAsLeakSanitizers(_ pattern: String, _ name: String, _ matches: Bool) {
    #expect(SuppressionRule.matches(name, pattern) == matches)
  }

  @Test func rulesAreReadWithTheirAttributes() throws {
    let rule = try SuppressionRule(
      "leak:operator new(unsigned long) max=3 reason=\"filled once, never emptied\" until=2027-01-31"
    )
    #expect(rule.kind == .leak)
    #expect(rule.pattern == "operator new(unsigned long)")
    #expect(rule.max == 3)
    #expect(rule.reason == "filled once, never emptied")
    #expect(rule.until == "2027-01-31")
    #expect(rule.text == "leak:operator new(unsigned long)")
    #expect(try SuppressionRule("any:x").kind == nil)
    #expect(try SuppressionRule("double-free:x").kind == .doubleFree)
  }

  /// What holds strings in four ways, of which the last is weak.
  private static let chains = [
    HolderChain(
      steps: [Holder(place: .data, module: "/lib/libcache.so", symbol: "g_cache")], isWeak: false),
    HolderChain(
      steps: [Holder(place: .data, symbol: "g_app"), Holder(place: .heap, type: "StatusCache")],
      isWeak: false),
    HolderChain(steps: [Holder(place: .heap, type: "StatusCache")], isWeak: false),
    HolderChain(
      steps: [Holder(place: .data, symbol: "g_cache"), Holder(place: .heap)], isWeak: true),
  ]

  @Test(
    arguments: [
      // The chains of each string that was looked for, by their positions above.
      ("held:g_cache", [[0]], true), ("held:libcache.so", [[0]], true), ("held:g_c", [[0]], true),
      ("held:^cache", [[0]], false), ("held:StatusCache", [[1], [2]], true),
      ("held:g_app", [[1], [0, 1]], true), ("leak:g_cache", [[0]], false),
      // One of them is held elsewhere, by nobody, or by a word that may be out of use.
      ("held:g_cache", [[0], [1]], false), ("held:g_cache", [[0], []], false),
      ("held:g_cache", [[0], [3]], false), ("held:*", [[0], []], false), ("held:*", [], false),
      ("any:g_cache", [[0]], false),
    ] as [(String, [[Int]], Bool)])
  func aRuleOnHoldersNeedsThemOfEachString(
    _ rule: String, _ strings: [[Int]], _ covers: Bool
  ) throws {
    var finding = leak("load", count: 4000)
    #expect(try !SuppressionRule(rule).covers(finding), "nothing was looked for")
    var holders = Holders()
    for string in strings { holders.add(string.map { Self.chains[$0] }) }
    finding.holders = holders
    #expect(try SuppressionRule(rule).covers(finding) == covers)
    #expect(try SuppressionRule(rule).text == rule)
  }

  @Test func whatIsNoRuleIsNamedAndTheRestApplies() {
    let suppressions = suppressions(
      """
      # a comment
      leak:first

      no colon here
      leek:second\r
      leak:
      leak:x max=many
      leak:x until=31.1.2027
      leak:x until=2027-13-01
        leak:last  \t
      """)
    #expect(suppressions.entries.map(\.rule.pattern) == ["first", "last"])
    #expect(suppressions.entries.map(\.line) == [2, 10])
    #expect(
      suppressions.problems == [
        "s.txt:4: ignored 'no colon here': expected kind:pattern, as in leak:Cache::load",
        "s.txt:5: ignored 'leek:second': unknown kind 'leek'; the kinds are leak, double-free, "
          + "invalid-free, wrong-deallocator, write-after-free, overrun, prefix-damage, invalid-use, "
          + "ownership, held, any",
        "s.txt:6: ignored 'leak:': there is no pattern behind the colon",
        "s.txt:7: ignored 'leak:x max=many': max= expects a number from 0, not 'many'",
        "s.txt:8: ignored 'leak:x until=31.1.2027': until= expects a day as in 2027-01-31, not "
          + "'31.1.2027'",
        "s.txt:9: ignored 'leak:x until=2027-13-01': until= expects a day as in 2027-01-31, not "
          + "'2027-13-01'",
      ])
  }

  @Test func eachRuleSaysWhatItDid() {
    var report = report([
      leak("load", "main"), leak("load", "other", count: 2), leak("save", count: 5),
    ])
    suppressions(
      """
      leak:main
      leak:load reason=a cache
      leak:nothing
      leak:save max=4
      leak:save until=2026-11-24
      double-free:save
      """
    ).apply(to: &report, today: "2026-11-25")
    #expect(report.findings.map(\.suppression) == ["leak:save"])
    #expect(report.suppressions.map(\.findings) == [1, 1, 0, 0, 0, 0])
    #expect(report.suppressions.map(\.count) == [1, 2, 0, 5, 0, 0])
    #expect(
      report.suppressions.map(\.problem) == [nil, nil, .unused, .exceeded, .expired, .unused])
    #expect(report.suppressed == 2)
    #expect(report.hasStaleSuppressions)
    let text = TextRenderer().render(report)
    #expect(text.contains("   leak:load   1 finding, 2 in all   s.txt:2   (a cache)"))
    #expect(text.contains("   leak:nothing   matched nothing   s.txt:3"))
    #expect(text.contains("   leak:save   exceeded: 5 where it accepts 4, all shown   s.txt:4"))
    #expect(text.contains("   leak:save   expired after 2026-11-24   s.txt:5"))
    #expect(text.contains("2 suppressed"))
  }

  @Test func theLastDayOfARuleCounts() {
    var report = report([leak("load")])
    suppressions("leak:load until=2026-11-25").apply(to: &report, today: "2026-11-25")
    #expect(report.findings.isEmpty)
    #expect(!report.hasStaleSuppressions)
  }

  @Test func filesAndModulesAreMatchedToo() {
    var report = report([leak("load", module: "/usr/lib/libcache.so.1"), leak("save")])
    suppressions("leak:libcache.so\nleak:app.cpp").apply(to: &report, today: "2026-11-25")
    #expect(report.findings.isEmpty)
  }

  @Test func printedRulesSilenceWhatTheyWerePrintedFor() {
    var report = report([leak("Cache::load(int)", "main"), leak("save"), leak("save", "main")])
    let rules = TextRenderer().suppressionRules(for: report)
    #expect(rules == "leak:Cache::load(int) reason=?\nleak:save reason=?\n")
    suppressions(rules).apply(to: &report, today: "2026-11-25")
    #expect(report.findings.isEmpty)
  }

  // MARK: baselines

  @Test func onlyWhatIsNewOrHasGrownIsLeft() throws {
    let old = report([leak("load", "main", count: 3), leak("save", "main", count: 2), leak("gone")])
    let baseline = try Baseline(Array(Baseline(of: old).text.utf8))
    var new = report([
      leak("load", "main", count: 4), leak("save", "main", count: 2), leak("fresh", "main"),
    ])
    baseline.apply(to: &new)
    #expect(new.findings.map(\.suppression) == ["leak:load", "leak:fresh"])
    #expect(new.findings[0].remarks == ["It has grown: 3 in the baseline, 4 now."])
    #expect(new.inBaseline == 1)
    #expect(new.suppressed == 1)
    #expect(TextRenderer().render(new).contains("BASELINE  1 finding known already"))
  }

  /// Version 1 has whole stacks, version 2 the functions up to the one to blame.
  @Test func anOlderBaselineIsRead() throws {
    var known = leak("load", "show", "main", count: 2)
    known.fault = Finding.Fault(functions: ["load"])
    func baseline(_ version: Int, _ stack: String) throws -> Baseline {
      let entry = #"{"kind":"leak","count":2,"stack":[\#(stack)]}"#
      return try Baseline(
        Array(
          #"{"schema":"bstrtrace-baseline","version":\#(version),"findings":[\#(entry)]}"#.utf8))
    }
    for (version, stack, isKnown) in [
      (1, #""load","show","main""#, true), (1, #""load""#, false), (2, #""load""#, true),
      (2, #""load","show","main""#, false),
    ] {
      var new = report([known])
      try baseline(version, stack).apply(to: &new)
      #expect(new.findings.isEmpty == isKnown, "\(version) \(stack)")
    }
    #expect(Baseline(of: report([known])).text.contains("\"version\" : 2"))
  }

  /// Runs are compared by the keys that both have: two baselines of two versions have none.
  @Test func runsOfTwoVersionsAreCompared() throws {
    var known = leak("load", "show", "main", count: 2)
    known.fault = Finding.Fault(functions: ["load"])
    let run = FindingSums(of: report([known]))
    let versions = try [(1, #""load","show","main""#), (2, #""load""#)].map { version, stack in
      let entry = #"{"kind":"leak","count":2,"stack":[\#(stack)]}"#
      return try FindingSums(
        json: Array(
          #"{"schema":"bstrtrace-baseline","version":\#(version),"findings":[\#(entry)]}"#.utf8))
    }
    for sums in versions {
      #expect(FindingDiff(from: sums, to: run)?.unchanged == 1)
      #expect(FindingDiff(from: run, to: sums)?.entries.count == 0)
    }
    #expect(FindingDiff(from: versions[0], to: versions[1]) == nil)
  }

  @Test func countsThatAreTooLargeToAddAreOnlyLarge() throws {
    let entry = #"{"kind":"leak","count":\#(Int.max),"stack":["load"]}"#
    let text = #"{"schema":"bstrtrace-baseline","version":1,"findings":[\#(entry),\#(entry)]}"#
    let baseline = try Baseline(Array(text.utf8))
    #expect(baseline.text.contains("\(Int.max)") && baseline.text.contains("\"version\" : 1"))
  }

  @Test func linesMayMove() throws {
    var moved = leak("load", "main")
    moved.allocated?.frames[0].line = 99
    var new = report([moved])
    Baseline(of: report([leak("load", "main")])).apply(to: &new)
    #expect(new.findings.isEmpty)
  }

  @Test(arguments: [
    ("", "is no baseline: it is damaged, or another kind of file"),
    ("{}", "is no baseline: it is damaged, or another kind of file"),
    (
      #"{"schema":"x","version":1,"findings":[]}"#, "is no baseline: its schema is 'x'"
    ),
    (
      #"{"schema":"bstrtrace-baseline","version":9,"findings":[]}"#,
      "is a baseline of version 9; this bstrtrace reads versions 1 and 2"
    ),
  ])
  func otherFilesAreNamed(_ text: String, _ message: String) {
    #expect {
      try Baseline(Array(text.utf8))
    } throws: { error in
      "\(error)" == "Failure(description: \"\(message)\")" || "\(error)" == message
    }
  }
}
