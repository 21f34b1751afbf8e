// How a function's caller is found, from its call frame information: the part of it that is needed to say
// what a stack depends on. Does not walk stacks for reports: that is libunwind's.

import CTracker
import CUnwind

/// Where the caller's frame is, seen from a place in a function that is in the middle of a call.
///
/// Source: DWARF 5, 6.4, and the Linux Standard Base, ".eh_frame". Only rules in which nothing but the stack
/// pointer, the frame pointer and the code itself have a part: everything else is odd.
package struct FrameRule: Equatable {
  /// Whether the caller's frame (CFA) is counted from the frame pointer, and else from the stack pointer.
  var isFromFramePointer = false
  /// Bytes from there to the CFA.
  var offset = 0
  /// Bytes from the CFA to where the function saved the frame pointer; `nil` when it has not changed it.
  var framePointerOffset: Int?
  /// Whether there is no caller.
  var isOutermost = false

  private static let framePointer = 6
  private static let stackPointer = 7
  private static let returnAddress = 16

  /// The rule for the function that returns to an address; `nil` when it is odd or unknown.
  ///
  /// Reads the loaded module's call frame information. Takes no lock and allocates nothing.
  static func of(_ address: UInt) -> FrameRule? {
    #if arch(x86_64)
      let place = address &- 1
      // What no module holds, such as code made at run time, may change behind our back.
      guard address > 4096, unsafe ct_find_module(place).end != 0,
        let pointer = unsafe UnsafeMutableRawPointer(bitPattern: place)
      else { return nil }
      var bases = unsafe cunwind_bases()
      guard let entry = unsafe _Unwind_Find_FDE(pointer, &bases),
        let function = unsafe bases.function
      else { return nil }
      return unsafe parse(entry, from: UInt(bitPattern: function), to: place)
    #else
      return nil
    #endif
  }

  /// The rule that call frame information gives for a place in a function; `nil` when it is odd.
  ///
  /// Reads the entry and the CIE that it names, and nothing outside of the two, whatever is in them. Takes no
  /// lock and allocates nothing.
  ///
  /// - Parameters:
  ///   - entry: the function's FDE, whose length and reference to its CIE are right.
  ///   - function: where the function starts.
  ///   - place: an address in the instruction to unwind from.
  package static func parse(
    _ entry: UnsafeRawPointer, from function: UInt, to place: UInt
  ) -> FrameRule? {
    let entryBytes = unsafe Int(entry.loadUnaligned(as: UInt32.self))
    let back = unsafe Int((entry + 4).loadUnaligned(as: UInt32.self))
    guard entryBytes > 4, entryBytes < 1 << 24, back != 0 else { return nil }
    guard let common = unsafe CommonEntry(entry + 4 - back) else { return nil }
    var program = FrameProgram(common)
    guard program.run(common.instructions, until: nil) else { return nil }
    program.initial = program.row
    program.location = function
    var reader = unsafe ByteReader(entry + 8, entry + 4 + entryBytes)
    reader.skip(2 * common.addressBytes)
    if common.hasAugmentation { reader.skip(reader.number()) }
    guard program.run(reader, until: place) else { return nil }
    return program.row.rule
  }

  /// One row of the table that call frame information describes.
  fileprivate struct Row {
    var register = FrameRule.stackPointer
    var offset = 0
    var framePointerOffset: Int?
    /// `nil` when there is no caller.
    var returnOffset: Int? = -8
    /// Whether anything has a part in it that we do not follow.
    var isOdd = false

    var rule: FrameRule? {
      if isOdd { return nil }
      guard let returnOffset else { return FrameRule(isOutermost: true) }
      guard returnOffset == -8,
        register == FrameRule.framePointer || register == FrameRule.stackPointer
      else { return nil }
      return FrameRule(
        isFromFramePointer: register == FrameRule.framePointer, offset: offset,
        framePointerOffset: framePointerOffset)
    }

    /// Notes where a register is saved; `nil` is "unchanged".
    mutating func save(_ register: UInt, at offset: Int?) {
      switch Int(truncatingIfNeeded: register) {
      case FrameRule.framePointer: framePointerOffset = offset
      case FrameRule.returnAddress: returnOffset = offset
      // A stack pointer that is not the CFA.
      case FrameRule.stackPointer: isOdd = true
      default: break
      }
    }

    /// Notes that a register is found in a way that we do not follow.
    mutating func complicate(_ register: UInt) {
      let ours = [FrameRule.framePointer, FrameRule.stackPointer, FrameRule.returnAddress]
      if ours.contains(Int(truncatingIfNeeded: register)) { isOdd = true }
    }
  }
}

/// What the functions of a module have in common: a CIE.
@safe
private struct CommonEntry {
  let codeFactor: UInt
  let dataFactor: Int
  /// Bytes of an address in the entries of functions.
  let addressBytes: Int
  let hasAugmentation: Bool
  let instructions: ByteReader

