// Searches much memory for one of several texts; most of it is skipped unread.

/// Texts that are looked for at once, after Wu and Manber.
///
/// The two bytes at the end of a window, which is as wide as the shortest text, give the distance
/// to the next window: nearly its width where they occur in no text.
struct TextSearch {
  private let texts: [[UInt8]]
  private let width: Int
  /// By two bytes, the distance to the next window behind one that ends with them; 0 where a text
  /// may begin at its start.
  private let steps: [UInt8]

  /// Creates a search for texts of 2 to 255 bytes.
  init(anyOf texts: [String]) {
    let texts = texts.map { Array($0.utf8) }
    let width = texts.map(\.count).min() ?? 0
    precondition((2...255).contains(width))
    var steps = Array(repeating: UInt8(width - 1), count: 1 << 16)
    for text in texts {
      for index in 1..<width {
        let pair = Int(text[index - 1]) | Int(text[index]) << 8
        steps[pair] = min(steps[pair], UInt8(width - 1 - index))
      }
    }
    self.texts = texts
    self.width = width
    self.steps = steps
  }

  /// Returns whether any of the texts occurs in memory.
  func isFound(in memory: UnsafeRawBufferPointer) -> Bool {
    guard let base = memory.baseAddress else { return false }
    let count = memory.count
    return steps.withUnsafeBufferPointer { steps in
      // Unchecked, since megabytes are searched: it ends where the memory does.
      var last = width &- 1
      while last < count {
        let pair = base.loadUnaligned(fromByteOffset: last &- 1, as: UInt16.self).littleEndian
        let step = Int(steps[Int(pair)])
        if step == 0 {
          if isText(at: last &- (width &- 1), in: memory) { return true }
          last &+= 1
        }
        last &+= step
      }
      return false
    }
  }

  private func isText(at start: Int, in memory: UnsafeRawBufferPointer) -> Bool {
    texts.contains { text in
      start + text.count <= memory.count
        && memory[start..<start + text.count].elementsEqual(text)
    }
  }
}
