// Tells what a pointer is that was given to SysFreeString and is no live BSTR. Only for what has gone
// wrong: it reads /proc and may take a millisecond. Reads nothing that might fault.

import CTracker
import Glibc
import TraceStore

/// The kinds of memory that a wrong pointer can point to.
enum PointerKind {
  /// What lies at the address, and for a stack whose it is: the kernel's id, or 0.
  static func of(_ address: UInt) -> (detail: EventDetail, thread: UInt32) {
    if !ct_is_readable(address, 1) { return (.unmapped, 0) }
    if unsafe ct_find_module(address).end != 0 {
      return (isMarkedLiteral(address) ? .immortal : .static, 0)
    }
    let thread = ct_thread_with_stack_at(address)
    if thread != 0 { return (.stack, thread) }
    let place = Mappings.find(address)
    if place.isStack { return (.stack, 0) }
    let isHeap =
      place.isHeap || ForeignBlock.isLiveChunk(address & ~15) || isInHeap(place, address)
    return (isHeap ? .heap : .unknown, 0)
  }

  /// Whether a mapping without a name is one of the heap's.
  ///
  /// malloc/arena.c and malloc.c of glibc: other threads' arenas start at multiples of 64 MiB, and a
  /// large block is a mapping that starts with its chunk, which may have others of its kind behind it.
  private static func isInHeap(_ place: Mappings.Mapping, _ address: UInt) -> Bool {
    guard place.isAnonymous, ct_heap_is_glibc() else { return false }
    if place.start % arenaBytes == 0, isArena(place) { return true }
    var chunk = place.start
    while chunk < place.end, ct_is_readable(chunk, 16) {
      let sizeWord = UInt(ct_peek(chunk + 8, 8))
      let bytes = sizeWord & ~7
      guard ct_peek(chunk, 8) == 0, sizeWord & 7 == 2, bytes > 0, bytes % 4096 == 0,
        bytes <= place.end - chunk
      else { return false }
      if address < chunk + bytes { return true }
      chunk += bytes
    }
    return false
  }

  /// Whether a mapping starts with the head of an arena: its owner, the head of an earlier one, and how much
  /// of it is in use and can be used (malloc/arena.c, heap_info).
  private static func isArena(_ place: Mappings.Mapping) -> Bool {
    guard ct_is_readable(place.start, 32) else { return false }
    let (owner, used) = (UInt(ct_peek(place.start, 8)), UInt(ct_peek(place.start + 16, 8)))
    let usable = UInt(ct_peek(place.start + 24, 8))
    return ct_is_readable(owner, 8) && used > 0 && used % 4096 == 0 && usable % 4096 == 0
      && used <= usable && usable <= arenaBytes
  }

  private static let arenaBytes: UInt = 1 << 26

  /// Whether the static characters at the address are a `BSTR_LITERAL` of `bstr.h`.
  static func isMarkedLiteral(_ address: UInt) -> Bool {
    unsafe ct_find_module(address).end != 0 && ct_is_readable(address &- 8, 8)
      && ct_peek(address - 8, 4) == literalMark
  }

  /// `BSTR_LITERAL_MARK`.
  private static let literalMark: UInt64 = 0x4C52_5453
}

/// The lines of /proc/self/maps.
enum Mappings {
  /// The mapping that an address lies in.
  struct Mapping {
    var start: UInt = 0
    var end: UInt = 0
    /// Whether it has neither a file nor a name.
    var isAnonymous = false
    var isStack = false
    var isHeap = false
  }

  /// The mapping of an address; all zero where there is none.
  static func find(_ address: UInt) -> Mapping { unsafe find(address, in: "/proc/self/maps") }

  /// The mapping of an address by the lines of a file.
  ///
  /// A line that is longer than `bufferBytes` ends the search.
  static func find(_ address: UInt, in path: UnsafePointer<CChar>) -> Mapping {
    var found = Mapping()
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return found }
    defer { close(descriptor) }
    guard let buffer = unsafe PrivateMemory.map(bufferBytes) else { return found }
    defer { unsafe munmap(buffer, bufferBytes) }
    let bytes = unsafe buffer.assumingMemoryBound(to: UInt8.self)
    var filled = 0
    while true {
      let got = unsafe read(descriptor, buffer + filled, bufferBytes - filled)
      if got <= 0 { return found }
      filled += got
      var line = 0
      while let end = unsafe newline(bytes, from: line, to: filled) {
        unsafe parse(bytes, line, end, address, &found)
        line = end + 1
      }
      unsafe memmove(buffer, buffer + line, filled - line)
      filled -= line
    }
  }

  private static let bufferBytes = 1 << 16

  private static func newline(
    _ bytes: UnsafePointer<UInt8>, from start: Int, to end: Int
  ) -> Int? {
    var index = start
    while index < end {
      if unsafe bytes[index] == 0x0A { return index }
      index += 1
    }
    return nil
  }

  /// Reads one line, "start-end rights offset device inode name".
  private static func parse(
    _ bytes: UnsafePointer<UInt8>, _ line: Int, _ end: Int, _ address: UInt,
    _ mapping: inout Mapping
  ) {
    var index = line
    let start = unsafe hexadecimal(bytes, &index)
    index += 1
    let limit = unsafe hexadecimal(bytes, &index)
    guard start <= address, address < limit else { return }
    mapping.start = start
    mapping.end = limit
    // The name is what stands behind the rights, the offset, the device and the inode, and may be anything.
    for _ in 0..<4 {
      while unsafe index < end && bytes[index] == 0x20 { index += 1 }
      while unsafe index < end && bytes[index] != 0x20 { index += 1 }
    }
    while unsafe index < end && bytes[index] == 0x20 { index += 1 }
    mapping.isAnonymous = index >= end
    mapping.isStack = unsafe isSame("[stack]", bytes + index, end - index)
    mapping.isHeap = unsafe isSame("[heap]", bytes + index, end - index)
  }

  private static func hexadecimal(_ bytes: UnsafePointer<UInt8>, _ index: inout Int) -> UInt {
    var number: UInt = 0
    while true {
      let digit = unsafe bytes[index]
      switch digit {
      case 0x30...0x39: number = number << 4 | UInt(digit - 0x30)
      case 0x61...0x66: number = number << 4 | UInt(digit - 0x61 + 10)
      default: return number
      }
      index += 1
    }
  }

  private static func isSame(
    _ name: StaticString, _ bytes: UnsafePointer<UInt8>, _ count: Int
  ) -> Bool {
    unsafe name.utf8CodeUnitCount == count && memcmp(bytes, name.utf8Start, count) == 0
  }
}
