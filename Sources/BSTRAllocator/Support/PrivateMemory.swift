// Memory for the tracker's own tables, apart from the program's heap.

import Glibc

/// Memory that no allocator hands out: the tracker's own.
enum PrivateMemory {
  /// `bytes` zeroed bytes, or `nil` when there are none to be had.
  static func map(_ bytes: Int) -> UnsafeMutableRawPointer? {
    let memory = unsafe mmap(
      nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    return unsafe memory == MAP_FAILED ? nil : memory
  }
}
