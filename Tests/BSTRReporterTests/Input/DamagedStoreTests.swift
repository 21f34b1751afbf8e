import TestSupport
import Testing
import TraceOptions
import TraceStore

@testable import BSTRReporter

/// Whatever is in a store, a report comes out of it.
@Suite struct DamagedStoreTests {
  /// In parts, which run beside each other.
  @Test(arguments: 1...8) func damageByTheHundredNeverTraps(part: Int) throws {
    let whole = try SampleReport.image().packed()
    // Printed first: what traps is a test that says nothing afterwards.
    var random = SeededGenerator.printingSeed()
    var reported = 0
    for _ in 0..<75 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...20, using: &random) {
        // In the header from behind the version; the sections are as likely.
        let range = Bool.random(using: &random) ? 16..<1600 : 4096..<bytes.count
        // Extreme bytes are the likelier to overflow something.
        bytes[Int.random(in: range, using: &random)] =
          [0, 1, 0x7F, 0x80, 0xFF, UInt8.random(in: 0...255, using: &random)]
          .randomElement(using: &random) ?? 0
      }
      guard let image = try? bytes.withUnsafeBytes({ try StoreImage(bytes: $0) }) else { continue }
      var names = RuntimeSymbolicator()
      // Of one process, or of two that have the same findings.
      let images = Array(repeating: image, count: 1 + reported / ReportFormat.allCases.count % 2)
      let report = Reporter().report(on: images, symbolicator: &names)
      // In one format each: all of them would take five times as long.
      let format = ReportFormat.allCases[reported % ReportFormat.allCases.count]
      #expect(!format.renderer().bytes(of: report).isEmpty)
      reported += 1
    }
    #expect(reported > 15)
  }

  @Test func extremeCountsAreOnlyNumbers() throws {
    var whole = try SampleReport.image().packed()
    let counts = StoreLayout.shardCountsOffset..<StoreLayout.shardCountsOffset + 16
    for index in StoreLayout.countersOffset..<StoreLayout.countersOffset + 512 {
      whole[index] = 0xFF
    }
    for index in counts { whole[index] = 0xFF }
    let image = try whole.withUnsafeBytes { try StoreImage(bytes: $0) }
    var names = SampleReport.names
    let report = Reporter().report(on: [image, image], symbolicator: &names)
    #expect(TextRenderer().render(report).contains("in 18446744073709551615 allocations"))
  }
}
