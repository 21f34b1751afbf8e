// The file of a store that is being written: only as large as what is in it, and a part of the
// store's address space for each time that it grew.

import CMapping
import Glibc
import Synchronization

/// A file whose parts are mapped into an address range in the order in which they are needed.
///
/// What is mapped was written, so that a full disk is an error and not a signal. The descriptor is
/// closed at once: a program that closes or counts its descriptors is not disturbed. To grow, the
/// file is opened again by its path. Where the process has lost the right to, or has no descriptor
/// left, the file grows into its headroom, a hole at its end, which takes longer.
@safe
struct GrowingFile: ~Copyable {
  /// Bytes of the hole at the end of the file.
  static let headroom = 1 << 26
  /// Bytes that are written at once: zeros, of which a mapping takes no memory.
  private static let writtenBytes = 1 << 16
  private static let populateWrite: Int32 = 23  // MADV_POPULATE_WRITE, Linux 5.14

  private let path: UnsafeMutablePointer<CChar>
  private let device: dev_t
  private let inode: ino_t
  /// The process that writes it: a child that was made without `fork`'s handlers has the parent's.
  private let owner = getpid()
  /// The address range that the parts are mapped into; its first page has the header.
  private let base: UnsafeMutableRawPointer
  private let byteCount: Int
  /// A mapping of the whole file, and of more than it has: parts are moved from there.
  private let unused: UnsafeMutableRawPointer
  private let zeros: UnsafeMutableRawPointer
  /// How far the file is filled; guarded by `isLocked`.
  private let state: UnsafeMutablePointer<State>
  /// Not a Mutex, which traps when it is released in a child that a signal handler forked.
  private let isLocked: UnsafeMutablePointer<Atomic<Bool>>

  private struct State {
    /// Bytes of the file that are mapped to the address range.
    var filled = 0
    /// The count of extents, and the last one.
    var extents = 0
    var last: StoreExtent?
  }

  /// Takes an empty file, and maps its first page, which is to be the store's header, to `base`.
  ///
  /// - Parameters:
  ///   - path: a zero-terminated path, by which the file is opened again.
  ///   - base: the start of a range of reserved addresses.
  /// - Returns: `nil` where there is no room for it.
  static func make(
    of descriptor: Int32, path: UnsafePointer<CChar>, base: UnsafeMutableRawPointer, byteCount: Int
  ) -> GrowingFile? {
    let unused = unsafe map(byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor)
    guard let unused = unsafe unused else { return nil }
    let zeros = unsafe map(
      writtenBytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1)
    var status = stat()
    guard let zeros = unsafe zeros, unsafe fstat(descriptor, &status) == 0,
      let path = unsafe strdup(path)
    else {
      unsafe munmap(unused, byteCount)
      return nil
    }
    let file = unsafe GrowingFile(
      path: path, device: status.st_dev, inode: status.st_ino, base: base, byteCount: byteCount,
      unused: unused, zeros: zeros)
    if file.fill(StoreLayout.headerBytes, at: 0, through: descriptor) { return file }
    file.unmap()
    return nil
  }

  private static func map(
    _ byteCount: Int, _ protection: Int32, _ flags: Int32, _ descriptor: Int32
  ) -> UnsafeMutableRawPointer? {
    let address = unsafe mmap(nil, byteCount, protection, flags, descriptor, 0)
    return unsafe address == MAP_FAILED ? nil : address
  }

  private init(
    path: UnsafeMutablePointer<CChar>, device: dev_t, inode: ino_t, base: UnsafeMutableRawPointer,
    byteCount: Int, unused: UnsafeMutableRawPointer, zeros: UnsafeMutableRawPointer
  ) {
    unsafe self.path = unsafe path
    self.device = device
    self.inode = inode
    unsafe self.base = unsafe base
    self.byteCount = byteCount
    unsafe self.unused = unsafe unused
    unsafe self.zeros = unsafe zeros
    unsafe state = .allocate(capacity: 1)
    unsafe state.initialize(to: State())
    unsafe isLocked = .allocate(capacity: 1)
    unsafe isLocked.initialize(to: Atomic(false))
  }

