// Writes the Swift runtime's compact backtrace and image map formats, which is how addresses that
// were recorded elsewhere get into a Runtime.Backtrace. The formats are documented in the Swift
// repository: docs/CompactBacktraceFormat.md and docs/CompactImageMapFormat.md.

import FoundationEssentials
import Runtime

/// The JSON form of `Runtime.Backtrace`.
struct CompactBacktrace: Encodable {
  private let architecture: String
  private let backtrace: String
  private let imageMap: String

  #if arch(x86_64)
    private static let thisArchitecture = "x86_64"
  #elseif arch(arm64)
    private static let thisArchitecture = "aarch64"
  #endif

  /// The size of one image: larger than any file.
  private static let imageBytes: UInt64 = 1 << 40

  /// The return addresses that an image at 0 can have.
  static let addresses: Range<UInt64> = 1..<imageBytes

  /// Creates a backtrace of return addresses in one image, which is mapped at `base`.
  init(image path: String, base: UInt64, returnAddresses: [UInt64]) {
    architecture = Self.thisArchitecture
    backtrace = Data(Self.frames(returnAddresses)).base64EncodedString()
    imageMap = Data(Self.images(path, base)).base64EncodedString()
  }

  /// Decodes this into the runtime's own type.
  func decoded() -> Backtrace? {
    guard let json = try? JSONEncoder().encode(self) else { return nil }
    return try? JSONDecoder().decode(Backtrace.self, from: json)
  }

  private static let wordSize64: UInt8 = 2

  private static func frames(_ addresses: [UInt64]) -> [UInt8] {
    var bytes = [wordSize64]
    for address in addresses {
      bytes.append(0b0010_1111)  // ra, absolute, 8 bytes
      bytes += bigEndian(address)
    }
    return bytes + [0]  // end
  }

  private static func images(_ path: String, _ base: UInt64) -> [UInt8] {
    let platform = Array("Linux".utf8)
    var bytes = [wordSize64] + count(platform.count) + platform + count(1)
    bytes.append(0b0011_1111)  // absolute, 8 bytes of base, 8 bytes of length
    bytes += bigEndian(base) + bigEndian(imageBytes) + count(0)
    // Raw string data in pieces of at most 63 bytes, then the end of the string.
    var rest = Array(path.utf8)[...]
    while !rest.isEmpty {
      let piece = rest.prefix(63)
      bytes.append(UInt8(piece.count))
      bytes += piece
      rest = rest.dropFirst(63)
    }
    return bytes + [0]
  }

  private static func bigEndian(_ number: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * UInt64($0))) }
  }

  /// Seven bits a byte, the most significant first, the top bit set on all but the last.
  private static func count(_ number: Int) -> [UInt8] {
    var bytes = [UInt8(number & 0x7F)]
    var rest = number >> 7
    while rest > 0 {
      bytes.insert(UInt8(rest & 0x7F) | 0x80, at: 0)
      rest >>= 7
    }
    return bytes
  }
}
