// What a stack depends on: the words that a walk reads, found once by following the call frame
// information.

extension UnwindCache {
  /// The words that a stack depends on, from the inside out.
  ///
  /// - Returns: how many there are; `nil` when a frame is odd, or the stack is not as libunwind
  ///   found it.
  static func dependencies(
    of stack: StackCapture.Stack, at caller: CallSite, _ words: UnsafeMutablePointer<Slot>
  ) -> Int? {
    let addresses = unsafe stack.addresses
    let start = caller.frame &+ 16
    // The caller's frame pointer stands where the exported function has saved it.
    guard var framePointer = word(at: caller.frame) else { return nil }
    unsafe words[0] = Slot(first: caller.frame | unneeded, second: framePointer)
    // It is known by its return address; compared again only where that completes a link.
    unsafe words[1] = Slot(first: caller.frame &+ 8 | unneeded, second: caller.returnAddress)
    var count = 2
    var stackPointer = start
    // Which slot the frame pointer was taken from; those that no frame is counted from are taken
    // out again.
    var source = 0
    for index in addresses.indices {
      guard let rule = unsafe CFARule.of(addresses[index]) else { return nil }
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
      // Stacks grow down: callers are above.
      guard frame > stackPointer, frame &- start < largestStack, frame % 8 == 0 else { return nil }
      if let offset = rule.framePointerOffset {
        let place = frame &+ UInt(bitPattern: offset)
        // Below the frame: inside what a walk has passed already.
        guard offset < -8, place >= start, let value = word(at: place) else { return nil }
        unsafe words[count] = Slot(first: place | unneeded, second: value)
        framePointer = value
        source = count
        count += 1
      }
      guard let next = word(at: frame &- 8) else { return nil }
      // Where libunwind has stopped, what stopped it must be there again; where we have, what says
      // that there is more.
      guard unsafe isLast ? (next != 0) == stack.truncated : next == addresses[index + 1] else {
        return nil
      }
      unsafe words[count] = Slot(first: frame &- 8, second: next)
      count += 1
      stackPointer = frame
    }
    return unsafe withoutUnneeded(words, count)
  }

  /// The lowest bit of an address, which is a multiple of 8: that no frame is counted from this
  /// word.
  private static let unneeded: UInt = 1
  private static let largestStack: UInt = 1 << 32

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
