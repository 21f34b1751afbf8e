// Goes through the chunks of glibc's heap while they are read (malloc/malloc.c of glibc,
// "malloc_chunk details"). Reads nothing itself.

/// The way through consecutive chunks.
struct ChunkWalk {
  /// The current chunk; 0 before the first.
  private(set) var chunk: UInt = 0
  /// The one behind it.
  private(set) var next: UInt
  private let end: UInt

  /// What is known of a chunk when the one behind it is read.
  enum State {
    /// It is in use.
    case used
    /// It is free.
    case free
  }

  init(from first: UInt, to end: UInt) {
    next = first
    self.end = end
  }

  /// The block of the current chunk, whose last word is the first one of the next chunk.
  var block: UInt { chunk + 16 }
  var blockEnd: UInt { next + 8 }

  /// Whether the current chunk is the last one, which is free (the top chunk).
  var isTop: Bool { chunk != 0 && next >= end }

  /// Goes on to the next chunk.
  ///
  /// - Parameter sizeWord: the word behind its first one.
  /// - Returns: whether the chunk before was in use; and whether there is a next one.
  mutating func advance(_ sizeWord: UInt) -> (state: State, goesOn: Bool) {
    let state: State = sizeWord & 1 != 0 ? .used : .free
    let size = sizeWord & ~7
    guard size >= 32, size % 16 == 0, sizeWord & 2 == 0, size <= end - next else {
      return (state, false)
    }
    chunk = next
    next += size
    return (state, true)
  }
}
