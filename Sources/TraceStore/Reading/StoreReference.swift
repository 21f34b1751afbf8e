// A store that is read when it is needed: of many, one is in memory at a time.

/// One process's store, in memory or in a file.
public struct StoreReference: Sendable {
  private enum Location: Sendable {
    case memory(StoreImage)
    case file(path: String, start: Int)
  }

  private let location: Location

  /// A store that is in memory.
  public init(_ image: StoreImage) { location = .memory(image) }

  /// A store in a file.
  ///
  /// - Parameter start: bytes from the file's start.
  public init(path: String, start: Int) { location = .file(path: path, start: start) }

  /// Returns the store, read anew where it is in a file.
  public func image() throws(StoreFile.Failure) -> StoreImage {
    switch location {
    case .memory(let image): image
    case .file(let path, let start): try StoreFile.image(at: path, from: start)
    }
  }
}
