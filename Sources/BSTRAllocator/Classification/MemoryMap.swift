// Reads the kernel's list of mappings, /proc/self/maps, without the heap.

import Glibc

/// The lines of /proc/self/maps.
enum MemoryMap {
  /// The mapping that an address is in.
  struct Mapping {
    var start: UInt = 0
    var end: UInt = 0
    /// Whether it has neither a file nor a name.
    var isAnonymous = false
    var isWritable = false
    /// Whether what is written to it is this process's alone.
    var isPrivate = false
    var isStack = false
    var isHeap = false
  }

  /// Finds the mapping of an address; all zero where there is none.
  static func find(_ address: UInt) -> Mapping { unsafe find(address, in: "/proc/self/maps") }

  /// Finds the mapping of an address in the lines of a file.
  ///
  /// A line that is longer than `bufferBytes` ends the search.
  static func find(_ address: UInt, in path: UnsafePointer<CChar>) -> Mapping {
    var found = Mapping()
    unsafe forEach(in: path) { mapping in
      guard mapping.start <= address, address < mapping.end else { return true }
      found = mapping
      return false
    }
    return found
  }

  /// Calls `body` with the mapping of each line of a file, until that returns false.
  ///
  /// A line that is longer than `bufferBytes` ends the file.
  static func forEach(in path: UnsafePointer<CChar>, _ body: (Mapping) -> Bool) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    guard let buffer = unsafe PrivateMemory.map(bufferBytes) else { return }
    defer { unsafe munmap(buffer, bufferBytes) }
    let bytes = unsafe buffer.assumingMemoryBound(to: UInt8.self)
    var filled = 0
    while true {
      let got = unsafe read(descriptor, buffer + filled, bufferBytes - filled)
      if got <= 0 { return }
      filled += got
      var line = 0
      while let end = unsafe newline(bytes, from: line, to: filled) {
        guard unsafe body(mapping(bytes, line, end)) else { return }
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
  private static func mapping(
    _ bytes: UnsafePointer<UInt8>, _ line: Int, _ end: Int
  ) -> Mapping {
    var mapping = Mapping()
    var index = line
    mapping.start = unsafe hexadecimal(bytes, &index)
    index += 1
    mapping.end = unsafe hexadecimal(bytes, &index)
    // "rw-p": after a space.
    if index + 4 < end {
      mapping.isWritable = unsafe bytes[index + 2] == 0x77
      mapping.isPrivate = unsafe bytes[index + 4] == 0x70
    }
    // The name follows the rights, the offset, the device and the inode, and may contain any
    // character.
    for _ in 0..<4 {
      while unsafe index < end && bytes[index] == 0x20 { index += 1 }
      while unsafe index < end && bytes[index] != 0x20 { index += 1 }
    }
    while unsafe index < end && bytes[index] == 0x20 { index += 1 }
    mapping.isAnonymous = index >= end
    mapping.isStack = unsafe isSame("[stack]", bytes + index, end - index)
    mapping.isHeap = unsafe isSame("[heap]", bytes + index, end - index)
    return mapping
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
