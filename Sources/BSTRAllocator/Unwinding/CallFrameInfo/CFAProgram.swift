// Runs the instructions of call frame information up to an address.

import CTracker
import CUnwind

/// The machine that call frame instructions are for.
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

  /// Runs instructions up to a place; false when one is met that is not known.
  mutating func run(_ instructions: LEB128Reader, until place: UInt?) -> Bool {
    var reader = instructions
    while !reader.isAtEnd {
      let code = reader.byte()
      let operand = UInt(code & 0x3F)
      switch code >> 6 {
      case 1:
        if !advance(operand, place) { return true }
      case 2: row.save(operand, at: reader.number() &* dataFactor)
      case 3: restore(operand)
      default:
        guard let goesOn = runExtendedOpcode(code, &reader, place) else { return false }
        if !goesOn { return true }
      }
    }
    return true
  }

  /// `nil` for an unknown instruction, false when the place is reached.
  private mutating func runExtendedOpcode(
    _ code: UInt8, _ reader: inout LEB128Reader, _ place: UInt?
  )
    -> Bool?
  {
    switch code {
    case 0x00: break
    case 0x02: return advance(UInt(reader.byte()), place)
    case 0x03: return advance(UInt(reader.half()), place)
    case 0x04: return advance(UInt(reader.word()), place)
    case 0x05: row.save(reader.unsigned(), at: reader.number() &* dataFactor)
    case 0x06: restore(reader.unsigned())
    case 0x07, 0x08:
      let register = reader.unsigned()
      row.save(register, at: nil)
      // A frame pointer that is undefined has no value to count from, and an undefined return
      // address ends the stack, while one that is the same in the caller is none.
      if code == 0x07 ? register == 6 : register == 16 { row.isUnsupported = true }
    case 0x09:
      row.markUnsupported(reader.unsigned())
      _ = reader.unsigned()
    case 0x0A:
      guard depth < 8 else { return nil }
      saved[depth] = row
      depth += 1
    case 0x0B:
      guard depth > 0 else { return nil }
      depth -= 1
      row = saved[depth]
    case 0x0C: (row.register, row.offset) = (reader.number(), reader.number())
    case 0x0D: row.register = reader.number()
    case 0x0E: row.offset = reader.number()
    case 0x0F:
      reader.skip(reader.number())
      // No register has this number: the rule is odd until another one is given.
      row.register = -1
    case 0x10, 0x16:
      row.markUnsupported(reader.unsigned())
      reader.skip(reader.number())
    case 0x11: row.save(reader.unsigned(), at: reader.signed() &* dataFactor)
    case 0x12:
      (row.register, row.offset) = (reader.number(), reader.signed() &* dataFactor)
    case 0x13: row.offset = reader.signed() &* dataFactor
    case 0x14, 0x15:
      row.markUnsupported(reader.unsigned())
      _ = reader.unsigned()
    case 0x2E: _ = reader.unsigned()
    default: return nil
    }
    return true
  }

  private mutating func advance(_ count: UInt, _ place: UInt?) -> Bool {
    location &+= count &* codeFactor
    return place.map { location <= $0 } ?? true
  }

  private mutating func restore(_ register: UInt) {
    switch register {
    case 6: row.framePointerOffset = initial.framePointerOffset
    case 16: row.returnOffset = initial.returnOffset
    default: break
    }
  }
}
