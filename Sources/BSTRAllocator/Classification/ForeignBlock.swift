// Distinguishes foreign BSTRs, allocated by a module's private copy of the functions, from other
// memory. Never reads memory that cannot be read.

import CTracker
import TraceStore

/// A foreign block: one that another copy of the functions allocated from the same heap.
///
/// Programs have private copies: 7-Zip's executable passes BSTRs of its own to a plug-in that frees
/// them through this library, by the thousand. Not freeing those would leak; freeing any other
/// address would abort the program.
enum ForeignBlock {
  /// The result for an unknown pointer.
  enum Judgement {
    /// A foreign BSTR.
    case foreign
    /// It looks like a foreign BSTR, and the heap is one whose live blocks cannot be recognised.
    case foreignOrNone
    /// No BSTR.
    case none
  }

  /// Returns whether `bstr` looks like a live BSTR in a live block of the heap, at the offset of
  /// the layout.
  ///
  /// - Parameter remembered: a string at that address that was freed before: the checks are then
  ///   stricter.
  static func judge(
    _ bstr: UnsafeMutableRawPointer, _ stringLayout: StringLayout, remembered: FreedBlock?
  ) -> Judgement {
    let address = UInt(bitPattern: bstr)
    let block = address &- UInt(stringLayout.payloadOffset)
    guard block % 16 == 0, !Page.isFirst(block), unsafe ct_find_module(block).end == 0,
      ct_is_readable(block, stringLayout.payloadOffset)
    else { return .none }
    let byteLength = Int(ct_peek(address - 4, 4))
    let needed = stringLayout.blockBytes(forPayload: byteLength)
    if let remembered {
      if isStillFree(remembered) { return .none }
    } else if ct_heap_is_glibc(), let key = tcacheKey, ct_is_readable(block, 16),
      ct_peek(block + 8, 8) == key
    {
      // In a thread's cache: already freed.
      return .none
    }
    if canJudge {
      guard let usable = usableBytes(of: block), needed <= usable,
        isTerminated(address, byteLength, stringLayout),
        usable - needed <= maxSlack(byteLength, isRemembered: remembered != nil)
          || byteLength > 0 && isUpToFirstZero(address, byteLength, stringLayout)
      else { return .none }
      return .foreign
    }
    let isStack = ct_thread_with_stack_at(address) != 0
    return !isStack && isTerminated(address, byteLength, stringLayout) ? .foreignOrNone : .none
  }

  /// Returns the bytes by which a block may be larger than its string needs.
  ///
  /// Zeros look like an empty string in any block, so that an empty string's block must be the
  /// heap's smallest. Where a registered string was before, the memory is more likely to have been
  /// allocated for another purpose since; strings that were not shortened fill their blocks up to
  /// some rounding, and the length of a shortened one ends at its first zero character.
  private static func maxSlack(_ byteLength: Int, isRemembered: Bool) -> Int {
    if byteLength == 0 { return slackOfSmallest }
    return isRemembered ? 64 : .max
  }

  /// The bytes that glibc's smallest block has more than an empty string needs, and as many again
  /// that the heap may leave unsplit.
  private static let slackOfSmallest = 32

  /// Returns whether the memory of a string that was freed to the heap has not been allocated
  /// again.
  static func isStillFree(_ freed: FreedBlock) -> Bool {
    let layout = BlockLayout(freed.record.layout)
    let block = freed.block
    // Unmapped since: not allocated again.
    guard ct_is_readable(block, 16) else { return true }
    let byteCount = Int(freed.record.byteLength)
    let usable = usableBytes(of: block)
    if canJudge, usable == nil { return true }
    // malloc/malloc.c of glibc, tcache_put: the second word of a block in a thread's cache.
    if let key = tcacheKey, ct_peek(block + 8, 8) == key { return true }
    // At the start of a free block the heap writes two links, and two more if the block is large;
    // at its end the bytes of the free chunk (malloc/malloc.c of glibc, "malloc_chunk details").
    // Inside a chunk that was merged, both are still there, and it looks allocated.
    let links = usable.map { $0 <= maxOfFastbins } ?? false ? 16 : 32
    let end = chunkBytes(forBlock: layout.blockBytes(forPayload: byteCount)) - 16
    if let isIntact = layout.isPoisonIntact(of: freed, from: links, to: end) {
      if !isIntact || byteCount >= 32 { return isIntact }
    }
    // A few bytes may look intact by chance. In place of the length there is half of a link, which
    // is no length that fits; for the last block of a list it is that of the block's own page
    // (PROTECT_PTR).
    let prefix = Int(ct_peek(UInt(freed.record.address) - 4, 4))
    return prefix == Int(block >> 44)
      || layout.stringLayout.blockBytes(forPayload: prefix) > usable ?? .max
  }

