import CTrackerTesting
import Glibc
import TestSupport
import Testing

@testable import BSTRAllocator

/// Rules from call frame information, each instruction by itself.
@Suite struct CFARuleTests {
  /// An instruction with what follows from it at the function's start.
  struct Case: CustomTestStringConvertible {
    var name: String
    var instructions: [UInt8]
    /// `nil` for unsupported information.
    var rule: CFARule?

    init(_ name: String, _ instructions: [UInt8], _ rule: CFARule?) {
      (self.name, self.instructions, self.rule) = (name, instructions, rule)
    }

    var testDescription: String { name }
  }

  private static let start = CFARule(offset: 8)
  private static let outermost = CFARule(isOutermost: true)
  private static func saved(_ offset: Int) -> CFARule {
    CFARule(offset: 8, framePointerOffset: offset)
  }

  static let cases: [Case] = [
    Case("none", [], start),
    Case("DW_CFA_nop", [0x00, 0x00], start),
    Case("DW_CFA_def_cfa", [0x0C, 6, 16], CFARule(isFromFramePointer: true, offset: 16)),
    Case("DW_CFA_def_cfa of another register", [0x0C, 10, 0], nil),
    Case("DW_CFA_def_cfa_register", [0x0D, 6], CFARule(isFromFramePointer: true, offset: 8)),
    Case("DW_CFA_def_cfa_offset", [0x0E, 0x80, 0x02], CFARule(offset: 256)),
    Case("DW_CFA_def_cfa_sf", [0x12, 7, 0x7E], CFARule(offset: 16)),
    Case("DW_CFA_def_cfa_offset_sf", [0x13, 0x7D], CFARule(offset: 24)),
    Case("DW_CFA_def_cfa_expression", [0x0F, 3, 0x77, 0x08, 0x06], nil),
    Case("an expression and then a register", [0x0F, 1, 0x96, 0x0C, 7, 24], CFARule(offset: 24)),
    Case("an expression and then an offset", [0x0F, 1, 0x96, 0x0E, 24], nil),
    Case("DW_CFA_offset of the frame pointer", [0x86, 2], saved(-16)),
    Case("DW_CFA_offset of another register", [0x83, 3], start),
    Case("DW_CFA_offset of the return address elsewhere", [0x90, 2], nil),
    Case("DW_CFA_offset of the stack pointer", [0x87, 2], nil),
    Case("DW_CFA_offset_extended", [0x05, 6, 4], saved(-32)),
    Case("DW_CFA_offset_extended_sf", [0x11, 6, 3], saved(-24)),
    Case("DW_CFA_restore", [0x86, 2, 0xC6], start),
    Case("DW_CFA_restore_extended", [0x86, 2, 0x06, 6], start),
    Case("DW_CFA_restore of the return address", [0x07, 16, 0xD0], start),
    Case("DW_CFA_undefined of the return address", [0x07, 16], outermost),
    Case("DW_CFA_undefined of the frame pointer", [0x07, 6], nil),
    Case("DW_CFA_undefined of another register", [0x07, 3], start),
    Case("DW_CFA_same_value of the frame pointer", [0x86, 2, 0x08, 6], start),
    Case("DW_CFA_same_value of the return address", [0x08, 16], nil),
    Case("DW_CFA_register of the frame pointer", [0x09, 6, 3], nil),
    Case("DW_CFA_register of another register", [0x09, 3, 12], start),
    Case("DW_CFA_expression of the return address", [0x10, 16, 2, 0x77, 0x00], nil),
    Case("DW_CFA_expression of another register", [0x10, 3, 2, 0x77, 0x00], start),
    Case("DW_CFA_val_offset of the stack pointer", [0x14, 7, 1], nil),
    Case("DW_CFA_val_offset_sf of another register", [0x15, 3, 1], start),
    Case("DW_CFA_val_expression of the frame pointer", [0x16, 6, 1, 0x96], nil),
    Case("DW_CFA_remember_state, DW_CFA_restore_state", [0x0A, 0x0E, 64, 0x86, 2, 0x0B], start),
    Case(
      "states within states",
      [0x0A, 0x0E, 16, 0x86, 2, 0x0A, 0x0C, 6, 16, 0x0B],
      CFARule(offset: 16, framePointerOffset: -16)),
    Case("DW_CFA_GNU_args_size", [0x2E, 32], start),
    // Programs that are malformed.
    Case("DW_CFA_restore_state of none", [0x0B], nil),
    Case("more states than fit", [UInt8](repeating: 0x0A, count: 9), nil),
    Case("as many states as fit", [UInt8](repeating: 0x0A, count: 8), start),
    Case("DW_CFA_set_loc", [0x01, 0, 0, 0, 0], nil),
    Case("an instruction that does not exist", [0x3F], nil),
    Case("an operand that is missing", [0x0E], CFARule(offset: 0)),
    Case("an expression that is longer than the program", [0x10, 3, 100, 0x0E], start),
    Case("an expression of a length beyond all", [0x10, 3] + tooLarge + [0x0E, 64], start64),
    Case("a register beyond all", [0x05] + tooLarge + [1], start),
    Case("an offset beyond all", [0x86] + tooLarge, saved(8)),
    Case("a number without an end", [0x0E] + [UInt8](repeating: 0x80, count: 40), CFARule()),
  ]

