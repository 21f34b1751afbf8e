// Tells a BSTR that another copy of the functions allocated from what is no BSTR. Reads nothing that
// might fault.

import CTracker
import Glibc

/// The heap's own book-keeping as evidence: a block we did not allocate is released only if the
/// heap would know it.
///
/// Real programs carry private copies of SysAllocString whose strings reach our SysFreeString by the
/// thousand. Not releasing those would leak; releasing anything else would abort the program.
enum ForeignBlock {
  /// Whether `bstr` looks like a live BSTR in a live block of glibc's heap.
  ///
  /// The chunk's size word stands in front of the block, and the following chunk's says whether
  /// this one is in use (malloc/malloc.c of glibc, "malloc_chunk details").
  static func isPlausible(_ bstr: UnsafeMutableRawPointer, _ profile: Profile) -> Bool {
    let block = UInt(bitPattern: bstr) &- UInt(profile.payloadOffset)
    guard block % 16 == 0, block > 4096, unsafe ct_find_module(block).end == 0,
      ct_is_readable(block - 16, 16 + profile.payloadOffset)
    else { return false }
    let memory = unsafe UnsafeRawPointer(bitPattern: block)
    guard let memory = unsafe memory else { return false }
    let sizeWord = unsafe (memory - 8).load(as: UInt.self)
    let isMapped = sizeWord & 2 != 0
    let chunkBytes = sizeWord & ~7
    guard chunkBytes >= 32, chunkBytes % 16 == 0, chunkBytes < 1 << 40 else { return false }
    let usable = Int(chunkBytes) - (isMapped ? 16 : 8)
    let byteLength = unsafe BSTRFunctions.byteLength(of: bstr)
    let needed = profile.payloadOffset + byteLength + profile.olecharBytes
    guard needed <= usable, ct_is_readable(block, needed) else { return false }
    if isMapped { return (block - 16) % 4096 == 0 }
    let next = block - 16 + chunkBytes
    guard ct_is_readable(next, 16), let following = unsafe UnsafeRawPointer(bitPattern: next) else {
      return false
    }
    let inUse = unsafe (following + 8).load(as: UInt.self) & 1 != 0
    return unsafe inUse && isTerminated(bstr, byteLength, profile)
  }

  /// Whether a whole zero character stands behind the payload.
  ///
  /// Its memory was seen to be readable.
  private static func isTerminated(
    _ bstr: UnsafeMutableRawPointer, _ byteLength: Int, _ profile: Profile
  ) -> Bool {
    for index in byteLength..<byteLength + profile.olecharBytes
    where unsafe bstr.load(fromByteOffset: index, as: UInt8.self) != 0 {
      return false
    }
    return true
  }
}
