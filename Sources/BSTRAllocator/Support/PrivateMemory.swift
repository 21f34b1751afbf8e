// Maps memory for the tracker's own tables, apart from the program's heap.

import Glibc

/// Memory of the tracker's own, which no allocator hands out.
enum PrivateMemory {
  /// Maps `bytes` zeroed bytes; `nil` when there is no memory.
  static func map(_ bytes: Int) -> UnsafeMutableRawPointer? {
    let memory = unsafe mmap(
      nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    return unsafe memory == MAP_FAILED ? nil : memory
  }
}
