// Asks the kernel whether pages can be read, once for each.

import CTracker

/// The pages that are known to be readable, so that neighbouring blocks ask the kernel once.
struct ReadablePages {
  private var known: Range<UInt> = 0..<0

  /// Creates pages of which none is known.
  init() {}

  /// Creates pages of which that of an address is known.
  init(known address: UInt) {
    let start = address & ~(Page.size - 1)
    if start < UInt.max - Page.size { known = start..<start + Page.size }
  }

  /// Returns whether `bytes` bytes from an address can be read.
  mutating func contain(_ address: UInt, _ bytes: Int) -> Bool {
    let end = (address &+ UInt(bytes) &+ (Page.size - 1)) & ~(Page.size - 1)
    guard end > address else { return false }
    let pages = address & ~(Page.size - 1)..<end
    if known.lowerBound <= pages.lowerBound, pages.upperBound <= known.upperBound { return true }
    guard ct_is_readable(pages.lowerBound, pages.count) else { return false }
    known =
      pages.lowerBound == known.upperBound ? known.lowerBound..<pages.upperBound : pages
    return true
  }
}
