// The first bytes of a string, for reports on it after it was freed.

import CTracker
import TraceStore

/// The first bytes of a string, kept without memory of their own.
struct TextPreview {
  /// The count of bytes that are kept.
  private(set) var count = 0
  /// The bytes, in words in memory order.
  private(set) var bytes: InlineArray<4, UInt64> = [0, 0, 0, 0]

  /// The limit of bytes that are kept.
  static let capacity = 32

  /// Makes an empty preview.
  init() {}

  /// Copies the first bytes of a live block's string.
  @inline(__always)
  init(of record: BlockRecord) {
    guard let text = unsafe record.characters else { return }
    count = min(Int(record.byteLength), Self.capacity)
    for index in 0..<Self.capacity / 8 {
      let start = 8 * index
      if start + 8 <= count {
        bytes[index] = unsafe ct_load64(text + start)
      } else if start < count {
        bytes[index] = unsafe Self.word(text + start, count - start)
      }
    }
  }

  /// Returns fewer than eight bytes as a word.
  private static func word(_ text: UnsafeRawPointer, _ count: Int) -> UInt64 {
    var word: UInt64 = 0
    unsafe withUnsafeMutableBytes(of: &word) { bytes in
      unsafe bytes.copyMemory(from: UnsafeRawBufferPointer(start: text, count: count))
    }
    return word
  }
}
