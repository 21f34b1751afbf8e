// Which function's frame a word of another thread's stack is in, by the call frame information of
// the code. Keeps nothing.

import CTracker

/// The frames of a stack that is not unwound from a register context.
struct StackFrames {
  /// The stack, from its stack pointer on; its owner is the code of its lowest frame.
  private let region: ScanRegion

  init(_ region: ScanRegion) { self.region = region }

  /// Returns an address of the code in whose frame a word is; 0 where the stack cannot be unwound.
  func code(around slot: UInt, _ memory: borrowing MemoryReader) -> UInt {
    guard region.owner != 0 else { return 0 }
    // The function that ends the process has saved its caller's frame pointer; another thread's is
    // unknown.
    let isOwn = unsafe region.thread == ct_thread().pointee.tid
    let frame = Frame(
      code: region.owner, stackPointer: region.start,
      framePointer: isOwn ? memory.word(at: region.start - 16) : nil)
    return unwind(frame, to: slot, memory) ?? 0
  }

  /// Where an unwind is.
  private struct Frame {
    var code: UInt
    var stackPointer: UInt
    var framePointer: UInt?
  }

  /// Unwinds a stack to its end, by the rules of its frames.
  ///
  /// - Returns: an address of the code in whose frame a word is; `nil` where it is in none, or the
  ///   unwind does not come to the end.
  private func unwind(_ first: Frame, to slot: UInt, _ memory: borrowing MemoryReader) -> UInt? {
    var frame = first
    var found: UInt?
    for _ in 0..<StackCapture.maxDepth {
      guard let rule = CFARule.of(frame.code) else { return nil }
      if rule.isOutermost { return found }
      guard let base = rule.isFromFramePointer ? frame.framePointer : frame.stackPointer else {
        return unwindWithoutFramePointer(frame, to: slot, memory)
      }
      let end = base &+ UInt(bitPattern: rule.offset)
      guard end > frame.stackPointer, end <= region.end else { return nil }
      if found == nil, slot < end { found = frame.code }
      if let offset = rule.framePointerOffset {
        frame.framePointer = memory.word(at: end &+ UInt(bitPattern: offset))
      }
      guard let caller = memory.word(at: end - 8) else { return nil }
      if caller == 0 { return found }
      frame.stackPointer = end
      frame.code = caller
    }
    return nil
  }

  /// Goes on where the frame pointer is needed and is in a register of the thread: tries addresses
  /// upwards, and takes the first from which the unwind reaches the end.
  private func unwindWithoutFramePointer(
    _ frame: Frame, to slot: UInt, _ memory: borrowing MemoryReader
  ) -> UInt? {
    var frame = frame
    for word in 0..<1024 {
      let address = frame.stackPointer + UInt(word) * 8
      guard address + 16 < region.end, let code = memory.word(at: address + 8) else { return nil }
      guard ct_is_return_address(code) else { continue }
      frame.framePointer = address
      if let found = unwind(frame, to: slot, memory) { return found }
    }
    return nil
  }
}
