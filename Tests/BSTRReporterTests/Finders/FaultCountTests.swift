import TestSupport
import Testing
import TraceStore

@testable import BSTRReporter

/// How much is said of what happened more than once, and of one mistake with two consequences.
@Suite struct FaultCountTests {
  private func report(_ events: [EventRecord]) throws -> Report {
    let image = try SampleReport.image { writer in
      for event in events { writer.add(event, to: .events) }
    }
    var names = CachingSymbolicator(SampleReport.names)
    return Reporter().report(on: [image], symbolicator: &names)
  }

  private func event(
    _ kind: EventKind, _ detail: EventDetail = .none, serial: UInt64, time: UInt32 = 7
  ) -> EventRecord {
    var event = EventRecord(kind, detail)
    event.serial = serial
    event.byteLength = 22
    event.allocated = StackID(rawValue: 1)
    event.allocatedThread = 4711
    event.detected = StackID(rawValue: 6)
    event.detectedThread = 4711
    event.detectedTime = time
    return event
  }

  @Test func aStringThatIsFreedSeveralTimesIsOneString() throws {
    let report = try report([
      event(.doubleFree, serial: 30, time: 7), event(.doubleFree, serial: 30, time: 8),
      event(.doubleFree, serial: 30, time: 9),
    ])
    let finding = try #require(report.findings.first { $0.kind == .doubleFree })
    #expect(finding.count == 3)
    #expect(finding.strings == 1)
    #expect(finding.bytes == 22)
    #expect(finding.serials == [30])
    let text = TextRenderer().render(report)
    #expect(text.contains("DOUBLE FREE  3 calls, 1 BSTR\n"))
    #expect(text.contains("serial           30\n"))
  }

  @Test func severalStringsFreedTwiceAreCountedOnce() throws {
    let report = try report((30..<37).map { event(.doubleFree, serial: $0) })
    let finding = try #require(report.findings.first { $0.kind == .doubleFree })
    #expect(finding.count == 7)
    #expect(finding.strings == 7)
    #expect(finding.bytes == 7 * 22)
    let text = TextRenderer().render(report)
    #expect(text.contains("DOUBLE FREE  7 calls\n"))
    #expect(text.contains("serial           30, 31, 32, 33, 34, …\n"))
  }

  @Test func aStringThatIsDamagedTwiceIsOneString() throws {
    let report = try report([event(.overrun, serial: 30), event(.overrun, serial: 30)])
    #expect(TextRenderer().render(report).contains("OVERRUN  1 BSTR, 2 times\n"))
  }

  // MARK: refused releases

  @Test(arguments: [EventKind.invalidFree, .wrongDeallocator])
  func aStringWhoseWrongReleaseWasRefusedIsNoLeak(_ kind: EventKind) throws {
    // Of the sample's live strings, the first.
    let report = try report([event(kind, .interior, serial: 1)])
    #expect(report.leakedBstrs == 3)
    let fault = try #require(report.findings.first { $0.detail == "interior" })
    #expect(fault.remarks.last?.hasPrefix("The BSTR stays allocated") == true)
  }

  @Test func aPinnedStringIsALeakAllTheSame() throws {
    var pin = EventRecord(.pin)
    pin.pointer = 0x1016
    pin.detected = StackID(rawValue: 6)
    let report = try report([event(.invalidFree, .interior, serial: 1), pin])
    #expect(report.leakedBstrs == 4)
  }

  @Test func aStringThatIsReleasedInSpiteOfTheFaultStaysWhatItIs() throws {
    // It was released then, so that a live string of this number is another matter.
    let report = try report([event(.wrongDeallocator, .inFront, serial: 1)])
    #expect(report.leakedBstrs == 4)
    let released = try self.report([event(.invalidFree, .interior, serial: 99)])
    let fault = try #require(released.findings.first { $0.detail == "interior" })
    #expect(fault.remarks == [])
  }

  @Test func ofOtherScopesAStringIsALeakThere() throws {
    var fault = event(.invalidFree, .interior, serial: 1)
    fault.scope = ScopeID(rawValue: 5)
    let image = try SampleReport.image { writer in writer.add(fault, to: .events) }
    var names = CachingSymbolicator(SampleReport.names)
    let whole = Reporter().report(on: [image], symbolicator: &names)
    #expect(whole.leakedBstrs == 3)
    let scoped = Reporter().report(
      on: [image], symbolicator: &names, scope: ScopeID(rawValue: 0))
    #expect(scoped.leakedBstrs == 4)
  }

  // MARK: nothing found

  @Test func thatNothingWasFoundIsSaidOnce() throws {
    var report = try report([])
    report.processes[0].findings = []
    report.processes[0].notes = ["Something to know."]
    #expect(
      TextRenderer().render(report) == """
        bstrtrace: ./status-text (pid 4711)
           note: Something to know.

        bstrtrace: ./status-text: no findings in 104 allocations

        """)
    report.processes[0].end = .exit(3)
    let text = TextRenderer().render(report)
    #expect(text.ranges(of: "ended with status 3").count == 1)
  }
}
