// Finds the inputs of an unwind: the words that it reads, found once by following the call frame
// information.

extension UnwindCache {
  /// Finds the inputs of an unwind, from the innermost frame outwards.
  ///
  /// - Returns: their count; `nil` when a frame has unsupported call frame information, or the
  ///   stack differs from the one that was found.
  static func inputs(
    of stack: StackCapture.Stack, at caller: CallSite, _ rules: RuleTable,
    _ words: UnsafeMutablePointer<Slot>
  ) -> Int? {
    let addresses = unsafe stack.addresses
    let start = caller.frame &+ 16
    // The exported function has saved the caller's frame pointer at its frame.
    guard var framePointer = word(at: caller.frame) else { return nil }
    unsafe words[0] = Slot(first: caller.frame | unneeded, second: framePointer)
    // The return address is the entry's key; it is compared again only where it completes a link.
    unsafe words[1] = Slot(first: caller.frame &+ 8 | unneeded, second: caller.returnAddress)
    var count = 2
    var stackPointer = start
    // The index of the word that the frame pointer was read from; words from which no frame address
    // is computed are removed at the end.
    var source = 0
    for index in addresses.indices {
      guard let rule = unsafe rules.rule(of: addresses[index]) else { return nil }
      let isLast = index == addresses.count - 1
      if rule.isOutermost {
        guard isLast, unsafe !stack.truncated else { return nil }
        break
      }
      let frame: UInt
      if rule.isFromFramePointer {
        unsafe words[source].first &= ~unneeded
        if source == 0 { unsafe words[1].first &= ~unneeded }
        frame = framePointer &+ UInt(bitPattern: rule.offset)
      } else {
        frame = stackPointer &+ UInt(bitPattern: rule.offset)
      }
      // Stacks grow down: callers are at higher addresses.
      guard frame > stackPointer, frame &- start < StackCapture.maxStackBytes, frame % 8 == 0 else {
        return nil
      }
      if let offset = rule.framePointerOffset {
        let address = frame &+ UInt(bitPattern: offset)
        // Below the frame: in the part of the stack that the unwind has passed already.
        guard offset < -8, address >= start, let value = word(at: address) else { return nil }
        unsafe words[count] = Slot(first: address | unneeded, second: value)
        framePointer = value
        source = count
        count += 1
      }
      guard let next = word(at: frame &- 8) else { return nil }
      // Where libunwind stopped at the end of the stack, the zero return address is an input; where
      // the depth limit did, the return address that shows that there are more frames.
      guard unsafe isLast ? (next != 0) == stack.truncated : next == addresses[index + 1] else {
        return nil
      }
      unsafe words[count] = Slot(first: frame &- 8, second: next)
      count += 1
      stackPointer = frame
    }
    return unsafe withoutUnneeded(words, count)
  }

  /// The lowest bit of an address, which is a multiple of 8: set where no frame address is computed
  /// from this word.
  private static let unneeded: UInt = 1

  /// Removes the unneeded words, in place; returns the count of the others.
  private static func withoutUnneeded(_ words: UnsafeMutablePointer<Slot>, _ count: Int) -> Int {
    var kept = 0
    for index in 0..<count where unsafe words[index].first & unneeded == 0 {
      unsafe words[kept] = words[index]
      kept += 1
    }
    return kept
  }

  private static func word(at address: UInt) -> UInt? {
    guard address % 8 == 0 else { return nil }
    return unsafe UnsafePointer<UInt>(bitPattern: address)?.pointee
  }
}