  /// Appends a part to the file, zeros, and maps it to an offset of the address range.
  ///
  /// - Parameters:
  ///   - count: a multiple of the page size.
  ///   - offset: bytes from the range's start: those there are not mapped yet.
  /// - Returns: false when the disk is full, or the file is another process's.
  func append(_ count: Int, at offset: Int) -> Bool {
    if getpid() != owner { return false }
    // What is called here ends a thread that was cancelled, with the locks that it holds.
    var cancelState: Int32 = 0
    unsafe pthread_setcancelstate(Int32(PTHREAD_CANCEL_DISABLE), &cancelState)
    defer { pthread_setcancelstate(cancelState, nil) }
    while unsafe isLocked.pointee.exchange(true, ordering: .acquiring) { usleep(50) }
    defer { unsafe isLocked.pointee.store(false, ordering: .releasing) }
    let descriptor = reopened()
    defer { if descriptor >= 0 { close(descriptor) } }
    guard unsafe state.pointee.extents < StoreLayout.maxExtents,
      fill(count, at: offset, through: descriptor)
    else { return false }
    recordExtent(StoreExtent(offset..<offset + count))
    return true
  }

  /// Writes an extent to the header, or adds it to the last one where it continues that.
  private func recordExtent(_ extent: StoreExtent) {
    var extent = extent
    if let last = unsafe state.pointee.last, last.page + last.count == extent.page {
      extent = StoreExtent(last.bytes.lowerBound..<extent.bytes.upperBound)
    } else {
      unsafe state.pointee.extents += 1
    }
    let offset = unsafe StoreLayout.extentsOffset + (state.pointee.extents - 1) * 8
    unsafe (base + offset).assumingMemoryBound(to: Atomic<UInt64>.self).pointee
      .store(extent.word, ordering: .releasing)
    unsafe state.pointee.last = extent
  }

  /// Opens the file again; -1 where that cannot be done.
  private func reopened() -> Int32 {
    var descriptor = unsafe open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else { return -1 }
    if descriptor <= STDERR_FILENO {
      // What other threads print must not go to the store.
      let low = descriptor
      descriptor = fcntl(low, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
      close(low)
      if descriptor < 0 { return -1 }
    }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_dev == device, status.st_ino == inode
    else {
      close(descriptor)
      return -1
    }
    return descriptor
  }

  /// Appends a part without recording it.
  private func fill(_ count: Int, at offset: Int, through descriptor: Int32) -> Bool {
    let start = unsafe state.pointee.filled
    guard start + count <= byteCount else { return false }
    let isWritten = descriptor >= 0 && writeZeros(start..<start + count, to: descriptor)
    // Neither may the file become larger where its limit was lowered: the hole is there already.
    guard unsafe isWritten || madvise(unused + start, count, Self.populateWrite) == 0,
      unsafe cmapping_move(unused + start, count, base + offset)
    else { return false }
    unsafe state.pointee.filled = start + count
    return true
  }

  /// Writes zeros, and makes the hole behind them large again.
  private func writeZeros(_ range: Range<Int>, to descriptor: Int32) -> Bool {
    // Beyond the limit the kernel would send SIGXFSZ, which ends most programs.
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0,
      limit.rlim_cur >= UInt(range.upperBound)
    else { return false }
    var position = range.lowerBound
    while position < range.upperBound {
      let count = min(Self.writtenBytes, range.upperBound - position)
      let written = unsafe pwrite(descriptor, zeros, count, off_t(position))
      guard written > 0 else { return false }
      position += written
    }
    let end = UInt(range.upperBound + Self.headroom)
    ftruncate(descriptor, off_t(min(limit.rlim_cur, end, UInt(byteCount))))
    return true
  }

  /// Unmaps what is not the address range itself.
  consuming func unmap() {
    let filled = unsafe state.pointee.filled
    // What was moved away from there may be somebody else's by now.
    unsafe munmap(unused + filled, byteCount - filled)
    unsafe munmap(zeros, Self.writtenBytes)
    unsafe free(path)
    unsafe state.deallocate()
    unsafe isLocked.deallocate()
  }
}
