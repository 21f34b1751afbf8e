// Tells the BSTRs of another module's private copy of the functions from what is no BSTR. Never
// reads memory that cannot be read.

import CTracker
import Glibc
import TraceStore

/// A block that another copy of the functions allocated from the same heap.
///
/// Programs carry private copies: 7-Zip's executable hands its own BSTRs to a plug-in that frees them
/// through us, by the thousand. Not releasing those would leak; releasing anything else would abort
/// the program.
enum ForeignBlock {
  /// What an unknown pointer may be.
  enum Judgement {
    /// A BSTR of another copy.
    case foreign
    /// It looks like one, and the heap is none whose blocks can be told from other memory.
    case foreignOrNone
    /// None.
    case none
  }

  /// Judges whether `bstr` looks like a live BSTR at the start of a live block of the heap.
  ///
  /// - Parameter isRemembered: whether a string at that address was released before: more is then asked
  ///   of what looks like another one.
  static func judge(
    _ bstr: UnsafeMutableRawPointer, _ profile: Profile, isRemembered: Bool
  ) -> Judgement {
    let address = UInt(bitPattern: bstr)
    let block = address &- UInt(profile.payloadOffset)
    guard block % 16 == 0, block > 4096, unsafe ct_find_module(block).end == 0,
      ct_is_readable(block, profile.payloadOffset)
    else { return .none }
    let byteLength = Int(ct_peek(address - 4, 4))
    let needed = profile.blockBytes(forPayload: byteLength)
    // A free block of the heap has half of a pointer there, which for the last of a list is odd; and
    // what was released was overwritten.
    if isRemembered {
      let isPoison =
        byteLength > 0 && ct_is_readable(address, 1)
        && ct_peek(address, 1) == UInt64(StoreLayout.poisonByte)
      if isPoison || byteLength % profile.olecharBytes != 0 { return .none }
    }
    if ct_heap_is_glibc() {
      guard let usable = usableBytes(of: block), needed <= usable,
        isTerminated(address, byteLength, profile)
      else { return .none }
      return .foreign
    }
    let isStack = ct_thread_with_stack_at(address) != 0
    return !isStack && isTerminated(address, byteLength, profile) ? .foreignOrNone : .none
  }

  /// Whether a live block of glibc's heap starts at the address.
  static func isLiveChunk(_ block: UInt) -> Bool {
    ct_heap_is_glibc() && usableBytes(of: block) != nil
  }

  /// The bytes of the heap's live block that starts at the address; `nil` where there is none.
  ///
  /// The chunk's size word stands in front of the block, and the following chunk's says whether
  /// this one is in use (malloc/malloc.c of glibc, "malloc_chunk details").
  private static func usableBytes(of block: UInt) -> Int? {
    guard block % 16 == 0, block > 4096, unsafe ct_find_module(block).end == 0,
      ct_is_readable(block - 16, 32)
    else { return nil }
    let sizeWord = UInt(ct_peek(block - 8, 8))
    let isMapped = sizeWord & 2 != 0
    let chunkBytes = sizeWord & ~7
    guard chunkBytes >= 32, chunkBytes % 16 == 0, chunkBytes < 1 << 40 else { return nil }
    // A free block in front has its size behind its end.
    if !isMapped, sizeWord & 1 == 0 {
      let before = UInt(ct_peek(block - 16, 8))
      guard before >= 32, before % 16 == 0, before < block - 16,
        ct_is_readable(block - 16 - before, 16),
        UInt(ct_peek(block - 8 - before, 8)) & ~7 == before
      else { return nil }
    }
    if isMapped { return (block - 16) % 4096 == 0 ? Int(chunkBytes) - 16 : nil }
    let next = block - 16 + chunkBytes
    guard ct_is_readable(next, 16) else { return nil }
    return ct_peek(next + 8, 8) & 1 != 0 ? Int(chunkBytes) - 8 : nil
  }

  /// Whether a whole zero character stands behind the payload.
  private static func isTerminated(_ bstr: UInt, _ byteLength: Int, _ profile: Profile) -> Bool {
    let end = profile.blockBytes(forPayload: byteLength) - profile.payloadOffset
    let terminator = bstr + UInt(end - profile.olecharBytes)
    return ct_is_readable(terminator, profile.olecharBytes)
      && ct_peek(terminator, profile.olecharBytes) == 0
  }
}
