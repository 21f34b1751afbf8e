import TestSupport
import Testing
import TraceStore

@testable import BSTRAllocator

/// Histories of declared strings: what is kept of many entries, and what is open.
@Suite struct HistoryTableTests {
  private func entry(_ action: DeclaredAction, _ time: UInt32) -> HistoryEntry {
    var entry = HistoryEntry()
    entry.action = action.rawValue
    entry.milliseconds = time
    return entry
  }

  private func times(_ record: HistoryRecord) -> [UInt32] {
    (0..<min(Int(record.total), HistoryRecord.capacity)).map { record.entries[$0].milliseconds }
  }

  @Test func theFirstAndTheLatestStayAndOldOnesAreThinned() throws {
    let table = HistoryTable()
    let writer = StoreWriter(in: try Region.anonymous())
    writer.publish()
    for time in 1...UInt32(1000) {
      _ = table.add(entry(.noted, time), to: 4096, serial: 7, isNew: true, in: writer)
      let record = try #require(try StoreImage(bytes: writer.bytes).histories.first)
      let kept = times(record)
      #expect(kept.first == 1)
      #expect(kept.last == time)
      #expect(kept == kept.sorted())
      #expect(record.total == time)
      #expect(Set(kept).count == min(Int(time), HistoryRecord.capacity))
      // The eight are more than the first and the seven latest: they reach further back.
      if time > 100 { #expect(kept[1] + 16 <= time, "\(kept)") }
    }
  }

  @Test func loansAndHandOversAreOpenUntilTheyEnd() throws {
    let table = HistoryTable()
    let writer = StoreWriter(in: try Region.anonymous())
    func add(_ action: DeclaredAction, _ time: UInt32) -> HistoryTable.Outcome? {
      table.add(entry(action, time), to: 4096, serial: 7, isNew: true, in: writer)
    }
    let beforeAll = table.add(
      entry(.freed, 0), to: 4096, serial: 7, isNew: false, in: writer)
    #expect(beforeAll == nil)
    #expect(add(.lent, 1)?.lent == nil)
    #expect(add(.noted, 2)?.lent?.milliseconds == 1)
    #expect(add(.givenBack, 3)?.lent?.milliseconds == 1)
    #expect(add(.handedOver, 4)?.lent == nil)
    #expect(add(.adopted, 5)?.handedOver?.milliseconds == 4)
    #expect(add(.noted, 6)?.handedOver == nil)
    // Another string at the same address has a history of its own.
    let other = table.add(entry(.lent, 9), to: 4096, serial: 8, isNew: true, in: writer)
    #expect(other?.handedOver == nil)
  }
}
