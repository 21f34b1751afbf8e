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

  @Test func whatFollowsAStoreAndIsNoneIsTold() throws {
    let one = try SampleStore.bytes()
    try withFile(one + [1, 2, 3, 4, 5, 6, 7, 8, 9]) { path in
      let (images, damage) = try StoreFile.images(at: path)
      #expect(images.count == 1)
      #expect(damage?.contains("is not a bstrtrace store") == true)
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
}
