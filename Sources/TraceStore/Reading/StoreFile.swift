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
    // A pipe waits for a writer otherwise.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else { throw .unreadable(path: path, errno: errno) }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw .unreadable(path: path, errno: errno)
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw .unreadable(path: path, errno: EISDIR)
    default: throw .irregular(path: path)
    }
    var images: [StoreImage] = []
    var start = 0
    repeat {
      do throws(StoreImage.Failure) {
        let image = try StoreImage(available: Int(status.st_size) - start) { offset, count in
          read(descriptor, at: start + offset, count)
        }
        images.append(image)
        guard image.header.storeBytes >= UInt64(StoreLayout.headerBytes),
          image.header.storeBytes <= UInt64(Int(status.st_size) - start)
        else { break }
        start += Int(image.header.storeBytes)
      } catch {
        if images.isEmpty { throw .store(path: path, error) }
        return (images, "what follows its first \(images.count) of stores \(error)")
      }
    } while start < Int(status.st_size)
    return (images, nil)
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
