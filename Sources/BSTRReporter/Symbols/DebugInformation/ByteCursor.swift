// Reads numbers of DWARF one after the other.

/// A position in bytes; behind their end everything is 0.
struct ByteCursor {
  /// The offset of the next byte.
  private(set) var offset: Int
  private let bytes: [UInt8]
  private let end: Int

  /// Starts at an offset.
  ///
  /// - Parameter end: where reading ends; the bytes' end, where that comes first.
  init(_ bytes: [UInt8], at offset: Int, end: Int = .max) {
    self.bytes = bytes
    self.end = min(end, bytes.count)
    self.offset = offset < 0 ? self.end : min(offset, self.end)
  }

  /// Whether there is nothing more to read.
  var isAtEnd: Bool { offset >= end }

  /// Returns the next byte.
  mutating func byte() -> UInt8 {
    guard offset < end else { return 0 }
    defer { offset += 1 }
    return bytes[offset]
  }

  /// Returns the next number, of 1 to 8 bytes.
  mutating func number(_ size: Int) -> UInt64 {
    guard size <= end - offset else {
      offset = end
      return 0
    }
    var value: UInt64 = 0
    for index in 0..<size { value |= UInt64(bytes[offset + index]) << UInt64(8 * index) }
    offset += size
    return value
  }

  /// Returns the next unsigned LEB128; what is beyond 64 bits is lost.
  mutating func uleb() -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while offset < end {
      let byte = bytes[offset]
      offset += 1
      if shift < 64 { value |= UInt64(byte & 0x7F) << shift }
      if byte & 0x80 == 0 { break }
      shift += 7
    }
    return value
  }

  /// Passes over a number of bytes.
  mutating func skip(_ count: UInt64) {
    offset = count >= UInt64(end - offset) ? end : offset + Int(count)
  }

  /// Passes over a text and the zero behind it.
  mutating func skipString() {
    while offset < end, bytes[offset] != 0 { offset += 1 }
    offset = min(end, offset + 1)
  }

  /// Returns the text up to the next zero.
  mutating func string() -> String {
    let start = offset
    skipString()
    return String(decoding: bytes[start..<offset].prefix { $0 != 0 }, as: UTF8.self)
  }
}
