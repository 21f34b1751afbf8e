// Unwinds by the rules of call frame information that the stack and frame pointers are enough for.
// What needs more is left to libunwind.

extension StackCapture {
  /// Unwinds the program's stack by rules, starting with the frame that returns to the caller.
  ///
  /// The same frames as libunwind finds, without the 256 KiB that it keeps for each thread, the
  /// system calls and the lock with which it finds a frame that is new to the thread. Reads no page
  /// of the stack that the kernel was not asked about.
  ///
  /// - Parameters:
  ///   - caller: the call of the function that the program called.
  ///   - depth: the limit of the frames to keep, at most `maxDepth`.
  /// - Returns: `nil` when a frame has no rule, or one that leads outside of the stack.
  static func captureByRules(from caller: CallSite, depth: Int, _ rules: RuleTable) -> Stack? {
    let addresses = unsafe scratch
    let limit = min(depth, maxDepth)
    let start = caller.frame &+ 16
    var stack = ReadableWords(around: caller.frame)
    // The exported function has saved the caller's frame pointer at its frame.
    guard limit > 0, !Page.isFirst(caller.frame), var framePointer = stack.word(at: caller.frame),
      stack.word(at: caller.frame &+ 8) == caller.returnAddress
    else { return nil }
    var stackPointer = start
    var address = caller.returnAddress
    for count in 1...limit {
      unsafe addresses[count - 1] = address
      guard let rule = unsafe rules.rule(of: address) else { return nil }
      if rule.isOutermost { return unsafe stackOf(count, truncated: false) }
      let frame =
        (rule.isFromFramePointer ? framePointer : stackPointer)
        &+ UInt(bitPattern: rule.offset)
      // Stacks grow down: callers are at higher addresses.
      guard frame > stackPointer, frame &- start < maxStackBytes else { return nil }
      if let offset = rule.framePointerOffset {
        let saved = frame &+ UInt(bitPattern: offset)
        // Below the frame: in the part of the stack that the unwind has passed already.
        guard offset < -8, saved >= start, let value = stack.word(at: saved) else { return nil }
        framePointer = value
      }
      guard let next = stack.word(at: frame &- 8) else { return nil }
      if next == 0 { return unsafe stackOf(count, truncated: false) }
      stackPointer = frame
      address = next
    }
    return unsafe stackOf(limit, truncated: true)
  }

  /// The limit of the bytes of one stack.
  static let maxStackBytes: UInt = 1 << 32

  private static func stackOf(_ count: Int, truncated: Bool) -> Stack {
    unsafe stack(scratch, from: 0, count: count, truncated: truncated)
  }

  /// Words of a stack, on pages that can be read.
  private struct ReadableWords {
    private var pages: ReadablePages

    /// Creates the words of a stack of which the page of an address is in use.
    init(around address: UInt) {
      pages = ReadablePages(known: address)
    }

    mutating func word(at address: UInt) -> UInt? {
      guard address % 8 == 0, pages.contain(address, 8) else { return nil }
      return unsafe UnsafePointer<UInt>(bitPattern: address)?.pointee
    }
  }
}
