import TestSupport
import Testing
import TraceStore

@testable import BSTRReporter

/// What a leak shows of its strings, and the words for several findings.
@Suite struct LeakSampleTests {
  /// Twenty more strings of one stack, two of which the store has the text of.
  private func report() throws -> Report {
    let image = try SampleReport.image { writer in
      for serial in UInt64(10)..<30 {
        writer.add(
          BlockRecord(
            address: 0x9000 + serial * 64, serial: serial, byteLength: 2,
            stack: StackID(rawValue: 11),
            thread: 4711, milliseconds: 3), to: .blocks)
      }
      for (serial, letter) in [(27, 0x62), (18, 0x61)] as [(UInt64, UInt64)] {
        writer.add(ValueHead(serial: serial, byteLength: 2, kept: 2), to: .values)
        writer.add(letter, to: .values)
      }
    }
    var names = CachingSymbolicator(SampleReport.names)
    return Reporter().report(on: [image], symbolicator: &names)
  }

  @Test func valuesAreOfTheSerialNumbersBesideThem() throws {
    let leak = try #require(try report().leaks.first { $0.count == 21 })
    #expect(leak.serials == [4, 10, 11, 18, 27])
    #expect(leak.values.map(\.escaped) == ["a", "b"])
  }

  /// Of many strings, in any order and in several groups, the sample is that of all of them sorted.
  @Test(arguments: UInt64(0)..<200)
  func serialsInBoundedMemoryGiveTheSampleOfAll(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let all = Array(1...UInt64.random(in: 1...40, using: &random)).shuffled(using: &random)
    var values: [UInt64: Int] = [:]
    for serial in all where Bool.random(using: &random) { values[serial] = Int(serial % 4) }
    var groups = Array(repeating: SampleSerials(), count: 3)
    for serial in all {
      groups[Int.random(in: 0..<3, using: &random)].add(serial, hasValue: values[serial] != nil)
    }
    var serials = SampleSerials()
    for group in groups { serials.add(group) }
    let sample = Sample(of: serials.sorted.map { ($0, values[$0]) })
    let expected = Sample(of: all.sorted().map { ($0, values[$0]) })
    #expect(sample.serials == expected.serials)
    #expect(sample.values == expected.values)
    #expect(serials.sorted.first == 1)
  }

  @Test func severalFindingsOfAKindAreInThePlural() {
    func report(_ kind: FindingKind, _ count: Int) -> Report {
      let finding = Finding(kind: kind, count: 1, bytes: 2, message: "m", suppression: "s")
      return Report(processes: [
        ProcessReport(
          pid: 1, parentPid: 0, executable: "/bin/app", arguments: ["app"], end: .exit(0),
          totals: ProcessReport.Totals(
            allocations: 9, frees: 0, foreignFrees: 0, live: 9, liveBytes: 9, peakLive: 9,
            immortals: 0, ignored: 0, unrecorded: 0),
          findings: Array(repeating: finding, count: count), injectedFailures: [], notes: [])
      ])
    }
    for (kind, one, two) in [
      (.prefixDamage, "1 damaged prefix", "2 damaged prefixes"),
      (.writeAfterFree, "1 write after free", "2 writes after free"),
      (.overrun, "1 overrun", "2 overruns"), (.invalidUse, "1 invalid use", "2 invalid uses"),
    ] as [(FindingKind, String, String)] {
      #expect(TextRenderer().render(report(kind, 1)).hasSuffix("finding: \(one)\n"))
      #expect(TextRenderer().render(report(kind, 2)).hasSuffix("findings: \(two)\n"))
    }
  }

  @Test func sevenZipsFunctionForVariantsIsAWrapper() {
    #expect(Wrappers().isKnown("NWindows::NCOM::PropVariant_Clear"))
    #expect(!Wrappers().isKnown("PropVariant_ClearAll"))
  }
}
