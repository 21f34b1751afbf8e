// The lists of small free chunks (fastbins) of glibc's heap, which have no mark: only there it
// shows that they are free (malloc_state of glibc's malloc/malloc.c).

import Glibc

/// The blocks in the lists of small free chunks.
struct HeapFreeLists: ~Copyable {
  /// The limit of bytes of their blocks.
  static let maxBlockBytes: UInt = 120

  /// Where the lists and the last chunk are in an arena, in bytes, and the count of lists.
  private static let (listsOffset, topOffset, lists): (UInt, UInt, Int) = (16, 96, 10)
  /// The limit of chunks in an arena's lists.
  private static let maxChunks = 20_000

  private var blocks = AddressMap()
  /// Whether the lists of all arenas were as expected.
  private(set) var areComplete = false

  /// Returns whether a block is in a list.
  func contains(_ block: UInt) -> Bool { blocks.value(of: block) != nil }

  /// Finds the blocks.
  ///
  /// - Parameter mainTop: the last chunk of the main heap; 0 where it is not known.
  mutating func find(
    in regions: borrowing ScanRegions, mainTop: UInt, _ memory: borrowing MemoryReader
  ) {
    areComplete = true
    // The parts of an arena follow one another.
    var lastArena: UInt = 1
    for index in 0..<regions.regions.count {
      let region = regions.regions[index]
      guard region.kind == .chunks, region.owner != lastArena else { continue }
      lastArena = region.owner
      let arena =
        region.owner == 0 ? Self.mainArena(mainTop, regions, memory) : region.owner
      if arena == 0 || !add(listsOf: arena, memory) { areComplete = false }
    }
  }

  /// Returns the address of the main arena: it has the last chunk's address; 0 where it is not
  /// found.
  private static func mainArena(
    _ top: UInt, _ regions: borrowing ScanRegions, _ memory: borrowing MemoryReader
  ) -> UInt {
    guard top != 0 else { return 0 }
    for index in 0..<regions.libcData.count {
      let region = regions.libcData[index]
      var found: UInt = 0
      _ = memory.forEachRun(in: region.start..<region.end & ~7) { run in
        for word in 0..<run.count where unsafe run.words[word] == top {
          found = run.base + UInt(word) * 8
          return false
        }
        return true
      }
      if found != 0 { return found - topOffset }
    }
    return 0
  }

  /// Adds the blocks in the lists of an arena.
  ///
  /// - Returns: false where these are not as expected, or there is no memory.
  private mutating func add(listsOf arena: UInt, _ memory: borrowing MemoryReader) -> Bool {
    var left = Self.maxChunks
    for list in 0..<Self.lists {
      guard var chunk = memory.word(at: arena + Self.listsOffset + UInt(list) * 8) else {
        return false
      }
      while chunk != 0 {
        left -= 1
        guard left > 0, chunk % 16 == 0, let (_, size) = memory.words(at: chunk),
          size & ~7 == UInt(32 + 16 * list), let link = memory.word(at: chunk + 16),
          blocks.set(chunk + 16, to: 1)
        else { return false }
        // PROTECT_PTR of glibc 2.32 and later.
        chunk = link ^ (chunk + 16) >> 12
      }
    }
    return true
  }
}
