import Foundation
import Testing

@testable import TraceStore

/// Files of one or several stores.
@Suite struct StoreFileTests {
  private func withFile(_ bytes: [UInt8], _ body: (String) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
    try Data(bytes).write(to: URL(filePath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
  }

  @Test func storesFollowOneAnother() throws {
    let one = try SampleStore.bytes()
    try withFile(one + one + one) { path in
      let (images, damage) = try StoreFile.images(at: path)
      #expect(images.count == 3)
      #expect(damage == nil)
    }
  }

  /// References are read when they are needed: a file that is gone or cut off by then is an error.
  @Test func referencesReadTheirStores() throws {
    let one = try SampleStore.bytes()
    try withFile(one + one + [1, 2, 3]) { path in
      let (stores, damage) = try StoreFile.references(at: path)
      let images = try StoreFile.images(at: path).images
      #expect(damage?.contains("is cut short") == true)
      #expect(stores.count == 2 && images.count == 2)
      for (store, image) in zip(stores, images) {
        #expect(try store.image().packed() == image.packed())
      }
      #expect(truncate(path, off_t(one.count)) == 0)
      #expect(try stores[0].image().packed() == images[0].packed())
      #expect(throws: StoreFile.Failure.self) { try stores[1].image() }
    }
  }

  @Test func whatFollowsAStoreAndIsNoneIsTold() throws {
    let one = try SampleStore.bytes()
    try withFile(one + [1, 2, 3, 4, 5, 6, 7, 8, 9]) { path in
      let (images, damage) = try StoreFile.images(at: path)
      #expect(images.count == 1)
      #expect(damage?.contains("is not a bstrtrace store") == true)
    }
  }

  /// A store whose events are a hole of so many bytes at the end of the file.
  private func withHole(_ byteCount: Int, _ body: (StoreImage) throws -> Void) throws {
    var bytes = try SampleStore.bytes()
    bytes.storeRecord(
      SectionEntry(
        offset: UInt64(bytes.count), capacity: UInt64(byteCount), used: UInt64(byteCount)),
      at: StoreLayout.sectionTableOffset + SectionKind.events.rawValue * 24)
    try withFile(bytes) { path in
      #expect(truncate(path, off_t(bytes.count + byteCount)) == 0)
      try body(try #require(try StoreFile.images(at: path).images.first))
    }
  }

  /// A file of a few kilobytes may say that it is larger than any memory.
  @Test func largeHolesAreNotRead() throws {
    try withHole(1 << 35) { image in
      #expect(image.events.count < 100)
      let damage = image.damage.joined(separator: "\n")
      #expect(damage.hasSuffix(" of 34359738368 bytes of its events are there"), "\(damage)")
    }
  }

  /// A copy may leave out pages of zeros.
  @Test func smallHolesAreZeros() throws {
    try withHole(96 * 4000) { image in
      #expect(image.events.count == 4000)
      #expect(image.damage.isEmpty)
    }
  }

  @Test func missingFilesAndFoldersAreNamed() throws {
    #expect {
      try StoreFile.images(at: "/nonexistent/x.store")
    } throws: { error in
      "\(error)" == "cannot read '/nonexistent/x.store': No such file or directory"
    }
    #expect {
      try StoreFile.images(at: "/tmp")
    } throws: { error in
      "\(error)" == "cannot read '/tmp': Is a directory"
    }
  }
  @Test func aPipeIsNotWaitedFor() {
    let pipe = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
    #expect(mkfifo(pipe, 0o600) == 0)
    defer { try? FileManager.default.removeItem(atPath: pipe) }
    #expect {
      try StoreFile.images(at: pipe)
    } throws: { error in
      "\(error)" == "cannot read '\(pipe)': it is not a regular file"
    }
  }
}
