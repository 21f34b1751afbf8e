// The head of a kept string.

/// The words in front of the characters of a string that was live at the end.
///
/// 16 bytes; the bytes that follow are padded to a multiple of 8.
public struct ValueHead: BitwiseCopyable, Sendable {
  /// The serial number of the string's block.
  public var serial: UInt64
  /// Bytes of the string according to its prefix.
  public var byteLength: UInt32
  /// Bytes that follow, at most `StoreLayout.valueBytes`.
  public var kept: UInt16
  /// The string's layout.
  public var layout: StoredLayout
  /// 0.
  public var reserved: UInt8 = 0

  /// Creates the head of `kept` bytes out of `byteLength`.
  public init(serial: UInt64, byteLength: UInt32, kept: UInt16, layout: StoredLayout = .unknown) {
    self.serial = serial
    self.byteLength = byteLength
    self.kept = kept
    self.layout = layout
  }
}
