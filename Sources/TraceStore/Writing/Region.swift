// The memory that a store is written to, in a file or anonymous, which grows without ever faulting.
// Does not know the store's layout.

import Glibc

/// The address range of a store: reserved whole, filled section by section.
@safe
public struct Region: ~Copyable {
  /// The address of the header.
  public let base: UnsafeMutableRawPointer
  /// The count of reserved bytes.
  public let byteCount: Int
  private let file: GrowingFile?

  /// The errors of creating a region.
  public enum Failure: Error, Equatable {
    /// The file could not be created: an `errno`.
    case file(Int32)
    /// The address space or the disk has no room for even the smallest store.
    case noRoom
  }

  private static let minBytes = 1 << 24

  /// Reserves a region in anonymous memory, for a report made by the process itself.
  ///
  /// - Throws: `noRoom`.
  public static func anonymous() throws(Failure) -> Region {
    var size = StoreLayout.maxBytes
    while size >= minBytes {
      if let base = unsafe reserve(size, PROT_READ | PROT_WRITE) {
        return unsafe Region(base: base, byteCount: size, file: nil)
      }
      size /= 4
    }
    throw .noRoom
  }

  /// Reserves a region for a new file, for a report that survives the process.
  ///
  /// - Parameter path: a zero-terminated path at which nothing exists.
  public static func file(at path: UnsafePointer<CChar>) throws(Failure) -> Region {
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .file(errno) }
    defer { close(descriptor) }
    var size = StoreLayout.maxBytes
    while size >= minBytes {
      if let base = unsafe reserve(size, PROT_NONE) {
        if let file = unsafe GrowingFile.make(
          of: descriptor, path: path, base: base, byteCount: size)
        {
          return unsafe Region(base: base, byteCount: size, file: file)
        }
        unsafe munmap(base, size)
      }
      size /= 4
    }
    unsafe unlink(path)
    throw .noRoom
  }

  private static func reserve(_ size: Int, _ protection: Int32) -> UnsafeMutableRawPointer? {
    let base = unsafe mmap(
      nil, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    return unsafe base == MAP_FAILED ? nil : base
  }

  private init(base: UnsafeMutableRawPointer, byteCount: Int, file: consuming GrowingFile?) {
    unsafe self.base = unsafe base
    self.byteCount = byteCount
    self.file = file
  }

  /// The least and the most that a section grows by; in between it doubles.
  private static let growthSteps = 1 << 14...1 << 26

  /// Makes the bytes up to `end` of a section writable.
  ///
  /// - Parameters:
  ///   - end: bytes from the region's start.
  ///   - ready: bytes from the region's start up to which the section is writable; raised on
  ///     success.
  ///   - bounds: the section's, in bytes from the region's start.
  /// - Returns: false when the section or the disk is full.
  public func extend(to end: Int, ready: inout Int, within bounds: Range<Int>) -> Bool {
    if end <= ready { return true }
    guard end <= bounds.upperBound else { return false }
    switch file {
    case .none:
      ready = bounds.upperBound
      return true
    case .some(let file):
      let steps = Self.growthSteps
      let step = min(max(ready - bounds.lowerBound, steps.lowerBound), steps.upperBound)
      // Where the whole step does not fit on the disk, this write alone may.
      for target in [max(end, ready + step), end] {
        let target = min(bounds.upperBound, (target + 4095) / 4096 * 4096)
        if file.append(target - ready, at: ready) {
          ready = target
          return true
        }
      }
      return false
    }
  }

  /// Unmaps the region.
  ///
  /// No pointer into it may be used any more.
  public consuming func unmap() {
    if let file = consume file { file.unmap() }
    unsafe munmap(base, byteCount)
  }
}
