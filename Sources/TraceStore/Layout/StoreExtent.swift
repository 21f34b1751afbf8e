// A part of a store's address space that is in the store's file while it is being written.

/// Consecutive pages of a store that are in its file.
///
/// 8 bytes. The pages of all extents follow one another in the file, behind the header.
public struct StoreExtent: BitwiseCopyable, Sendable, Equatable {
  /// Bytes of a page.
  static let pageBytes = 4096

  /// Pages from the store's start to the first of these; 0 in an unused entry.
  public var page: UInt32
  /// The count of pages.
  public var count: UInt32

  /// Creates the extent of whole pages.
  ///
  /// - Parameter bytes: bytes from the store's start.
  init(_ bytes: Range<Int>) {
    page = UInt32(bytes.lowerBound / Self.pageBytes)
    count = UInt32(bytes.count / Self.pageBytes)
  }

  /// Creates the extent of an entry in a header.
  init(word: UInt64) {
    page = UInt32(truncatingIfNeeded: word)
    count = UInt32(truncatingIfNeeded: word >> 32)
  }

  /// Its bytes, from the store's start.
  var bytes: Range<Int> {
    Int(page) * Self.pageBytes..<(Int(page) + Int(count)) * Self.pageBytes
  }

  /// The entry in the header, written at once.
  var word: UInt64 { UInt64(page) | UInt64(count) << 32 }
}
