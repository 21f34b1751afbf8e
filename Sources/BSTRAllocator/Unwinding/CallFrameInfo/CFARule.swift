// Finds the rule for a function's caller in its call frame information, as far as the inputs of an
// unwind need it. Does not unwind stacks for reports: that is libunwind's.

import CTracker
import CUnwind

/// The rule that computes the caller's frame, for a location in a function that is in the middle of
/// a call.
///
/// Source: DWARF 5, 6.4, and the Linux Standard Base, ".eh_frame". Only rules whose inputs are the
/// stack pointer, the frame pointer and the code itself: everything else is unsupported.
package struct CFARule: Equatable {
  /// Whether the caller's frame (CFA) is an offset from the frame pointer, and else from the stack
  /// pointer.
  var isFromFramePointer = false
  /// Bytes from that pointer to the CFA.
  var offset = 0
  /// Bytes from the CFA to the saved frame pointer; `nil` when the function has not changed it.
  var framePointerOffset: Int?
  /// Whether there is no caller.
  var isOutermost = false

  /// Returns the rule for the function at a return address; `nil` when it is unsupported or
  /// unknown.
  ///
  /// Reads the loaded module's call frame information. Takes no lock and allocates nothing.
  static func of(_ address: UInt) -> CFARule? {
    let location = address &- 1
    // Code in no module, such as a JIT compiler's, may change without notice.
    guard Architecture.followsCallFrameInfo, !Page.isFirst(address),
      unsafe ct_find_module(location).end != 0,
      let pointer = unsafe UnsafeMutableRawPointer(bitPattern: location)
    else { return nil }
    var bases = unsafe cunwind_bases()
    guard let entry = unsafe _Unwind_Find_FDE(pointer, &bases),
      let function = unsafe bases.function
    else { return nil }
    return unsafe parse(entry, from: UInt(bitPattern: function), to: location)
  }

  /// Returns the rule that call frame information gives for a location in a function; `nil` when it
  /// is unsupported.
  ///
  /// Reads the entry and the CIE that it names, and nothing outside of the two, whatever they
  /// contain. Takes no lock and allocates nothing.
  ///
  /// - Parameters:
  ///   - entry: the function's FDE, whose length and reference to its CIE are right.
  ///   - function: the address at which the function starts.
  ///   - location: an address in the instruction to unwind from.
  package static func parse(
    _ entry: UnsafeRawPointer, from function: UInt, to location: UInt
  ) -> CFARule? {
    let entryBytes = unsafe Int(entry.loadUnaligned(as: UInt32.self))
    let back = unsafe Int((entry + 4).loadUnaligned(as: UInt32.self))
    guard entryBytes > 4, entryBytes < 1 << 24, back != 0 else { return nil }
    guard let common = unsafe CIE(entry + 4 - back) else { return nil }
    var program = CFAProgram(common)
    guard program.run(common.instructions, until: nil) else { return nil }
    program.initial = program.row
    program.location = function
    var reader = unsafe LEB128Reader(entry + 8, entry + 4 + entryBytes)
    reader.skip(2 * common.addressBytes)
    if common.hasAugmentation { reader.skip(reader.number()) }
    guard program.run(reader, until: location) else { return nil }
    return program.row.rule
  }

  /// One row of the table that call frame information describes.
  struct Row {
    var register = Architecture.stackPointer
    var offset = 0
    var framePointerOffset: Int?
    /// `nil` when there is no caller.
    var returnOffset: Int? = -8
    /// Whether the row has unsupported inputs.
    var isUnsupported = false

    var rule: CFARule? {
      if isUnsupported { return nil }
      guard let returnOffset else { return CFARule(isOutermost: true) }
      guard returnOffset == -8,
        register == Architecture.framePointer || register == Architecture.stackPointer
      else { return nil }
      return CFARule(
        isFromFramePointer: register == Architecture.framePointer, offset: offset,
        framePointerOffset: framePointerOffset)
    }

    /// Notes the location at which a register is saved, in bytes from the CFA; `nil` is
    /// "unchanged".
    mutating func save(_ register: UInt, at offset: Int?) {
      switch Int(truncatingIfNeeded: register) {
      case Architecture.framePointer: framePointerOffset = offset
      case Architecture.returnAddress: returnOffset = offset
      // A stack pointer that is not the CFA.
      case Architecture.stackPointer: isUnsupported = true
      default: break
      }
    }

    /// Notes that a register is restored in an unsupported way.
    mutating func markUnsupported(_ register: UInt) {
      let followed = [
        Architecture.framePointer, Architecture.stackPointer,
        Architecture.returnAddress,
      ]
      if followed.contains(Int(truncatingIfNeeded: register)) { isUnsupported = true }
    }
  }
}
