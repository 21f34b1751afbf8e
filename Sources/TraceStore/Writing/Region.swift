// Maps the memory that a store is written to, in a file or anonymously, and grows into it without
// ever faulting. Does not know the store's layout.

import Glibc

/// The address range of a store: reserved whole, filled section by section.
///
/// In a file the pages are populated before they are first written, so that a full disk is an error
/// and not a signal. The file's descriptor is closed at once: a program that closes or counts its
/// descriptors is not disturbed.
@safe
public struct Region: ~Copyable {
  /// The address of the header.
  public let base: UnsafeMutableRawPointer
  /// The count of reserved bytes.
  public let byteCount: Int
  private let isFile: Bool

  /// The errors of creating a region.
  public enum Failure: Error, Equatable {
    /// The file could not be created: an `errno`.
    case file(Int32)
    /// The address space or the disk has no room for even the smallest store.
    case noRoom
  }

  private static let maxBytes = StoreLayout.maxBytes
  private static let minBytes = 1 << 24
  private static let populateWrite: Int32 = 23  // MADV_POPULATE_WRITE, Linux 5.14
  private static let growthStep = 1 << 18

  /// Reserves a region in anonymous memory, for a report made by the process itself.
  ///
  /// - Throws: `noRoom`.
  public static func anonymous() throws(Failure) -> Region {
    var size = maxBytes
    while size >= minBytes {
      let base = unsafe mmap(
        nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
      if let base = unsafe base, unsafe base != MAP_FAILED {
        return unsafe Region(base: base, byteCount: size, isFile: false)
      }
      size /= 4
    }
    throw .noRoom
  }

  /// Reserves a region in a new file, for a report that survives the process.
  ///
  /// - Parameter path: a zero-terminated path at which nothing exists.
  public static func file(at path: UnsafePointer<CChar>) throws(Failure) -> Region {
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .file(errno) }
    defer { close(descriptor) }
    var size = maxBytes
    while size >= minBytes {
      if let region = map(descriptor, size) { return region }
      size /= 4
    }
    unsafe unlink(path)
    throw .noRoom
  }

  private init(base: UnsafeMutableRawPointer, byteCount: Int, isFile: Bool) {
    unsafe self.base = unsafe base
    self.byteCount = byteCount
    self.isFile = isFile
  }

  /// Maps `size` bytes of the file; returns `nil` when a smaller size may do.
  private static func map(_ descriptor: Int32, _ size: Int) -> Region? {
    // Beyond the limit the kernel would send SIGXFSZ, which ends most programs.
    var limit = rlimit()
    if unsafe getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0,
      limit.rlim_cur < UInt(size)
    {
      return nil
    }
    writeZeros(growthStep, to: descriptor)
    guard ftruncate(descriptor, size) == 0 else { return nil }
    let mapped = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
    guard let base = unsafe mapped, unsafe base != MAP_FAILED else { return nil }
    // Otherwise the kernel reads ahead at the start of each section, and takes milliseconds to find
    // a hole.
    unsafe madvise(base, size, MADV_RANDOM)
    if unsafe madvise(base, StoreLayout.headerBytes, populateWrite) == 0 {
      return unsafe Region(base: base, byteCount: size, isFile: true)
    }
    // A kernel before 5.14 cannot populate on demand: take a modest store whole, now.
    if errno == EINVAL, size <= 1 << 28, posix_fallocate(descriptor, 0, size) == 0 {
      return unsafe Region(base: base, byteCount: size, isFile: false)
    }
    unsafe munmap(base, size)
    return nil
  }

  /// Writes zeros to the beginning of the file, as far as there is room: in an unwritten part of
  /// the file ext4 takes milliseconds to populate the first page.
  private static func writeZeros(_ byteCount: Int, to descriptor: Int32) {
    let zeros = unsafe mmap(
      nil, byteCount, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let zeros = unsafe zeros, unsafe zeros != MAP_FAILED else { return }
    unsafe pwrite(descriptor, zeros, byteCount, 0)
    unsafe munmap(zeros, byteCount)
  }

  /// Makes the bytes up to `end` of a section writable.
  ///
  /// - Parameters:
  ///   - end: bytes from the region's start.
  ///   - ready: bytes from the region's start that are known to be writable; raised on success.
  ///   - limit: the section's end, in bytes from the region's start.
  /// - Returns: false when the disk is full.
  public func populate(upTo end: Int, ready: inout Int, limit: Int) -> Bool {
    if end <= ready { return true }
    guard end <= limit else { return false }
    let page = 4096
    let target = min(limit, (end + Self.growthStep - 1) / Self.growthStep * Self.growthStep)
    if isFile {
      let start = ready / page * page
      if unsafe madvise(base + start, target - start, Self.populateWrite) != 0 {
        // The whole step did not fit: this write alone may.
        let needed = (end + page - 1) / page * page
        guard unsafe madvise(base + start, needed - start, Self.populateWrite) == 0 else {
          return false
        }
        ready = needed
        return true
      }
    }
    ready = target
    return true
  }

  /// Unmaps the region.
  ///
  /// No pointer into it may be used any more.
  public consuming func unmap() {
    unsafe munmap(base, byteCount)
  }
}