  /// Returns the bytes of glibc's chunk for a block: its size word and the block, rounded up
  /// (malloc/malloc.c of glibc, request2size).
  private static func chunkBytes(forBlock byteCount: Int) -> Int {
    max(32, (byteCount + 8 + 15) & ~15)
  }

  /// The limit in bytes of blocks that are kept in singly linked lists (DEFAULT_MXFAST).
  private static let maxOfFastbins = 120

  /// The key with which glibc marks blocks in its threads' caches; `nil` where it is unknown.
  private static let tcacheKey: UInt64? = {
    // What is freed to another heap need not be readable.
    guard ct_heap_is_glibc() else { return nil }
    let key = ct_tcache_key()
    return key == 0 ? nil : key
  }()

  /// The key with which glibc marks blocks in its threads' caches; 0 where it is unknown.
  static var keyOfFreedBlocks: UInt64 { tcacheKey ?? 0 }

  /// Finds the key of glibc's freed blocks.
  ///
  /// That allocates: glibc merges and splits free blocks, and what was freed before looks allocated
  /// again in part.
  static func findKeyOfFreedBlocks() { _ = tcacheKey }

  /// Returns whether characters have a length in front of them that fits, as static BSTRs and those
  /// on a stack do.
  static func hasLength(_ address: UInt, _ stringLayout: StringLayout) -> Bool {
    guard !Page.isFirst(address), address % 4 == 0, ct_is_readable(address - 4, 4) else {
      return false
    }
    let byteLength = Int(ct_peek(address - 4, 4))
    return byteLength <= maxStatic && isTerminated(address, byteLength, stringLayout)
      && ct_is_readable(address, byteLength)
  }

  /// The limit in bytes of static strings: the word in front of other data may have any value.
  private static let maxStatic = 1 << 16

  /// Whether the heap is one whose live blocks can be recognised: glibc's, or a sanitizer's, which
  /// can be asked.
  private static var canJudge: Bool { ct_heap_is_glibc() || ct_heap_is_sanitizers() }

  /// Returns whether a live block of the heap starts at the address, as far as that is known.
  static func isLiveChunk(_ block: UInt) -> Bool { canJudge && usableBytes(of: block) != nil }

  /// Returns the usable bytes of the heap's live block that starts at the address; `nil` where
  /// there is none.
  ///
  /// The chunk's size word is in front of the block, and the following chunk's says whether this
  /// one is in use (malloc/malloc.c of glibc, "malloc_chunk details").
  private static func usableBytes(of block: UInt) -> Int? {
    if !ct_heap_is_glibc() {
      let bytes = ct_sanitizer_block_bytes(block)
      return bytes == 0 ? nil : bytes
    }
    guard block % 16 == 0, !Page.isFirst(block), unsafe ct_find_module(block).end == 0,
      ct_is_readable(block - 16, 32)
    else { return nil }
    let sizeWord = UInt(ct_peek(block - 8, 8))
    let isMapped = sizeWord & 2 != 0
    let chunkBytes = sizeWord & ~7
    guard chunkBytes >= 32, chunkBytes % 16 == 0, chunkBytes < 1 << 40 else { return nil }
    // The preceding chunk, if free, has its size at its end.
    if !isMapped, sizeWord & 1 == 0 {
      let before = UInt(ct_peek(block - 16, 8))
      guard before >= 32, before % 16 == 0, before < block - 16,
        ct_is_readable(block - 16 - before, 16),
        UInt(ct_peek(block - 8 - before, 8)) & ~7 == before
      else { return nil }
    }
    if isMapped { return (block - 16) % Page.size == 0 ? Int(chunkBytes) - 16 : nil }
    let next = block - 16 + chunkBytes
    guard ct_is_readable(next, 16) else { return nil }
    return ct_peek(next + 8, 8) & 1 != 0 ? Int(chunkBytes) - 8 : nil
  }

  /// Returns whether the payload has no zero character, which other memory rarely has by chance,
  /// and which recognises a short string in a large block.
  ///
  /// - Complexity: linear in the length, which must fit the block.
  private static func isUpToFirstZero(
    _ bstr: UInt, _ byteLength: Int, _ stringLayout: StringLayout
  ) -> Bool {
    let step = stringLayout.olecharBytes
    guard byteLength % step == 0, ct_is_readable(bstr, byteLength) else { return false }
    return !stride(from: 0, to: byteLength, by: step).contains {
      ct_peek(bstr + UInt($0), step) == 0
    }
  }

  /// Returns whether a whole zero character follows the payload.
  private static func isTerminated(_ bstr: UInt, _ byteLength: Int, _ stringLayout: StringLayout)
    -> Bool
  {
    let end = stringLayout.blockBytes(forPayload: byteLength) - stringLayout.payloadOffset
    let terminator = bstr + UInt(end - stringLayout.olecharBytes)
    return ct_is_readable(terminator, stringLayout.olecharBytes)
      && ct_peek(terminator, stringLayout.olecharBytes) == 0
  }
}
