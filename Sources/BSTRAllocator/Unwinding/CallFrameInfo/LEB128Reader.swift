// Reads the integers of call frame information, and never past its end.

/// A reader of call frame information; at its end it reads zeros.
///
/// The code that creates one guarantees that the memory from start to end is readable: nothing else
/// is ever read.
@safe
struct LEB128Reader {
  private var position: UnsafeRawPointer
  private let end: UnsafeRawPointer

  @unsafe
  init(_ start: UnsafeRawPointer, _ end: UnsafeRawPointer) {
    unsafe position = unsafe start
    unsafe self.end = unsafe end
  }

  var isAtEnd: Bool { unsafe position >= end }

  mutating func skip(_ count: Int) { unsafe position += max(0, min(count, end - position)) }

  mutating func byte() -> UInt8 {
    guard unsafe position < end else { return 0 }
    defer { unsafe position += 1 }
    return unsafe position.load(as: UInt8.self)
  }

  /// Reads an unsigned LEB128 integer for arithmetic that wraps around: only corrupted information
  /// has one that is larger than an `Int`.
  mutating func number() -> Int { Int(truncatingIfNeeded: unsigned()) }

  mutating func half() -> UInt16 { UInt16(byte()) | UInt16(byte()) << 8 }
  mutating func word() -> UInt32 { UInt32(half()) | UInt32(half()) << 16 }

  /// Reads an unsigned LEB128 integer.
  mutating func unsigned() -> UInt {
    var (number, shift): (UInt, UInt) = (0, 0)
    while true {
      let byte = byte()
      if shift < 64 { number |= UInt(byte & 0x7F) << shift }
      shift += 7
      if byte & 0x80 == 0 { return number }
    }
  }

  /// Reads a signed LEB128 integer.
  mutating func signed() -> Int {
    var (number, shift): (Int, Int) = (0, 0)
    while true {
      let byte = byte()
      if shift < 64 { number |= Int(byte & 0x7F) << shift }
      shift += 7
      if byte & 0x80 == 0 {
        return byte & 0x40 != 0 && shift < 64 ? number | -1 << shift : number
      }
    }
  }
}
