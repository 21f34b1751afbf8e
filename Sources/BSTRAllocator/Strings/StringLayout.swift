// The string layout of a program. Does not detect it: that is LayoutProbe.

import TraceStore

/// The width of a character, and the offset of the first one in its block.
public struct StringLayout: Equatable, Sendable {
  /// The bits of a `StoredLayout` that are about width and offset.
  private let bits: UInt8

  /// Makes a layout; other values than these count as 2 and 8.
  ///
  /// - Parameters:
  ///   - olecharBytes: bytes of a character, 2 or 4.
  ///   - payloadOffset: bytes from the block's start to the first character, 4 or 8.
  public init(olecharBytes: Int, payloadOffset: Int) {
    self.init(StoredLayout(olecharBytes: olecharBytes, payloadOffset: payloadOffset))
  }

  /// Makes the layout of a recorded string.
  @inline(__always)
  init(_ layout: StoredLayout) { bits = layout.rawValue & 6 }

  /// The layout as a record keeps it, without a guard.
  var stored: StoredLayout {
    StoredLayout(olecharBytes: olecharBytes, payloadOffset: payloadOffset)
  }

  /// The bytes of one OLECHAR, 2 or 4.
  @inline(__always)
  public var olecharBytes: Int { StoredLayout(rawValue: bits).olecharBytes }

  /// The bytes from the block's start to the first character, 4 or 8.
  @inline(__always)
  public var payloadOffset: Int { StoredLayout(rawValue: bits).payloadOffset }

  /// Windows' own layout on 64 bits, and that of .NET, CoreCLR, Mono and Wine.
  public static let windows = StringLayout(olecharBytes: 2, payloadOffset: 8)

  /// The four layouts that are in use on Linux.
  public static let all = [
    windows,
    StringLayout(olecharBytes: 4, payloadOffset: 4),
    StringLayout(olecharBytes: 4, payloadOffset: 8),
    StringLayout(olecharBytes: 2, payloadOffset: 4),
  ]

  /// Returns one of those layouts; `nil` for other values.
  static func known(olecharBytes: UInt32, payloadOffset: UInt32) -> StringLayout? {
    all.first { $0.olecharBytes == olecharBytes && $0.payloadOffset == payloadOffset }
  }

  /// The lowest count of characters that overflows: Windows' own limit.
  var characterLimit: Int { olecharBytes == 2 ? 0x7FFF_FFFC : 0x3FFF_FFFD }

  /// The lowest count of bytes that overflows.
  static let byteLimit = 0xFFFF_FFF9

  /// Returns the bytes of a block whose payload has `byteCount` bytes: the terminator is a whole
  /// character after the last one, even if that is half a character.
  @inline(__always)
  func blockBytes(forPayload byteCount: Int) -> Int {
    payloadOffset &+ bytesWithTerminator(byteCount)
  }

  /// Returns the bytes of a payload of `byteCount` bytes with its terminator.
  @inline(__always)
  func bytesWithTerminator(_ byteCount: Int) -> Int {
    // Up to the last byte of the character that the terminator begins in: no division.
    let last = olecharBytes &- 1
    return ((byteCount &+ last) | last) &+ 1
  }

  /// Returns the start of the block of a string, given the address of its first character.
  @inline(__always)
  func block(ofString bstr: UInt) -> UInt { bstr &- UInt(bitPattern: payloadOffset) }
}
