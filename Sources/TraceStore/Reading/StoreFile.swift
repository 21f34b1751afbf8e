// Reads stores from files, one process after another. Does not interpret them.

import Glibc

/// A file of stores: each starts where the one before ends.
public enum StoreFile {
  /// Why a file could not be read.
  public enum Failure: Error, CustomStringConvertible {
    /// It could not be opened or read: its path and an `errno`.
    case unreadable(path: String, errno: Int32)
    /// What is at its start is no store of ours.
    case store(path: String, StoreImage.Failure)

    /// One sentence for standard error.
    public var description: String {
      switch self {
      case .unreadable(let path, let number):
        "cannot read '\(path)': \(unsafe String(cString: strerror(number)))"
      case .store(let path, let failure): "'\(path)' \(failure)"
      }
    }
  }

  /// Every store in the file, in order.
  ///
  /// A store behind the first that cannot be read ends the list and is told as damage of the file.
  ///
  /// - Returns: the stores, and what was wrong behind them (`nil` for a sound file).
  public static func images(
    at path: String
  ) throws(Failure) -> (images: [StoreImage], damage: String?) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unreadable(path: path, errno: errno) }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw .unreadable(path: path, errno: errno)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw .unreadable(path: path, errno: status.st_mode & S_IFMT == S_IFDIR ? EISDIR : EINVAL)
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

  /// A hole that no section has in what is filled, not even where a copy has left out pages of
  /// zeros.
  private static let maxHole = 1 << 20

  /// Of `count` bytes from an offset, how many there are in front of a large hole: a few kilobytes
  /// on a disk may claim to be gigabytes, for which there is no memory.
  private static func filled(_ descriptor: Int32, at offset: Int, _ count: Int) -> Int {
    let (seekData, seekHole): (Int32, Int32) = (3, 4)
    let end = offset + count
    var place = offset
    while place < end {
      let data = Int(lseek(descriptor, off_t(place), seekData))
      // Not every file system knows.
      if data < 0, errno != ENXIO { return count }
      let next = data < 0 ? end : min(end, data)
      if next - place > maxHole { return place - offset }
      if next == end { return count }
      let hole = Int(lseek(descriptor, off_t(next), seekHole))
      if hole <= next { return count }
      place = hole
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
