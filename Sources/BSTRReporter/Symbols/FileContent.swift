// Parts of a file, read when they are asked for. Nothing is mapped: a file that is written to or
// cut off while a report is made would end the process with SIGBUS.

import Glibc
import Synchronization

/// The content of a regular file, or of memory.
struct FileContent {
  /// Its bytes.
  let count: Int
  private let source: Source

  private enum Source {
    case memory([UInt8])
    case file(path: String, identity: Identity)
  }

  /// The identity of a file: distinguishes it from one that has replaced it.
  private struct Identity: Equatable {
    var device: UInt
    var inode: UInt
    var size: Int
    var modified: Int64

    init?(_ descriptor: Int32) {
      var status = stat()
      guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
      device = status.st_dev
      inode = status.st_ino
      size = status.st_size
      modified = status.st_mtim.nanoseconds
    }
  }

  /// A descriptor of a file.
  private final class OpenFile: Sendable {
    let descriptor: Int32
    let identity: Identity

    /// Opens the file; `nil` when another one is at the path by now.
    init?(_ path: String, _ identity: Identity) {
      let descriptor = FileContent.open(path)
      guard descriptor >= 0 else { return nil }
      self.descriptor = descriptor
      self.identity = identity
      if Identity(descriptor) != identity { return nil }
    }

    deinit { close(descriptor) }
  }

  /// The file that was read last: parts of one file are read one after the other, and of the many
  /// modules of a program only one stays open.
  private static let recent = Mutex<OpenFile?>(nil)

  /// Opens a file; `nil` when it cannot be read, or is none that has an end.
  ///
  /// Links are followed, as the loader does: libraries are recorded by their SONAME, which is a
  /// link to the file.
  init?(path: String) {
    let descriptor = Self.open(path)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    guard let identity = Identity(descriptor) else { return nil }
    count = identity.size
    source = .file(path: path, identity: identity)
  }

  /// The time when it was written last, in nanoseconds since 1970; `nil` for memory.
  var modified: Int64? {
    if case .file(_, let identity) = source { identity.modified } else { nil }
  }

  /// Content that is in memory already.
  init(bytes: [UInt8]) {
    count = bytes.count
    source = .memory(bytes)
  }

  /// Returns a part of it; `nil` when it is shorter, or another file by now.
  func bytes(at offset: Int, _ count: Int) -> [UInt8]? {
    guard offset >= 0, count >= 0, offset <= self.count, count <= self.count - offset else {
      return nil
    }
    switch source {
    case .memory(let bytes): return Array(bytes[offset..<offset + count])
    case .file(let path, let identity):
      return Self.recent.withLock { recent in
        if recent?.identity != identity { recent = OpenFile(path, identity) }
        // It may have been written to.
        guard let file = recent, Identity(file.descriptor) == identity else { return nil }
        return Self.read(file.descriptor, at: offset, count)
      }
    }
  }

  private static func read(_ descriptor: Int32, at offset: Int, _ count: Int) -> [UInt8]? {
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      filled = 0
      while filled < count, let base = buffer.baseAddress {
        let got = pread(descriptor, base + filled, count - filled, off_t(offset + filled))
        if got < 0, errno == EINTR { continue }
        if got <= 0 { break }
        filled += got
      }
    }
    return bytes.count == count ? bytes : nil
  }

  /// Returns a descriptor of a regular file, or -1.
  private static func open(_ path: String) -> Int32 {
    // A damaged store may name anything: the flags keep the process from waiting for a pipe's other
    // end, and from acting on a device.
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return -1 }
    return Glibc.open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
  }
}