  /// `nil` for what we do not follow: signal frames and formats of other times.
  init?(_ entry: UnsafeRawPointer) {
    let bytes = unsafe Int(entry.loadUnaligned(as: UInt32.self))
    guard bytes > 8, bytes < 1 << 20, unsafe (entry + 4).loadUnaligned(as: UInt32.self) == 0 else {
      return nil
    }
    var reader = unsafe ByteReader(entry + 8, entry + 4 + bytes)
    let version = reader.byte()
    guard version == 1 || version == 3 else { return nil }
    var augmentation = InlineArray<8, UInt8>(repeating: 0)
    var count = 0
    while true {
      let letter = reader.byte()
      if letter == 0 { break }
      guard count < 8 else { return nil }
      augmentation[count] = letter
      count += 1
    }
    codeFactor = reader.unsigned()
    dataFactor = reader.signed()
    let returnRegister = version == 1 ? UInt(reader.byte()) : reader.unsigned()
    guard returnRegister == 16 else { return nil }
    hasAugmentation = count > 0
    var encoding: UInt8 = 0
    if count > 0 {
      guard augmentation[0] == UInt8(ascii: "z") else { return nil }
      var behind = reader
      behind.skip(behind.number())
      _ = reader.number()
      for index in 1..<max(1, count) {
        switch augmentation[index] {
        case UInt8(ascii: "R"): encoding = reader.byte()
        case UInt8(ascii: "L"): _ = reader.byte()
        case UInt8(ascii: "P"):
          let personality = reader.byte()
          guard let size = Self.bytes(of: personality) else { return nil }
          reader.skip(size)
        default: return nil
        }
      }
      reader = behind
    }
    guard let size = Self.bytes(of: encoding) else { return nil }
    addressBytes = size
    instructions = reader
  }

  private static func bytes(of encoding: UInt8) -> Int? {
    switch encoding & 0x0F {
    case 0x00, 0x04, 0x0C: 8
    case 0x02, 0x0A: 2
    case 0x03, 0x0B: 4
    default: nil
    }
  }
}

/// The machine that call frame instructions are for.
private struct FrameProgram {
  private let codeFactor: UInt
  private let dataFactor: Int
  var row = FrameRule.Row()
  var initial = FrameRule.Row()
  var location: UInt = 0
  private var saved = InlineArray<8, FrameRule.Row>(repeating: FrameRule.Row())
  private var depth = 0

  init(_ common: borrowing CommonEntry) {
    codeFactor = common.codeFactor
    dataFactor = common.dataFactor
  }

  /// Runs instructions up to a place; false when one is met that is not known.
  mutating func run(_ instructions: ByteReader, until place: UInt?) -> Bool {
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
        guard let goesOn = runLong(code, &reader, place) else { return false }
        if !goesOn { return true }
      }
    }
    return true
  }

  /// `nil` for an unknown instruction, false when the place is reached.
  private mutating func runLong(_ code: UInt8, _ reader: inout ByteReader, _ place: UInt?) -> Bool?
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
      // A frame pointer that is undefined has no value to count from, and an undefined return address
      // ends the stack, while one that is the same in the caller is none.
      if code == 0x07 ? register == 6 : register == 16 { row.isOdd = true }
    case 0x09:
      row.complicate(reader.unsigned())
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
      row.complicate(reader.unsigned())
      reader.skip(reader.number())
    case 0x11: row.save(reader.unsigned(), at: reader.signed() &* dataFactor)
    case 0x12:
      (row.register, row.offset) = (reader.number(), reader.signed() &* dataFactor)
    case 0x13: row.offset = reader.signed() &* dataFactor
    case 0x14, 0x15:
      row.complicate(reader.unsigned())
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

/// Reads call frame information; at its end it reads zeros.
///
/// Whoever makes one vouches for the memory from the start to the end: nothing else is ever read.
@safe
private struct ByteReader {
  private var position: UnsafeRawPointer
  private let end: UnsafeRawPointer

  @unsafe
  init(_ start: UnsafeRawPointer, _ end: UnsafeRawPointer) {
    unsafe position = unsafe start
    unsafe self.end = unsafe end
  }

  var isAtEnd: Bool { unsafe position >= end }

  mutating func skip(_ count: Int) { unsafe position += max(0, min(count, end - position)) }

  mutating func byte() -> UInt8 {
    guard unsafe position < end else { return 0 }
    defer { unsafe position += 1 }
    return unsafe position.load(as: UInt8.self)
  }

  /// An unsigned LEB128 number for arithmetic that wraps around: only damaged information has one that is larger
  /// than an `Int`.
  mutating func number() -> Int { Int(truncatingIfNeeded: unsigned()) }

  mutating func half() -> UInt16 { UInt16(byte()) | UInt16(byte()) << 8 }
  mutating func word() -> UInt32 { UInt32(half()) | UInt32(half()) << 16 }

  /// An unsigned LEB128 number.
  mutating func unsigned() -> UInt {
    var (number, shift): (UInt, UInt) = (0, 0)
    while true {
      let byte = byte()
      if shift < 64 { number |= UInt(byte & 0x7F) << shift }
      shift += 7
      if byte & 0x80 == 0 { return number }
    }
  }

  /// A signed LEB128 number.
  mutating func signed() -> Int {
    var (number, shift): (Int, Int) = (0, 0)
    while true {
      let byte = byte()
      if shift < 64 { number |= Int(byte & 0x7F) << shift }
      shift += 7
      if byte & 0x80 == 0 {
        return byte & 0x40 != 0 && shift < 64 ? number | -1 << shift : number
      }
    }
  }
}
