import Foundation
import Synchronization
import TestSupport
import Testing

@testable import TraceStore

/// Reading what was written, and surviving what was not.
@Suite struct StoreImageTests {
  @Test func readsBackWhatWasWritten() throws {
    let image = try SampleStore.image()
    #expect(image.damage.isEmpty)
    #expect(image.executable == "/bin/app")
    #expect(image.arguments == ["app", "-x", ""])
    #expect(image.count(.allocations) == 3)
    #expect(image.count(.frees) == 1)
    let module = try #require(image.module(ModuleID(rawValue: 2)))
    #expect(image.text(module.path) == "/lib/libx.so")
    #expect(Array(image.rawText(module.buildID)) == [1, 2, 3])
    #expect(image.stack(StackID(rawValue: 1)).frames.map(\.address) == [0x1234, 0x2345])
    var serials: [UInt64] = []
    image.forEachLiveBlock { serials.append($0.serial) }
    #expect(serials == [1, 3])
    #expect(image.values()[3]?.bytes == [0x61, 0, 0x62, 0, 0x63, 0])
  }

  @Test func packedStoreReadsTheSame() throws {
    let bytes = try SampleStore.bytes()
    let again = try bytes.withUnsafeBytes { try StoreImage(bytes: $0) }
    #expect(again.packed() == bytes)
    #expect(again.damage.isEmpty)
    #expect(again.header.storeBytes == UInt64(bytes.count))
  }

  @Test func packedStoresHaveNoFreePlaces() throws {
    let whole = try SampleStore.image()
    let again = try whole.packed().withUnsafeBytes { try StoreImage(bytes: $0) }
    let entry = StoreLayout.sectionTableOffset + SectionKind.blocks.rawValue * 24
    #expect(whole.packed().load(UInt64.self, at: entry + 16) == 2 * 32)
    var serials: [UInt64] = []
    again.forEachLiveBlock { serials.append($0.serial) }
    #expect(serials == [1, 3])
  }

  @Test func impossibleNumbersAreDamage() throws {
    func damage(_ change: (inout [UInt8]) -> Void) throws -> (image: StoreImage, text: String) {
      var bytes = try SampleStore.bytes()
      change(&bytes)
      let image = try bytes.withUnsafeBytes { try StoreImage(bytes: $0) }
      return (image, image.damage.joined(separator: "\n"))
    }
    let width = try damage { bytes in
      let at = MemoryLayout<StoreHeader>.offset(of: \.olecharBytes) ?? 0
      bytes.storeRecord(UInt32.max, at: at)
    }
    #expect(width.image.header.olecharBytes == 0)
    #expect(width.text == "an OLECHAR of 4294967295 bytes is impossible; strings are left out")
    // Each could be; together they are more than a store has.
    let sum = try damage { bytes in
      for kind in [SectionKind.text, .stacks] {
        let most = UInt64(StoreLayout.maxBytes)
        bytes.storeRecord(
          SectionEntry(offset: 4096, capacity: most, used: most),
          at: StoreLayout.sectionTableOffset + kind.rawValue * 24)
      }
    }
    #expect(sum.text.contains("the table entry of its stacks is impossible; they are left out"))
    #expect(sum.image.stack(StackID(rawValue: 1)).frames.isEmpty)
    let pid = try damage { bytes in
      let at = MemoryLayout<StoreHeader>.offset(of: \.pid) ?? 0
      bytes.storeRecord(UInt32.max, at: at)
    }
    #expect(pid.image.header.processID == Int32.max)
  }

  @Test func nothingAndOthersAreNamed() throws {
    func failure(_ bytes: [UInt8]) -> StoreImage.Failure? {
      do {
        _ = try bytes.withUnsafeBytes { try StoreImage(bytes: $0) }
        return nil
      } catch {
        return error as? StoreImage.Failure
      }
    }
    #expect(failure([]) == .empty)
    #expect(failure([1, 2, 3]) == .tooShort(3))
    #expect(failure([UInt8](repeating: 7, count: 5000)) == .notAStore)
    var bytes = try SampleStore.bytes()
    #expect(failure(Array(bytes.prefix(100))) == .tooShort(100))
    bytes[8] = 9
    #expect(failure(bytes) == .version(9))
  }

  @Test func everyCutIsReadAsFarAsItGoes() throws {
    let whole = try SampleStore.bytes()
    for count in 0..<whole.count {
      let cut = Array(whole.prefix(count))
      guard let image = try? cut.withUnsafeBytes({ try StoreImage(bytes: $0) }) else {
        #expect(count < StoreLayout.headerBytes)
        continue
      }
      touchEverything(in: image)
      // The last bytes may be padding between sections, which nobody misses.
      if count < whole.count - 8 { #expect(!image.damage.isEmpty, "cut at \(count)") }
    }
  }

  /// In parts, which run beside each other.
  @Test(arguments: 1...8) func damageByTheThousandNeverTraps(part: UInt64) throws {
    let whole = try SampleStore.bytes()
    var random = SeededGenerator(seed: 20_261_123 + part)
    for _ in 0..<1000 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...12, using: &random) {
        // Mostly where references stand: a flipped zero of the header's padding proves nothing.
        let header = Bool.random(using: &random)
        let range = header ? 8..<1600 : StoreLayout.headerBytes..<bytes.count
        bytes[Int.random(in: range, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      if Bool.random(using: &random) {
        bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
      }
      if let image = try? bytes.withUnsafeBytes({ try StoreImage(bytes: $0) }) {
        touchEverything(in: image)
      }
    }
  }

  private func touchEverything(in image: StoreImage) {
    _ = image.executable
    _ = image.arguments
    for id in 0..<5 { _ = image.module(ModuleID(rawValue: UInt16(id))).map { image.text($0.path) } }
    image.forEachLiveBlock { block in
      for frame in image.stack(block.stack).frames { _ = image.module(frame.module) }
    }
    _ = image.values()
    _ = image.packed()
  }

  /// A store may have any records.
  @Test func holdersAreReadWithinLimits() throws {
    func image(_ records: [HolderRecord]) throws -> StoreImage {
      let writer = StoreWriter(in: try Region.anonymous())
      for record in records { writer.add(record, to: .holders) }
      writer.publish()
      let image = try StoreImage(bytes: writer.bytes)
      writer.unmap()
      return image
    }
    func record(_ serial: UInt64, _ kind: HolderPlace, chain: Int = 0) -> HolderRecord {
      HolderRecord(serial: serial, kind: kind, chain: chain)
    }
    let two = try image([
      record(1, .heap), record(1, .heap), record(1, .data), record(1, .stack, chain: 1),
      record(2, .nobody), record(3, .data),
    ]).holders()
    #expect(two[1]?.map { $0.map(\.kind) } == [[3, 3, 1], [4]])
    #expect(two[2]?.isEmpty == true)
    #expect(two[3]?.count == 1)
    // Longer chains and more of them than any search finds, and what is no record.
    var odd = record(4, .data)
    odd.kind = 9
    var unknown = record(4, .data)
    unknown.match = 0
    let many =
      Array(repeating: record(1, .heap), count: 40)
      + (0..<40).map { record(2, .data, chain: $0) } + [odd, unknown, record(0, .data)]
    let read = try image(many).holders()
    #expect((read[1] ?? []).allSatisfy { $0.count <= 5 } && (read[1] ?? []).count <= 2)
    #expect(read[2]?.count == 2)
    #expect(read[4] == nil && read[0] == nil)
  }
}
