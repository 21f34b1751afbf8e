// Bytes as a file of gzip (RFC 1952), stored without compression: readers of profiles take both,
// and the name says gzip.

/// Writes gzip's format.
enum Gzip {
  /// Returns a file with the bytes.
  static func stored(_ bytes: [UInt8]) -> [UInt8] {
    // Magic number, deflate, no flags, no time, no hint, Unix.
    var file: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]
    // Blocks of stored bytes (RFC 1951, clause 3.2.4); an empty file has one, too.
    let maxBlock = Int(UInt16.max)
    for start in stride(from: 0, to: max(1, bytes.count), by: maxBlock) {
      let block = bytes[start..<min(start + maxBlock, bytes.count)]
      file.append(start + maxBlock >= bytes.count ? 1 : 0)
      append(UInt32(block.count) | ~UInt32(block.count) << 16, to: &file)
      file += block
    }
    append(checksum(of: bytes), to: &file)
    append(UInt32(truncatingIfNeeded: bytes.count), to: &file)
    return file
  }

  private static func append(_ word: UInt32, to file: inout [UInt8]) {
    for shift in stride(from: 0, to: 32, by: 8) {
      file.append(UInt8(truncatingIfNeeded: word >> UInt32(shift)))
    }
  }

  /// Returns the CRC-32 of bytes (RFC 1952, clause 8).
  static func checksum(of bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~0) { sum, byte in
      table[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] ^ sum >> 8
    }
  }

  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in
      value & 1 == 0 ? value >> 1 : 0xEDB8_8320 ^ value >> 1
    }
  }
}
