import Foundation
import Glibc
import TestSupport
import Testing

@testable import TraceStore

/// Stores in files, which are as large as what is in them.
@Suite struct GrowingFileTests {
  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.path)
  }

  /// Adds blocks of the serial numbers, and an event for every thousandth.
  private func fill(_ writer: borrowing StoreWriter, _ serials: ClosedRange<UInt64>) {
    for serial in serials {
      writer.add(
        BlockRecord(
          address: 0x1000 * serial, serial: serial, byteLength: 2, stack: .none, thread: 1,
          milliseconds: 0), to: .blocks)
      if serial % 1000 == 0 { writer.add(EventRecord(.doubleFree), to: .events) }
    }
  }

  private func serials(in image: StoreImage) -> [UInt64] {
    var serials: [UInt64] = []
    image.forEachLiveBlock { serials.append($0.serial) }
    return serials
  }

  private func status(of path: String) -> stat {
    var status = stat()
    #expect(stat(path, &status) == 0)
    return status
  }

  /// What is read from the file is what was written, though its sections grew in turns.
  @Test func itReadsAsItWasWritten() throws {
    try withFolder { folder in
      let path = folder + "/store"
      let writer = StoreWriter(in: try Region.file(at: path))
      writer.header.pointee.executable = writer.add("/bin/app")
      writer.publish()
      let small = status(of: path)
      fill(writer, 1...100_000)
      let large = status(of: path)
      let image = try #require(try StoreFile.images(at: path).images.first)
      #expect(image.damage.isEmpty)
      #expect(image.executable == "/bin/app")
      #expect(serials(in: image) == Array(1...100_000))
      #expect(image.events.count == 100)
      #expect(try StoreImage(bytes: writer.bytes).packed() == image.packed())
      writer.unmap()
      // Header and text; then less than twice of what is filled, 3.2 MB and some.
      #expect(small.st_blocks * 512 <= 32 << 10)
      #expect(large.st_blocks * 512 <= 7 << 20)
      #expect(large.st_size <= 7 << 20 + GrowingFile.headroom)
    }
  }

  /// A process that has given up its rights, or uses all its descriptors, goes on recording.
  @Test func itGrowsWhereItCannotBeOpenedAnyMore() throws {
    try withFolder { folder in
      let (path, other) = (folder + "/store", folder + "/other")
      let writer = StoreWriter(in: try Region.file(at: path))
      writer.publish()
      fill(writer, 1...5000)
      #expect(rename(path, other) == 0)
      let size = status(of: other).st_size
      fill(writer, 5001...50_000)
      #expect(status(of: other).st_size == size)
      // What has its path by now is left alone.
      try "mine".write(toFile: path, atomically: false, encoding: .utf8)
      fill(writer, 50_001...100_000)
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "mine")
      // It is back.
      #expect(rename(other, path) == 0)
      fill(writer, 100_001...200_000)
      #expect(status(of: path).st_size > size)
      writer.unmap()
      let image = try #require(try StoreFile.images(at: path).images.first)
      #expect(image.damage.isEmpty)
      #expect(serials(in: image) == Array(1...200_000))
      #expect(image.events.count == 200)
    }
  }

  /// Sections that grow in turns do not use up the list of extents; the list's end is no fault.
  @Test func sectionsGrowUntilTheListIsFull() throws {
    try withFolder { folder in
      let path = folder + "/store"
      let file = try Region.file(at: path)
      let unit = file.byteCount / 64
      var ready = [unit, 2 * unit]
      var count = 0
      while file.extend(
        to: ready[count % 2] + 4096, ready: &ready[count % 2],
        within: ready[count % 2]..<(count % 2 + 2) * unit)
      {
        count += 1
      }
      #expect(count == StoreLayout.maxExtents)
      file.unmap()
    }
  }

  /// A damaged list of extents names parts that are not there, or are elsewhere.
  @Test func damagedExtentsAreToldAsDamage() throws {
    try withFolder { folder in
      let path = folder + "/store"
      let writer = StoreWriter(in: try Region.file(at: path))
      writer.publish()
      fill(writer, 1...5000)
      writer.unmap()
      // In place: most of the file is a hole.
      let file = open(path, O_RDWR | O_CLOEXEC)
      defer { close(file) }
      for word in [UInt64.max, 1, 1 << 63, StoreExtent(4096..<1 << 32).word] {
        for index in 0..<4 {
          let offset = off_t(StoreLayout.extentsOffset + index * 8)
          var (damaged, sound) = (word, UInt64(0))
          #expect(pread(file, &sound, 8, offset) == 8 && sound != word)
          #expect(pwrite(file, &damaged, 8, offset) == 8)
          defer { pwrite(file, &sound, 8, offset) }
          let image = try #require(try StoreFile.images(at: path).images.first)
          #expect(!image.damage.isEmpty || index == 3, "entry \(index), \(word)")
        }
      }
    }
  }
}
