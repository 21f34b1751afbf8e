// Reads stores from files, one process after another. Does not interpret them.

import Glibc

/// A file of stores: each starts where the one before ends.
public enum StoreFile {
  /// The errors of reading a file.
  public enum Failure: Error, CustomStringConvertible {
    /// The file could not be opened or read: its path and an `errno`.
    case unreadable(path: String, errno: Int32)
    /// The path is a pipe's, a socket's or a device's: a store is read in more than one place.
    case irregular(path: String)
    /// The file does not start with a valid store.
    case store(path: String, StoreImage.Failure)

    /// The error in one sentence, for standard error.
    public var description: String {
      switch self {
      case .unreadable(let path, let code):
        "cannot read '\(path)': \(unsafe String(cString: strerror(code)))"
      case .irregular(let path): "cannot read '\(path)': it is not a regular file"
      case .store(let path, let failure): "'\(path)' \(failure)"
      }
    }
  }

  /// Reads every store in the file, in order.
  ///
  /// A store behind the first that cannot be read ends the list, and is reported as corruption of
  /// the file.
  ///
  /// - Returns: the stores, and the corruption behind them (`nil` for a sound file).
  public static func images(
    at path: String
  ) throws(Failure) -> (images: [StoreImage], damage: String?) {
    var images: [StoreImage] = []
    let damage = try forEachStore(at: path) { image, _ in images.append(image) }
    return (images, damage)
  }

  /// Reads every store in the file, in order, and returns where they are.
  ///
  /// - Returns: as `images(at:)`, with references.
  public static func references(
    at path: String
  ) throws(Failure) -> (stores: [StoreReference], damage: String?) {
    var stores: [StoreReference] = []
    let damage = try forEachStore(at: path) { _, start in
      stores.append(StoreReference(path: path, start: start))
    }
    return (stores, damage)
  }

  /// Reads the header of the first store in a file.
  public static func header(at path: String) throws(Failure) -> StoreHeader {
    let (descriptor, _) = try open(path)
    defer { close(descriptor) }
    do throws(StoreImage.Failure) {
      return try StoreImage.header(read(descriptor, at: 0, StoreLayout.headerBytes))
    } catch {
      throw .store(path: path, error)
    }
  }

  /// Returns the bytes of a file of stores: all that can still be read.
  public static func bytes(of stores: [StoreReference]) -> [UInt8] {
    var bytes: [UInt8] = []
    for store in stores { bytes += (try? store.image().packed()) ?? [] }
    return bytes
  }

  /// Reads the store that begins at a byte of a file.
  static func image(at path: String, from start: Int) throws(Failure) -> StoreImage {
    let (descriptor, size) = try open(path)
    defer { close(descriptor) }
    do throws(StoreImage.Failure) {
      return try image(descriptor, from: start, of: size)
    } catch {
      throw .store(path: path, error)
    }
  }

  /// Calls `body` with each store and the byte that it begins at.
  private static func forEachStore(
    at path: String, _ body: (StoreImage, Int) -> Void
  ) throws(Failure) -> String? {
    let (descriptor, size) = try open(path)
    defer { close(descriptor) }
    var count = 0
    var start = 0
    repeat {
      do throws(StoreImage.Failure) {
        let image = try image(descriptor, from: start, of: size)
        body(image, start)
        count += 1
        guard image.header.storeBytes >= UInt64(StoreLayout.headerBytes),
          image.header.storeBytes <= UInt64(size - start)
        else { break }
        start += Int(image.header.storeBytes)
      } catch {
        if count == 0 { throw .store(path: path, error) }
        return "what follows its first \(count) of stores \(error)"
      }
    } while start < size
    return nil
  }

  /// Opens a file; returns its descriptor and its size.
  private static func open(_ path: String) throws(Failure) -> (Int32, Int) {
    // A pipe waits for a writer otherwise.
    let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else { throw .unreadable(path: path, errno: errno) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      let code = errno
      close(descriptor)
      throw .unreadable(path: path, errno: code)
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return (descriptor, Int(status.st_size))
    case S_IFDIR:
      close(descriptor)
      throw .unreadable(path: path, errno: EISDIR)
    default:
      close(descriptor)
      throw .irregular(path: path)
    }
  }

  private static func image(
    _ descriptor: Int32, from start: Int, of size: Int
  ) throws(StoreImage.Failure) -> StoreImage {
    // What the file has of a store that was being written, part by part.
    let extents = extents(read(descriptor, at: start, StoreLayout.headerBytes))
    guard let end = extents.map(\.bytes.upperBound).max() else {
      return try StoreImage(available: size - start) { offset, count in
        read(descriptor, at: start + offset, count)
      }
    }
    return try StoreImage(available: end) { offset, count in
      var bytes: [UInt8] = []
      while bytes.count < count {
        let position = offset + bytes.count
        guard let place = fileOffset(of: position, in: extents) else { break }
        let got = read(
          descriptor, at: start + place.offset, min(count - bytes.count, place.count))
        if got.isEmpty { break }
        bytes = bytes.isEmpty ? got : bytes + got
      }
      return bytes
    }
  }

  /// Returns the parts of a store, the header as the first, by the header's list of the others;
  /// none of a store that is in its file as it is.
  private static func extents(_ header: [UInt8]) -> [StoreExtent] {
    guard header.count == StoreLayout.headerBytes else { return [] }
    let listed = (0..<StoreLayout.maxExtents).map { index in
      StoreExtent(word: header.load(UInt64.self, at: StoreLayout.extentsOffset + index * 8))
    }.prefix { $0.page != 0 }
    return listed.isEmpty ? [] : [StoreExtent(0..<StoreLayout.headerBytes)] + listed
  }

  /// Returns where a byte of a store is in the file, and how many follow it there; `nil` where it
  /// is not.
  private static func fileOffset(
    of position: Int, in extents: [StoreExtent]
  ) -> (offset: Int, count: Int)? {
    var start = 0
    for extent in extents {
      if extent.bytes.contains(position) {
        return (
          start + position - extent.bytes.lowerBound, extent.bytes.upperBound - position
        )
      }
      start += extent.bytes.count
    }
    return nil
  }

  /// The limit of a hole in bytes: no filled part of a section has a larger one, not even where a
  /// copy has left out pages of zeros.
  private static let maxHole = 1 << 20

  /// Returns how many of `count` bytes from an offset are in front of a large hole: a sparse file
  /// of a few kilobytes may claim to be gigabytes, for which there is no memory.
  private static func filled(_ descriptor: Int32, at offset: Int, _ count: Int) -> Int {
    let (seekData, seekHole): (Int32, Int32) = (3, 4)
    let end = offset + count
    var position = offset
    while position < end {
      let data = Int(lseek(descriptor, off_t(position), seekData))
      // Not every file system supports this.
      if data < 0, errno != ENXIO { return count }
      let next = data < 0 ? end : min(end, data)
      if next - position > maxHole { return position - offset }
      if next == end { return count }
      let hole = Int(lseek(descriptor, off_t(next), seekHole))
      if hole <= next { return count }
      position = hole
    }
    return count
  }

  private static func read(_ descriptor: Int32, at offset: Int, _ count: Int) -> [UInt8] {
    let count = Self.filled(descriptor, at: offset, count)
    return unsafe Array(unsafeUninitializedCapacity: count) { buffer, filled in
      filled = 0
      while filled < count, let base = buffer.baseAddress {
        let got = unsafe pread(descriptor, base + filled, count - filled, off_t(offset + filled))
        if got <= 0 { break }
        filled += got
      }
    }
  }
}
