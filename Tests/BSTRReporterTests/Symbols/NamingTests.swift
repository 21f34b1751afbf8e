import TestSupport
import Testing
import TraceStore

@testable import BSTRReporter

/// Names are looked up for what is shown, and for nothing else.
@Suite struct NamingTests {
  /// Remembers which places it was asked for.
  private struct Recording: Symbolicator {
    var asked: Set<CodeLocation> = []

    mutating func symbols(for places: Set<CodeLocation>) -> [CodeLocation: [Symbol]] {
      asked.formUnion(places)
      var names = SampleReport.names
      return names.symbols(for: places)
    }

    mutating func dataSymbol(at location: CodeLocation) -> DataSymbol? {
      asked.insert(location)
      return nil
    }
  }

  private func places(
    _ image: StoreImage, hasMap: Bool = false, scope: ScopeID? = nil
  ) -> Int {
    var names = Recording()
    _ = Reporter(hasMap: hasMap).report(on: [image], symbolicator: &names, scope: scope)
    return names.asked.count
  }

  private func running(_ image: StoreImage) -> StoreImage {
    var image = image
    image.noteEnd(.running, status: 0)
    return image
  }

  /// The sample without any live block: an unfinished process has no leaks.
  private func withoutFindings(
    _ more: (borrowing StoreWriter) -> Void = { _ in }
  ) throws -> StoreImage {
    running(
      try SampleReport.image { writer in
        writer.header.pointee.endState = EndState.none.rawValue
        more(writer)
      })
  }

  @Test func aReportWithoutFindingsNamesNothing() throws {
    #expect(places(try withoutFindings()) == 0)
    #expect(places(try SampleReport.image()) > 0)
  }

  @Test func aMapNamesWhatItShows() throws {
    #expect(places(try withoutFindings(), hasMap: true) > 0)
  }

  @Test func aScopeWithoutFindingsNamesNothing() throws {
    #expect(places(try SampleReport.image(), scope: ScopeID(rawValue: 5)) == 0)
    // But for the stack of the allocation that was made to fail.
    #expect(places(try SampleReport.faults(), scope: ScopeID(rawValue: 5)) <= 4)
  }

  @Test func anAllocationThatWasMadeToFailIsNamedAlone() throws {
    let image = try withoutFindings { writer in
      var event = EventRecord(.failedAllocation)
      event.changed = 3
      event.detected = StackID(rawValue: 14)
      writer.add(event, to: .events)
    }
    #expect(places(image) == 3)
    var names = SampleReport.names
    let report = Reporter().report(on: [image], symbolicator: &names)
    #expect(report.processes[0].injectedFailures.first?.frame?.name == "ShowStatus(CMyClass&)")
  }

  @Test func aFaultNamesAllThatTheInferenceNeeds() throws {
    let image = try withoutFindings { writer in
      var event = EventRecord(.doubleFree)
      (event.allocated, event.freed, event.detected) = (
        StackID(rawValue: 1), StackID(rawValue: 14), StackID(rawValue: 14)
      )
      event.serial = 1
      writer.add(event, to: .events)
    }
    #expect(places(image) >= 5)
  }

  @Test func theReportSaysWhoNamed() throws {
    var names = CachingSymbolicator(PerfMapSymbolicator(RuntimeSymbolicator()))
    var report = Reporter().report(on: [try withoutFindings()], symbolicator: &names)
    #expect(report.symbolizer == nil)
    report = Reporter().report(on: [try SampleReport.image()], symbolicator: &names)
    #expect(report.symbolizer == .runtime)
    #expect(JSONRenderer().render(report).contains("\"symbolizer\" : \"runtime\""))
  }
}
