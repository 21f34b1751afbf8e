import Testing
import TraceStore

@testable import BSTRReporter

/// All that stores hold on one string.
@Suite struct HistoryRendererTests {
  private func history(of serial: UInt64, processes: Int) throws -> String {
    let image = try SampleReport.image()
    var names = CachingSymbolicator(SampleReport.names)
    return Reporter().history(
      ofSerial: serial, in: Array(repeating: StoreReference(image), count: processes),
      symbolicator: &names)
  }

  /// A process's ends with its own line, and an empty one is between two.
  @Test func ofSeveralProcesses() throws {
    let one = try history(of: 4, processes: 1)
    #expect(one.hasPrefix("BSTR 4 of "))
    #expect(one.contains("bytes, never freed\n     allocated by     "))
    #expect(one.hasSuffix("\n") && !one.hasSuffix("\n\n"))
    #expect(try history(of: 4, processes: 2) == one + "\n" + one)
  }

  @Test func ofAStringThatThereIsNot() throws {
    #expect(try history(of: 0, processes: 1).hasPrefix("bstrtrace: there is no BSTR 0: "))
    #expect(try history(of: 1 << 40, processes: 2).hasPrefix("bstrtrace: there is no BSTR "))
  }
}
