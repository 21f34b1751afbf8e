// The mapped memory that a store is written to. Knows how to get it, in a file or anonymously, and
// how to grow into it without ever faulting; knows nothing of what is written.

import Glibc

/// A store's address range: reserved whole, filled section by section.
///
/// In a file the pages are populated before they are first written, so that a full disk is an
/// answer and not a signal. The file's descriptor is closed at once: a program that closes or
/// counts its descriptors is not disturbed.
@safe
public struct Region: ~Copyable {
  /// Where the header lies.
  public let base: UnsafeMutableRawPointer
  /// Bytes reserved.
  public let byteCount: Int
  private let isFile: Bool

  /// Why a region could not be had.
  public enum Failure: Error, Equatable {
    /// The file could not be made: an `errno`.
    case file(Int32)
    /// The address space or the disk has no room for even the smallest store.
    case noRoom
  }

  private static let largest = StoreLayout.maxBytes
  private static let smallest = 1 << 24
  private static let populateWrite: Int32 = 23  // MADV_POPULATE_WRITE, Linux 5.14
  private static let growthStep = 1 << 18

  /// A region in anonymous memory, for a report made by the process itself.
  public static func anonymous() throws(Failure) -> Region {
    var size = largest
    while size >= smallest {
      let base = unsafe mmap(
        nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
      if let base = unsafe base, unsafe base != MAP_FAILED {
        return unsafe Region(base: base, byteCount: size, isFile: false)
      }
      size /= 4
    }
    throw .noRoom
  }

  /// A region in a new file, for a report that survives the process.
  ///
  /// - Parameter path: a zero-terminated path at which nothing exists.
  public static func file(at path: UnsafePointer<CChar>) throws(Failure) -> Region {
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .file(errno) }
    defer { close(descriptor) }
    var size = largest
    while size >= smallest {
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

  /// Maps `size` bytes of the file, or answers `nil` when a smaller size may do.
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
    // Else the kernel reads ahead where a section begins, which takes milliseconds to find that
    // nothing is there.
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

  /// Fills the beginning of the file, as far as there is room: the first page that is populated
  /// where nothing was written takes ext4 milliseconds.
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
  ///   - limit: where the section ends.
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
        let least = (end + page - 1) / page * page
        guard unsafe madvise(base + start, least - start, Self.populateWrite) == 0 else {
          return false
        }
        ready = least
        return true
      }
    }
    ready = target
    return true
  }

  /// Gives the memory back.
  ///
  /// Nothing points into it any more.
  public consuming func unmap() {
    unsafe munmap(base, byteCount)
  }
}
