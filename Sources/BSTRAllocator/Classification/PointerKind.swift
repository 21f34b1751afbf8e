// Classifies a pointer that was given to SysFreeString and is no live BSTR. For the slow path of
// faults only: it reads /proc and may take a millisecond. Reads no memory that may fault.

import CTracker
import TraceStore

/// The kinds of memory that a wrong pointer can point to.
enum PointerKind {
  /// Returns the kind of memory at the address, and for a stack the kernel's id of its thread, or
  /// 0.
  static func of(_ address: UInt) -> (detail: EventDetail, thread: UInt32) {
    if !ct_is_readable(address, 1) { return (.unmapped, 0) }
    if unsafe ct_find_module(address).end != 0 {
      return (isMarkedLiteral(address) ? .immortal : .static, 0)
    }
    let thread = ct_thread_with_stack_at(address)
    if thread != 0 { return (.stack, thread) }
    let mapping = MemoryMap.find(address)
    if mapping.isStack { return (.stack, 0) }
    let isHeap =
      mapping.isHeap || ForeignBlock.isLiveChunk(address & ~15) || isInHeap(mapping, address)
    return (isHeap ? .heap : .unknown, 0)
  }

  /// Returns whether a mapping without a name belongs to the heap.
  ///
  /// malloc/arena.c and malloc.c of glibc: other threads' arenas start at multiples of 64 MiB, and
  /// a large block is a mapping that starts with its chunk, which may have others of its kind
  /// behind it.
  private static func isInHeap(_ mapping: MemoryMap.Mapping, _ address: UInt) -> Bool {
    guard mapping.isAnonymous, ct_heap_is_glibc() else { return false }
    if mapping.start % arenaBytes == 0, isArena(mapping) { return true }
    var chunk = mapping.start
    while chunk < mapping.end, ct_is_readable(chunk, 16) {
      let sizeWord = UInt(ct_peek(chunk + 8, 8))
      let bytes = sizeWord & ~7
      guard ct_peek(chunk, 8) == 0, sizeWord & 7 == 2, bytes > 0, bytes % Page.size == 0,
        bytes <= mapping.end - chunk
      else { return false }
      if address < chunk + bytes { return true }
      chunk += bytes
    }
    return false
  }

  /// Returns whether a mapping starts with the head of an arena: its owner, the head of an earlier
  /// one, and the bytes of it that are in use and usable (malloc/arena.c, heap_info).
  private static func isArena(_ mapping: MemoryMap.Mapping) -> Bool {
    guard ct_is_readable(mapping.start, 32) else { return false }
    let (owner, used) = (UInt(ct_peek(mapping.start, 8)), UInt(ct_peek(mapping.start + 16, 8)))
    let usable = UInt(ct_peek(mapping.start + 24, 8))
    return ct_is_readable(owner, 8) && used > 0 && used % Page.size == 0 && usable % Page.size == 0
      && used <= usable && usable <= arenaBytes
  }

  private static let arenaBytes: UInt = 1 << 26

  /// Returns whether the static characters at the address are a `BSTR_LITERAL` of `bstr.h`.
  static func isMarkedLiteral(_ address: UInt) -> Bool {
    unsafe ct_find_module(address).end != 0 && ct_is_readable(address &- 8, 8)
      && ct_peek(address - 8, 4) == literalMark
  }

  /// `BSTR_LITERAL_MARK`.
  private static let literalMark: UInt64 = 0x4C52_5453
}
