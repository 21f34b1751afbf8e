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
    let isHeap = place.isHeap || ForeignBlock.isLiveChunk(address & ~15)
    return (isHeap ? .heap : .unknown, 0)
  }

  /// Whether the static characters at the address are a `BSTR_LITERAL` of `bstr.h`.
  static func isMarkedLiteral(_ address: UInt) -> Bool {
    unsafe ct_find_module(address).end != 0 && ct_is_readable(address &- 8, 8)
      && ct_peek(address - 8, 4) == literalMark
  }

  /// `BSTR_LITERAL_MARK`.
  private static let literalMark: UInt64 = 0x4C52_5453
}

/// The lines of /proc/self/maps.
private enum Mappings {
  /// The mapping that an address lies in.
  struct Mapping {
    var isStack = false
    var isHeap = false
  }

  /// The mapping of an address.
  static func find(_ address: UInt) -> Mapping {
    var found = Mapping()
    let descriptor = unsafe open("/proc/self/maps", O_RDONLY | O_CLOEXEC)
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
    mapping.isStack = unsafe isNamed("[stack]", bytes, end)
    mapping.isHeap = unsafe isNamed("[heap]", bytes, end)
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

  private static func isNamed(
    _ name: StaticString, _ bytes: UnsafePointer<UInt8>, _ end: Int
  ) -> Bool {
    let count = name.utf8CodeUnitCount
    return unsafe memcmp(bytes + end - count, name.utf8Start, count) == 0
  }
}
