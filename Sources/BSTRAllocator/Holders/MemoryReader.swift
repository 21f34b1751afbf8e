// Reads the process's memory while other threads may change and unmap it. Reads only pages that are
// in memory, so that none is brought in.

import CTracker
import Glibc

/// A reader of this process's memory, part by part.
@safe
struct MemoryReader: ~Copyable {
  /// Words that were read, one after the other.
  @safe struct Run {
    /// Their address.
    var base: UInt
    let words: UnsafePointer<UInt>
    /// The count of words.
    var count: Int
    /// One past their last address.
    var end: UInt { base + UInt(count) * 8 }

    /// Returns the word that was at an address, which must be in the run.
    @inline(__always)
    func word(at address: UInt) -> UInt { unsafe words[Int((address - base) >> 3)] }

    /// Returns the index of the first word at or behind an address, at most `count`.
    @inline(__always)
    func index(of address: UInt) -> Int {
      address <= base ? 0 : min(count, Int((address - base + 7) >> 3))
    }
  }

  private static let partBytes = 1 << 20
  private static let partPages = partBytes / Int(Page.size)
  /// The limit of pages that the kernel is asked about at once.
  private static let maxPages = 1 << 13
  private static let bytes = partBytes + maxPages * 8

  private let buffer: UnsafeMutableRawPointer
  /// The kernel's words on some pages (Documentation/admin-guide/mm/pagemap.rst).
  private let pages: UnsafeMutablePointer<UInt64>
  /// The descriptor of /proc/self/pagemap; -1 where that cannot be read: all pages are read then.
  private let pagemap: Int32
  /// The time by which reading ends, in nanoseconds of the monotonic clock.
  private let deadline: UInt64

  /// Begins to read; `nil` where the memory cannot be read.
  ///
  /// One thread at a time.
  init?(deadline: UInt64) {
    self.deadline = deadline
    guard let memory = unsafe PrivateMemory.map(Self.bytes) else { return nil }
    guard ct_begin_copies() else {
      unsafe munmap(memory, Self.bytes)
      return nil
    }
    unsafe buffer = memory
    unsafe pages = (memory + Self.partBytes).assumingMemoryBound(to: UInt64.self)
    pagemap = unsafe open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)
  }

  deinit {
    if pagemap >= 0 { close(pagemap) }
    ct_end_copies()
    unsafe munmap(buffer, Self.bytes)
  }

  /// Whether it is known which pages are in memory.
  var knowsPages: Bool { pagemap >= 0 }

  /// Whether the time has come by which reading ends.
  var isLate: Bool { ct_precise_now() > deadline }

  /// Calls `body` with what is in memory of a range, in its order, until that returns false.
  ///
  /// - Parameter range: multiples of 8.
  /// - Returns: false when time ran out.
  func forEachRun(in range: Range<UInt>, _ body: (Run) -> Bool) -> Bool {
    var start = range.lowerBound
    while start < range.upperBound {
      if isLate { return false }
      let part = start & ~(UInt(Self.partBytes) - 1)
      let end = min(range.upperBound, part + UInt(Self.partBytes))
      guard readPart(start..<end, body) else { return true }
      start = end
    }
    return true
  }

  private func readPart(_ range: Range<UInt>, _ body: (Run) -> Bool) -> Bool {
    let first = range.lowerBound / Page.size
    let count = Int((range.upperBound - 1) / Page.size - first) + 1
    let known =
      pagemap >= 0 ? unsafe pread(pagemap, pages, count * 8, off_t(first * 8)) / 8 : 0
    var page = 0
    while page < count {
      guard isPresent(page, known) else {
        page += 1
        continue
      }
      var next = page + 1
      while next < count, isPresent(next, known) { next += 1 }
      let start = max(range.lowerBound, (first + UInt(page)) * Page.size)
      let end = min(range.upperBound, (first + UInt(next)) * Page.size)
      let read = unsafe Int(ct_copy_memory(buffer, start, Int(end - start)))
      if read >= 8 {
        let words = unsafe UnsafePointer(buffer.assumingMemoryBound(to: UInt.self))
        guard body(unsafe Run(base: start, words: words, count: read / 8)) else { return false }
      }
      page = next
    }
    return true
  }

  /// Returns whether a page is in memory; true where that is not known.
  @inline(__always)
  private func isPresent(_ page: Int, _ known: Int) -> Bool {
    unsafe page >= known || pages[page] >> 63 != 0
  }

  /// Returns the first page in memory of a range; `nil` where there is none, or it is not known.
  ///
  /// - Parameters:
  ///   - range: multiples of a page.
  ///   - known: the pages that the kernel was asked about last; empty at first, and passed again
  ///     with no other call between.
  func firstPage(in range: Range<UInt>, _ known: inout Range<UInt>) -> UInt? {
    var page = range.lowerBound
    while page < range.upperBound {
      if !known.contains(page) {
        let count = min(Self.maxPages, Int((range.upperBound - page) / Page.size))
        let read = unsafe pread(pagemap, pages, count * 8, off_t(page / Page.size * 8)) / 8
        guard pagemap >= 0, read > 0, !isLate else { return nil }
        known = page..<page + UInt(read) * Page.size
      }
      let first = Int((page - known.lowerBound) / Page.size)
      for index in first..<known.count / Int(Page.size) where unsafe pages[index] >> 63 != 0 {
        let found = known.lowerBound + UInt(index) * Page.size
        return found < range.upperBound ? found : nil
      }
      page = known.upperBound
    }
    return nil
  }

  /// Returns the word at an address; `nil` where there is none.
  func word(at address: UInt) -> UInt? {
    var word: UInt = 0
    return unsafe ct_copy_memory(&word, address, 8) == 8 ? word : nil
  }

  /// Returns two words that follow one another; `nil` where they are not there.
  func words(at address: UInt) -> (UInt, UInt)? {
    var words: (UInt, UInt) = (0, 0)
    return unsafe ct_copy_memory(&words, address, 16) == 16 ? words : nil
  }

  /// Returns whether the page of an address is in memory.
  func isPresent(_ address: UInt) -> Bool {
    var word: UInt64 = 0
    guard pagemap >= 0,
      unsafe pread(pagemap, &word, 8, off_t(address / Page.size * 8)) == 8
    else { return true }
    return word >> 63 != 0
  }
}
