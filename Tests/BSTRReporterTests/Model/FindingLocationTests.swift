import Foundation
import Testing

@testable import BSTRReporter

/// The line that is to change: the same one in every format.
@Suite struct FindingLocationTests {
  private static func frame(_ function: String, _ line: Int?, file: String = "/src/a.cpp") -> Frame
  {
    Frame(function: function, file: file, line: line, module: "/bin/app", offset: 16)
  }

  /// The function that frees an argument, its caller in two lines, and the start of the program.
  private static let take = frame("take(char16_t*)", 5)
  private static let passes = frame("show()", 20)
  private static let frees = frame("show()", 21)
  private static let main = frame("main", 30)
  private static let made = frame("show()", 19)

  private static func finding(_ kind: FindingKind, _ decision: Ownership.Decision?) -> Finding {
    var finding = Finding(
      kind: kind, count: 1, bytes: 2, message: "m", allocated: StackTrace(frames: [made, main]),
      suppression: "s")
    finding.freed = StackTrace(frames: [take, passes, main])
    finding.detected = StackTrace(frames: [frees, main])
    finding.ownership = Ownership(decision)
    return finding
  }

  @Test func itIsThatOfTheFunctionWhichTheSentenceNames() {
    let borrowed = Verdict.argumentFreed(owner: Self.made, consumer: Self.take)
    let returned = Verdict.resultFreedByProducer(owner: Self.made, producer: Self.take)
    let lost = Verdict.lostByReference(owner: Self.made, producer: nil)
    let cases: [(FindingKind, Ownership.Decision?, Frame)] = [
      (.doubleFree, .verdict(borrowed, .threeStacks), Self.take),
      (.doubleFree, .verdict(returned, .threeStacks), Self.take),
      (.ownership, .verdict(lost, .declaration), Self.made),
      (.leak, .verdict(.ownNotFreed(owner: Self.made), .noCaller), Self.made),
      (.doubleFree, nil, Self.frees),
      // Who owns the string is no matter: the line is the one that calls free.
      (.wrongDeallocator, .verdict(.ownFreedWrongly(owner: Self.made), .twoStacks), Self.frees),
      (
        .wrongDeallocator,
        .parties(Ownership.Parties(owner: Self.made, consumer: Self.take)), Self.frees
      ),
    ]
    for (kind, decision, line) in cases {
      let finding = Self.finding(kind, decision)
      #expect(finding.primaryFrame == line, "\(kind.id) \(String(describing: decision))")
    }
  }

  /// `delete` has no line of its own.
  @Test func ofADeleteItIsTheCallers() {
    var finding = Self.finding(.wrongDeallocator, nil)
    finding.detail = "delete"
    let delete = Frame(function: "operator delete(void*)", module: "/lib/libstdc++.so", offset: 1)
    finding.detected = StackTrace(frames: [delete, Self.frees, Self.main])
    #expect(finding.primaryFrame == Self.frees)
    #expect(
      finding.stableSentence == "show() freed a BSTR with delete; only SysFreeString does that.")
  }

  @Test func aBlamedFrameWithoutALineGivesWayToTheOwners() {
    let consumer = Self.frame("take(char16_t*)", nil)
    var finding = Self.finding(
      .doubleFree,
      .verdict(.argumentFreed(owner: Self.made, consumer: consumer), .threeStacks))
    finding.freed = StackTrace(frames: [consumer, Self.passes])
    #expect(finding.blamed == consumer)
    #expect(finding.primaryFrame == Self.made)
  }

  @Test func aCallerIsBlamedWhereTheCalleeFreesAllThatItIsGiven() {
    let finding = Self.finding(
      .doubleFree,
      .verdict(.handedOverFreed(owner: Self.made, consumer: Self.take, others: 3), .threeStacks))
    #expect(finding.blamed == Self.frees && finding.primaryFrame == Self.frees)
    #expect(finding.ownership.ruleSentence?.hasPrefix("What is given to") == true)
  }

  @Test func everyFormatNamesIt() throws {
    let finding = Self.finding(
      .doubleFree,
      .verdict(.argumentFreed(owner: Self.made, consumer: Self.take), .threeStacks))
    let totals = ProcessReport.Totals(
      allocations: 1, frees: 1, foreignFrees: 0, live: 0, liveBytes: 0, peakLive: 1,
      immortals: 0, ignored: 0, unrecorded: 0)
    let report = Report(processes: [
      ProcessReport(
        pid: 1, parentPid: 0, executable: "/bin/app", arguments: ["app"], end: .exit(0),
        totals: totals, findings: [finding], injectedFailures: [], notes: [])
    ])
    let sarif = SARIFRenderer().render(report)
    let locations = try #require(sarif.firstMatch(of: /"locations":\[(.*?)\}\],/))
    #expect(locations.1.contains("\"startLine\":5,"))
    // The owner is linked, as a related location.
    #expect(sarif.contains("See [owner](6)."), "\(sarif)")
    let xml = ValgrindXMLRenderer().render(report)
    #expect(try #require(xml.firstMatch(of: /<line>(\d+)</)).1 == "5")
    let page = HTMLRenderer().render(report)
    #expect(page.contains("Take out the free on <b class=\"where\">a.cpp:5</b>"))
    // What is read from JSON has no sentences, and the same line.
    let sums = try FindingSums(json: Array(JSONRenderer().render(report).utf8))
    for sum in [sums, FindingSums(of: report)].flatMap({ $0.sums.values }).flatMap(\.values) {
      #expect(sum.frame?.line == 5)
    }
  }
}
