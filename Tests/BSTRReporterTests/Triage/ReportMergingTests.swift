import Testing
import TraceOptions

@testable import BSTRReporter

/// What is one finding when a report is written.
@Suite struct ReportMergingTests {
  /// A leak of `make` in a line, called by a function.
  private func leak(
    _ caller: String, line: Int = 5, module: String = "/bin/app", count: Int = 1
  ) -> Finding {
    let make = Frame(function: "make", file: "/src/a.c", line: line, module: module, offset: 16)
    let above = Frame(function: caller, file: "/src/a.c", line: 9, module: module, offset: 32)
    let wording = LeakWording(count: count, allocator: "make", fate: .left)
    var finding = Finding(
      kind: .leak, count: count, bytes: 10 * count, message: wording.sentence,
      allocated: StackTrace(frames: [make, above]), suppression: "leak:make")
    finding.wording = wording
    finding.fault = Finding.Fault(locations: [make.mergingLocation], functions: ["make"])
    return finding
  }

  private func report(_ processes: [[Finding]]) throws -> Report {
    var names = FakeSymbolicator([:])
    let sample = Reporter().report(on: [try SampleReport.image()], symbolicator: &names)
    return Report(
      processes: processes.map { findings in
        var process = sample.processes[0]
        process.findings = findings
        return process
      })
  }

  @Test func callersAboveTheFaultAreMerged() throws {
    let report = try report([[leak("one", count: 3), leak("two"), leak("three")]])
    let merged = report.merged().findings
    #expect(merged.map(\.count) == [5] && merged.map(\.bytes) == [50])
    #expect(merged.map(\.places) == [3] && merged.map(\.processes) == [1])
    #expect(merged[0].message == "Nobody freed the 5 BSTRs that make allocated.")
    var byStack = TraceOptions()
    byStack.groupBy = .stack
    #expect(report.merged(byStack).findings.map(\.count) == [3, 1, 1])
  }

  /// All strings of one process were looked for, of the other's thousand only one.
  @Test func whatHoldsAFewIsNotWhatHoldsAll() throws {
    let (all, few) = (leak("one"), leak("one", count: 1000))
    let held = [all, few].map { leak in
      var leak = leak
      var holders = Holders()
      holders.add([])
      leak.holders = holders
      let make = Frame(function: "make", module: "/bin/app", offset: 16)
      leak.ownership = Ownership(
        .held(.keptByNobody(allocator: make), .holders(ofAll: leak.count == 1)))
      return leak
    }
    let merged = try report([[held[0]], [held[1]]]).merged().findings
    #expect(merged.map(\.count) == [1001] && merged[0].holders?.looked == 2)
    #expect(merged.map(\.ownership.evidence) == ["the search for holders of a few of them"])
  }

  @Test func otherLinesModulesAndPinsAreOtherFaults() throws {
    var pinned = leak("one")
    pinned.pinned = [StackTrace(frames: [])]
    let (here, line, module) = (leak("one"), leak("one", line: 6), leak("one", module: "/bin/b"))
    #expect(try report([[here, line, module, pinned]]).merged().findings.count == 4)
    #expect(try report([[here], [line], [module], [pinned]]).merged().findings.count == 4)
  }

  @Test func whatTogetherIsHeavierComesFirst() throws {
    let findings = [leak("one", line: 6, count: 3), leak("one", count: 2), leak("two", count: 2)]
    #expect(try report([findings]).merged().findings.map(\.count) == [4, 3])
  }

  @Test func processesAreMergedWhereTheFirstHasIt() throws {
    let report = try report([[leak("one")], [leak("two"), leak("one", line: 6), leak("one")]])
    let merged = report.merged()
    #expect(merged.processes.map { $0.findings.map(\.count) } == [[3], [1]])
    #expect(merged.findings[0].processes == 2 && merged.findings[0].places == 2)
    #expect(merged.processes.map(\.findingsAbove) == [0, 2])
    #expect(TextRenderer().render(merged).contains(": 1 finding and 2 shown above in "))
    var perProcess = TraceOptions()
    perProcess.perProcess = true
    #expect(
      report.merged(perProcess).processes.map { $0.findings.map(\.count) } == [[1], [2, 1]])
  }

  @Test func whatIsKnownIsLeftOutOnce() throws {
    var report = try report([[], []])
    report.leftOut = [leak("one"), leak("one"), leak("one", line: 6)].map {
      Report.LeftOut(finding: $0, rule: nil)
    }
    #expect(report.merged().leftOut.count == 2)
    var perProcess = TraceOptions()
    perProcess.perProcess = true
    #expect(report.merged(perProcess).leftOut.count == 3)
  }
}