  /// 2^64 - 1, which is no `Int`.
  private static let tooLarge = [UInt8](repeating: 0xFF, count: 9) + [0x01]
  /// A length beyond all is one of nothing.
  private static let start64 = CFARule(offset: 64)

  @Test(arguments: cases) func anInstructionGivesItsRule(_ one: Case) {
    #expect(FrameInformation.rule(one.instructions) == one.rule)
  }

  /// Instructions that move on, by as many bytes as their operand says.
  @Test(arguments: [
    ("DW_CFA_advance_loc", [0x40 | 8] as [UInt8], 8 as UInt),
    ("DW_CFA_advance_loc1", [0x02, 200], 200),
    ("DW_CFA_advance_loc2", [0x03, 0x34, 0x12], 0x1234),
    ("DW_CFA_advance_loc4", [0x04, 0x78, 0x56, 0x34, 0x12], 0x1234_5678),
  ])
  func whatComesLaterHoldsFromThereOn(name: String, instruction: [UInt8], bytes: UInt) {
    let program = instruction + [0x0E, 16]
    #expect(FrameInformation.rule(program, at: bytes - 1) == Self.start)
    #expect(FrameInformation.rule(program, at: bytes) == CFARule(offset: 16))
  }

  @Test func factorsApply() {
    var common = FrameInformation.Common()
    common.codeFactor = [4]
    common.dataFactor = [0x7C]
    common.instructions = [0x0C, 7, 8]
    let program: [UInt8] = [0x42, 0x86, 6]
    #expect(FrameInformation.rule(program, common: common, at: 7) == CFARule(offset: 8))
    #expect(
      FrameInformation.rule(program, common: common, at: 8)
        == CFARule(offset: 8, framePointerOffset: -24))
  }

  @Test func augmentationsArePassedOver() {
    var common = FrameInformation.Common()
    common.augmentation = "zPLR"
    common.augmentationData = [0x9B, 1, 2, 3, 4, 0x1B, 0x1B]
    #expect(
      FrameInformation.rule([0x0E, 16], common: common, augmentationData: [1, 2, 3, 4])
        == CFARule(offset: 16))
    // Addresses of 8 bytes.
    common.augmentation = "zR"
    common.augmentationData = [0x00]
    #expect(
      FrameInformation.rule([0x0E, 16], common: common, addressBytes: 8) == CFARule(offset: 16))
    common.augmentation = ""
    #expect(
      FrameInformation.rule([0x0E, 16], common: common, addressBytes: 8) == CFARule(offset: 16))
    common.version = 3
    #expect(
      FrameInformation.rule([0x0E, 16], common: common, addressBytes: 8) == CFARule(offset: 16))
  }

  @Test func anotherFormatIsUnsupported() {
    func rule(_ change: (inout FrameInformation.Common) -> Void) -> CFARule? {
      var common = FrameInformation.Common()
      change(&common)
      return FrameInformation.rule([], common: common)
    }
    #expect(rule { _ in } == Self.start)
    #expect(rule { $0.version = 4 } == nil)
    #expect(rule { $0.returnRegister = 17 } == nil)
    // A signal frame, whose address is no return address.
    #expect(rule { $0.augmentation = "zRS" } == nil)
    #expect(rule { $0.augmentation = "eh" } == nil)
    #expect(rule { $0.augmentation = "zRRRRRRRRRR" } == nil)
    #expect(rule { $0.augmentationData = [0x01] } == nil)
    #expect(rule { $0.instructions = [0x3F] } == nil)
    // A number without an end takes the rest with it.
    #expect(rule { $0.codeFactor = [UInt8](repeating: 0x80, count: 200) } == nil)
  }
}

