// Keeps rules of call frame information by return address, since finding one takes a search and an
// interpreter. Takes no lock: it is one thread's.

import CTracker

/// A table of the rules that a thread has used last, in memory that is zero at first.
///
/// Valid as long as no module is unloaded: the owner then zeroes the memory.
@unsafe
struct RuleTable {
  /// A rule with its return address; zero is free.
  struct Element {
    fileprivate var address: UInt = 0
    fileprivate var offset: Int32 = 0
    /// 0 where the frame pointer is not saved.
    fileprivate var framePointerOffset: Int16 = 0
    fileprivate var isFromFramePointer = false
    fileprivate var isOutermost = false
    /// Whether there is no rule that is supported.
    fileprivate var isUnsupported = false
  }

  private let elements: UnsafeMutablePointer<Element>
  private let bits: Int

  /// Creates a table of 2^`bits` elements.
  init(_ elements: UnsafeMutablePointer<Element>, bits: Int) {
    unsafe self.elements = unsafe elements
    unsafe self.bits = bits
  }

  /// Returns the rule for the function at a return address, as `CFARule.of` does.
  func rule(of address: UInt) -> CFARule? {
    let index = unsafe Int((address &* 0x9E37_79B9_7F4A_7C15) >> UInt(64 - bits))
    let element = unsafe elements[index]
    if element.address == address { return element.rule }
    let rule = CFARule.of(address)
    if let new = Element(address, rule) { unsafe elements[index] = new }
    return rule
  }
}

extension RuleTable.Element {
  /// Creates the element of a rule; `nil` where that cannot be kept.
  fileprivate init?(_ address: UInt, _ rule: CFARule?) {
    self.address = address
    guard let rule else {
      isUnsupported = true
      // Code in no module, such as a JIT compiler's, may change without notice.
      guard unsafe ct_find_module(address &- 1).end != 0 else { return nil }
      return
    }
    guard let offset = Int32(exactly: rule.offset), rule.framePointerOffset != 0,
      let framePointerOffset = Int16(exactly: rule.framePointerOffset ?? 0)
    else { return nil }
    self.offset = offset
    self.framePointerOffset = framePointerOffset
    isFromFramePointer = rule.isFromFramePointer
    isOutermost = rule.isOutermost
  }

  fileprivate var rule: CFARule? {
    if isUnsupported { return nil }
    return CFARule(
      isFromFramePointer: isFromFramePointer, offset: Int(offset),
      framePointerOffset: framePointerOffset == 0 ? nil : Int(framePointerOffset),
      isOutermost: isOutermost)
  }
}
