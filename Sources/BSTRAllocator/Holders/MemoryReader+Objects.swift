// What a heap block is by its words: an element of an array, an object of a class.

import CTracker

extension MemoryReader {
  /// Returns whether a word is among the elements of a vector or array, not behind them; `nil`
  /// where the block is neither.
  ///
  /// A `std::vector` is three pointers: to the first element, behind the last, and behind the room
  /// for them. A Swift array's block has a count at 16, twice the room at 24, and elements from 32
  /// on (ContiguousArrayBuffer.swift, SwiftShims/GlobalObjects.h).
  ///
  /// - Parameter holder: the address of the word that refers to the block.
  func isElement(_ slot: UInt, of block: ScanTarget, heldBy holder: UInt?) -> Bool? {
    if let holder, let (start, end) = words(at: holder), start == block.start,
      let room = word(at: holder + 16), start <= end, end <= room, room > start,
      room <= block.end
    {
      return slot < end
    }
    guard let (type, _) = words(at: block.start), type % 8 == 0, !Page.isFirst(type),
      let descriptor = word(at: type &+ 40), unsafe ct_find_module(descriptor).end != 0,
      let (count, room) = words(at: block.start + 16), room >> 1 > 0,
      slot >= block.start + 32,
      count <= room >> 1, room >> 1 <= block.byteCount / 8
    else { return nil }
    let stride = (block.byteCount - 32) / (room >> 1) & ~7
    guard stride >= 8, block.byteCount - 32 - stride * (room >> 1) < max(stride, 16) else {
      return nil
    }
    return (slot - block.start - 32) / stride < count
  }

  /// Returns a block's class or type: an address in a module, and whether it is a descriptor's.
  ///
  /// The first word of an object of a class with virtual functions points to these. That of a Swift
  /// object points to metadata, of which the first word is 0 for a class, and the one at 40 the
  /// address of the type's descriptor: metadata of generic types is made at run time (Metadata.h
  /// and MetadataKind.def of the Swift run-time).
  func objectType(of block: ScanTarget) -> (address: UInt, isDescriptor: Bool)? {
    guard let first = word(at: block.start), first % 8 == 0, !Page.isFirst(first),
      let kind = word(at: first)
    else { return nil }
    if kind == 0, let descriptor = word(at: first + 40), descriptor % 4 == 0,
      unsafe ct_find_module(descriptor).end != 0
    {
      return (descriptor, true)
    }
    let isInModule = unsafe ct_find_module(first).end != 0
    return isInModule && !ct_is_system_module(first) ? (first, false) : nil
  }
}
