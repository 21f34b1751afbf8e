// Runs the instructions of call frame information up to a location.

/// The abstract machine of call frame instructions (DWARF 5, 6.4.2).
struct CFAProgram {
  private let codeFactor: UInt
  private let dataFactor: Int
  var row = CFARule.Row()
  var initial = CFARule.Row()
  var location: UInt = 0
  private var saved = InlineArray<8, CFARule.Row>(repeating: CFARule.Row())
  private var depth = 0

  init(_ common: borrowing CIE) {
    codeFactor = common.codeFactor
    dataFactor = common.dataFactor
  }

  /// Runs instructions up to a location.
  ///
  /// Returns false at an unsupported instruction.
  mutating func run(_ instructions: LEB128Reader, until end: UInt?) -> Bool {
    var reader = instructions
    while !reader.isAtEnd {
      let code = reader.byte()
      let operand = UInt(code & 0x3F)
      switch code >> 6 {
      case DWCFA.advanceLoc >> 6:
        if !advance(operand, end) { return true }
      case DWCFA.offset >> 6: row.save(operand, at: reader.number() &* dataFactor)
      case DWCFA.restore >> 6: restore(operand)
      default:
        guard let goesOn = runExtendedOpcode(code, &reader, end) else { return false }
        if !goesOn { return true }
      }
    }
    return true
  }

  /// Runs an instruction that is not encoded in the upper two bits.
  ///
  /// Returns `nil` for an unsupported one, false when the location is reached.
  private mutating func runExtendedOpcode(
    _ code: UInt8, _ reader: inout LEB128Reader, _ end: UInt?
  )
    -> Bool?
  {
    switch code {
    case DWCFA.nop: break
    case DWCFA.advanceLoc1: return advance(UInt(reader.byte()), end)
    case DWCFA.advanceLoc2: return advance(UInt(reader.half()), end)
    case DWCFA.advanceLoc4: return advance(UInt(reader.word()), end)
    case DWCFA.offsetExtended: row.save(reader.unsigned(), at: reader.number() &* dataFactor)
    case DWCFA.restoreExtended: restore(reader.unsigned())
    case DWCFA.undefined, DWCFA.sameValue:
      let register = reader.unsigned()
      row.save(register, at: nil)
      // An undefined frame pointer has no value to compute a frame from, and an undefined return
      // address ends the stack; a return address that is unchanged in the caller is invalid.
      let invalid =
        code == DWCFA.undefined ? Architecture.framePointer : Architecture.returnAddress
      if Int(truncatingIfNeeded: register) == invalid { row.isUnsupported = true }
    case DWCFA.register:
      row.markUnsupported(reader.unsigned())
      _ = reader.unsigned()
    case DWCFA.rememberState:
      guard depth < 8 else { return nil }
      saved[depth] = row
      depth += 1
    case DWCFA.restoreState:
      guard depth > 0 else { return nil }
      depth -= 1
      row = saved[depth]
    case DWCFA.defCFA: (row.register, row.offset) = (reader.number(), reader.number())
    case DWCFA.defCFARegister: row.register = reader.number()
    case DWCFA.defCFAOffset: row.offset = reader.number()
    case DWCFA.defCFAExpression:
      reader.skip(reader.number())
      // No register has this number: the rule is unsupported until another one is given.
      row.register = -1
    case DWCFA.expression, DWCFA.valExpression:
      row.markUnsupported(reader.unsigned())
      reader.skip(reader.number())
    case DWCFA.offsetExtendedSF: row.save(reader.unsigned(), at: reader.signed() &* dataFactor)
    case DWCFA.defCFASF:
      (row.register, row.offset) = (reader.number(), reader.signed() &* dataFactor)
    case DWCFA.defCFAOffsetSF: row.offset = reader.signed() &* dataFactor
    case DWCFA.valOffset, DWCFA.valOffsetSF:
      row.markUnsupported(reader.unsigned())
      _ = reader.unsigned()
    case DWCFA.gnuArgsSize: _ = reader.unsigned()
    default: return nil
    }
    return true
  }

  private mutating func advance(_ count: UInt, _ end: UInt?) -> Bool {
    location &+= count &* codeFactor
    return end.map { location <= $0 } ?? true
  }

  private mutating func restore(_ register: UInt) {
    switch Int(truncatingIfNeeded: register) {
    case Architecture.framePointer: row.framePointerOffset = initial.framePointerOffset
    case Architecture.returnAddress: row.returnOffset = initial.returnOffset
    default: break
    }
  }
}

/// The opcodes of call frame instructions (DWARF 5, 7.24; the Linux Standard Base for the last).
private enum DWCFA {
  // With an operand in the lower six bits.
  static let advanceLoc: UInt8 = 0x40
  static let offset: UInt8 = 0x80
  static let restore: UInt8 = 0xC0

  static let nop: UInt8 = 0x00
  static let advanceLoc1: UInt8 = 0x02
  static let advanceLoc2: UInt8 = 0x03
  static let advanceLoc4: UInt8 = 0x04
  static let offsetExtended: UInt8 = 0x05
  static let restoreExtended: UInt8 = 0x06
  static let undefined: UInt8 = 0x07
  static let sameValue: UInt8 = 0x08
  static let register: UInt8 = 0x09
  static let rememberState: UInt8 = 0x0A
  static let restoreState: UInt8 = 0x0B
  static let defCFA: UInt8 = 0x0C
  static let defCFARegister: UInt8 = 0x0D
  static let defCFAOffset: UInt8 = 0x0E
  static let defCFAExpression: UInt8 = 0x0F
  static let expression: UInt8 = 0x10
  static let offsetExtendedSF: UInt8 = 0x11
  static let defCFASF: UInt8 = 0x12
  static let defCFAOffsetSF: UInt8 = 0x13
  static let valOffset: UInt8 = 0x14
  static let valOffsetSF: UInt8 = 0x15
  static let valExpression: UInt8 = 0x16
  static let gnuArgsSize: UInt8 = 0x2E
}