/// The rules of real functions against libunwind's.
@Suite struct FrameRuleAgreementTests {
  /// A stack whose words all differ, so that what was read tells where.
  private struct Stack: ~Copyable {
    static let bytes = 1 << 22
    let words = UnsafeMutablePointer<UInt>.allocate(capacity: bytes / 8)

    init() {
      var index = 0
      while index < Self.bytes / 8 {
        words[index] = Self.content(index)
        index += 1
      }
    }

    deinit { words.deallocate() }

    /// Looks like no address of anything.
    static func content(_ index: Int) -> UInt { 0x5555_0000_0000_0000 | UInt(index) << 3 }

    func word(at address: UInt) -> UInt? {
      let offset = address &- UInt(bitPattern: words)
      return offset < UInt(Self.bytes) && offset % 8 == 0 ? words[Int(offset / 8)] : nil
    }
  }

  private struct Tally {
    var addresses = 0
    var known = 0
    var outermost = 0
    var wrong: [String] = []
  }

  private func compare(_ library: String, _ random: inout SeededGenerator) -> Tally {
    let stack = Stack()
    let middle = UInt(bitPattern: stack.words + Stack.bytes / 16)
    let (stackPointer, framePointer) = (middle, middle + 1 << 18)
    var tally = Tally()
    for function in Functions.all(of: library) {
      // The start, the end, and what lies between.
      var offsets: Set<UInt> = [1, function.bytes]
      for _ in 0..<2 { offsets.insert(.random(in: 1...function.bytes, using: &random)) }
      for offset in offsets {
        tally.addresses += 1
        let address = function.start + offset
        guard let rule = CFARule.of(address) else { continue }
        tally.known += 1
        var frame = ctt_frame(
          address: address, stack_pointer: stackPointer, frame_pointer: framePointer)
        let result = ctt_unwind(&frame)
        if rule.isOutermost {
          tally.outermost += 1
          if result != 0 { tally.wrong.append("\(function) + \(offset): \(result), not outermost") }
          continue
        }
        let cfa =
          (rule.isFromFramePointer ? framePointer : stackPointer) &+ UInt(bitPattern: rule.offset)
        let saved = rule.framePointerOffset.map { stack.word(at: cfa &+ UInt(bitPattern: $0)) }
        guard result > 0, frame.stack_pointer == cfa, frame.address == stack.word(at: cfa &- 8),
          frame.frame_pointer == saved ?? framePointer
        else {
          tally.wrong.append("\(function) + \(offset): \(rule), \(result), \(frame)")
          continue
        }
      }
    }
    return tally
  }

  @Test(arguments: ["libc.so.6", "libstdc++.so.6", ""])
  func rulesAreThoseOfLibunwind(library: String) {
    var random = SeededGenerator.printingSeed("\(#function) of '\(library)'")
    let tally = compare(library, &random)
    #expect(tally.wrong.isEmpty, "\(tally.wrong.prefix(5))")
    #expect(tally.addresses > 5000)
    // Realigned frames, signal frames and the procedure linkage table are few.
    #expect(tally.known > tally.addresses / 10 * 9)
    print("\(library): \(tally.known) of \(tally.addresses), \(tally.outermost) outermost")
  }
}

/// The functions of loaded modules.
enum Functions {
  static func all(of library: String) -> [ctt_function] {
    let count = ctt_functions(library, nil, 0)
    return [ctt_function](unsafeUninitializedCapacity: count) { buffer, initialized in
      initialized = ctt_functions(library, buffer.baseAddress, count)
    }.filter { $0.bytes > 0 }
  }
}
