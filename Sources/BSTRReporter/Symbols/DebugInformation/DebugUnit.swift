// Units and entries of debug information: DWARF 5, chapter 7; names as there.

/// Tags of entries.
enum DebugTag {
  static let classType: UInt64 = 0x02
  static let formalParameter: UInt64 = 0x05
  static let member: UInt64 = 0x0D
  static let pointerType: UInt64 = 0x0F
  static let referenceType: UInt64 = 0x10
  static let compileUnit: UInt64 = 0x11
  static let structureType: UInt64 = 0x13
  static let typedef: UInt64 = 0x16
  static let unspecifiedParameters: UInt64 = 0x18
  static let inheritance: UInt64 = 0x1C
  static let inlinedSubroutine: UInt64 = 0x1D
  static let baseType: UInt64 = 0x24
  static let constType: UInt64 = 0x26
  static let subprogram: UInt64 = 0x2E
  static let templateTypeParameter: UInt64 = 0x2F
  static let templateValueParameter: UInt64 = 0x30
  static let volatileType: UInt64 = 0x35
  static let restrictType: UInt64 = 0x37
  static let rvalueReferenceType: UInt64 = 0x42
  static let atomicType: UInt64 = 0x47
}

/// Names of the attributes that are read.
enum DebugAttribute {
  static let name: UInt64 = 0x03
  static let byteSize: UInt64 = 0x0B
  static let lowPC: UInt64 = 0x11
  static let highPC: UInt64 = 0x12
  static let abstractOrigin: UInt64 = 0x31
  static let artificial: UInt64 = 0x34
  static let declaration: UInt64 = 0x3C
  static let encoding: UInt64 = 0x3E
  static let external: UInt64 = 0x3F
  static let specification: UInt64 = 0x47
  static let type: UInt64 = 0x49
  static let ranges: UInt64 = 0x55
  static let stringOffsetsBase: UInt64 = 0x72
  static let addressBase: UInt64 = 0x73
  static let rangeListsBase: UInt64 = 0x74
}

/// Forms that are named outside of the table of forms.
enum DebugForm {
  static let implicitConst: UInt64 = 0x21
}

/// A unit of compilation.
struct DebugUnit {
  /// Its header's offset, which its own references count from.
  var start: Int
  /// The offset behind it.
  var end: Int
  var version: Int
  /// The bytes of an offset: 4, or 8 in the 64-bit format.
  var offsetBytes: Int
  var addressBytes: Int
  /// The offset of its abbreviations.
  var abbreviations: Int
  /// The offset of its first entry.
  var firstEntry: Int
  var stringOffsetsBase = 0
  var addressBase = 0
  var rangeListsBase = 0
  /// The address that ranges count from.
  var base: UInt64 = 0

  /// Reads the header at an offset.
  ///
  /// - Returns: `nil` where there is none; a unit of a kind that is not read has version 0.
  init?(_ information: [UInt8], at offset: Int) {
    var cursor = ByteCursor(information, at: offset)
    var length = cursor.number(4)
    offsetBytes = 4
    if length == 0xFFFF_FFFF {
      length = cursor.number(8)
      offsetBytes = 8
    }
    guard length >= 7, length <= UInt64(information.count - cursor.offset) else { return nil }
    start = offset
    end = cursor.offset + Int(length)
    version = Int(cursor.number(2))
    var kind: UInt64 = 1  // DW_UT_compile
    if version >= 5 {
      kind = cursor.number(1)
      addressBytes = Int(cursor.number(1))
      abbreviations = Int(clamping: cursor.number(offsetBytes))
    } else {
      abbreviations = Int(clamping: cursor.number(offsetBytes))
      addressBytes = Int(cursor.number(1))
    }
    firstEntry = cursor.offset
    // DW_UT_compile, DW_UT_partial
    if !(2...5).contains(version) || kind != 1 && kind != 3 || addressBytes != 8 { version = 0 }
  }
}

/// An entry, with those of its attributes that are read.
struct DebugEntry {
  /// The value of an attribute.
  enum Value {
    case number(UInt64)
    case address(UInt64)
    /// An index into the unit's addresses.
    case addressIndex(UInt64)
    /// The offset of another entry in the section.
    case reference(Int)
    /// An offset in `.debug_info`, `.debug_str` or `.debug_line_str`.
    case text(TextSection, at: Int)
    /// An index into the unit's string offsets.
    case textIndex(UInt64)
    /// An index into the unit's range lists.
    case rangeListIndex(UInt64)
    /// What is passed over.
    case other
  }

  /// A section with texts.
  enum TextSection {
    case information
    case strings
    case lineStrings
  }

  var offset: Int
  /// 0 for the entry that ends a list of children.
  var tag: UInt64 = 0
  var hasChildren = false
  /// The offset behind it: that of its first child, or of what follows.
  var next: Int
  private var attributes: [(name: UInt64, value: Value)] = []

  /// Reads the entry at an offset; `nil` where there is none.
  init?(
    _ information: [UInt8], at offset: Int, in unit: DebugUnit,
    _ abbreviations: DebugAbbreviations
  ) {
    guard offset >= unit.firstEntry, offset < unit.end else { return nil }
    var cursor = ByteCursor(information, at: offset, end: unit.end)
    self.offset = offset
    let code = cursor.uleb()
    next = cursor.offset
    if code == 0 { return }
    guard let shape = abbreviations.shape(code) else { return nil }
    tag = shape.tag
    hasChildren = shape.hasChildren
    for attribute in shape.attributes {
      guard let value = Self.value(attribute, &cursor, unit) else { return nil }
      if Self.read.contains(attribute.name) { attributes.append((attribute.name, value)) }
    }
    next = cursor.offset
  }

  /// Returns the value of an attribute; `nil` without one.
  func value(_ name: UInt64) -> Value? { attributes.first { $0.name == name }?.value }

  /// Returns the number of an attribute; `nil` where it is none.
  func number(_ name: UInt64) -> UInt64? {
    if case .number(let number) = value(name) { number } else { nil }
  }

  /// Returns the entry that an attribute refers to; `nil` where it does not.
  func reference(_ name: UInt64) -> Int? {
    if case .reference(let offset) = value(name) { offset } else { nil }
  }

  /// Returns whether a flag is set.
  func has(_ name: UInt64) -> Bool { number(name).map { $0 != 0 } ?? false }

  private static let read: Set<UInt64> = [
    DebugAttribute.name, DebugAttribute.byteSize, DebugAttribute.lowPC, DebugAttribute.highPC,
    DebugAttribute.abstractOrigin, DebugAttribute.artificial, DebugAttribute.declaration,
    DebugAttribute.encoding, DebugAttribute.external, DebugAttribute.specification,
    DebugAttribute.type, DebugAttribute.ranges, DebugAttribute.stringOffsetsBase,
    DebugAttribute.addressBase, DebugAttribute.rangeListsBase,
  ]

  // MARK: forms

  /// Reads the value of an attribute; `nil` for an unknown form.
  private static func value(
    _ attribute: DebugAbbreviations.Attribute, _ cursor: inout ByteCursor, _ unit: DebugUnit
  ) -> Value? {
    let isIndirect = attribute.form == 0x16
    let form = isIndirect ? cursor.uleb() : attribute.form
    switch form {
    case 0x01: return .address(cursor.number(unit.addressBytes))  // addr
    case 0x0B, 0x0C: return .number(cursor.number(1))  // data1, flag
    case 0x05: return .number(cursor.number(2))  // data2
    case 0x06: return .number(cursor.number(4))  // data4
    case 0x07: return .number(cursor.number(8))  // data8
    case 0x0D, 0x0F: return .number(cursor.uleb())  // sdata, udata
    case 0x17: return .number(cursor.number(unit.offsetBytes))  // sec_offset
    case 0x19: return .number(1)  // flag_present
    case DebugForm.implicitConst: return .number(attribute.constant)
    case 0x08:  // string
      defer { cursor.skipString() }
      return .text(.information, at: cursor.offset)
    case 0x0E: return .text(.strings, at: offset(&cursor, unit))  // strp
    case 0x1F: return .text(.lineStrings, at: offset(&cursor, unit))  // line_strp
    case 0x1A: return .textIndex(cursor.uleb())  // strx
    case 0x25...0x28: return .textIndex(cursor.number(Int(form - 0x24)))  // strx1 to strx4
    case 0x1B: return .addressIndex(cursor.uleb())  // addrx
    case 0x29...0x2C: return .addressIndex(cursor.number(Int(form - 0x28)))  // addrx1 to addrx4
    case 0x23: return .rangeListIndex(cursor.uleb())  // rnglistx
    case 0x11: return reference(cursor.number(1), unit)  // ref1
    case 0x12: return reference(cursor.number(2), unit)  // ref2
    case 0x13: return reference(cursor.number(4), unit)  // ref4
    case 0x14: return reference(cursor.number(8), unit)  // ref8
    case 0x15: return reference(cursor.uleb(), unit)  // ref_udata
    case 0x10:  // ref_addr
      let size = unit.version < 3 ? unit.addressBytes : unit.offsetBytes
      return .reference(Int(clamping: cursor.number(size)))
    default: break
    }
    switch form {
    case 0x0A: cursor.skip(cursor.number(1))  // block1
    case 0x03: cursor.skip(cursor.number(2))  // block2
    case 0x04: cursor.skip(cursor.number(4))  // block4
    case 0x09, 0x18: cursor.skip(cursor.uleb())  // block, exprloc
    case 0x1E: cursor.skip(16)  // data16
    case 0x20, 0x24: cursor.skip(8)  // ref_sig8, ref_sup8
    case 0x1C: cursor.skip(4)  // ref_sup4
    case 0x1D, 0x1F20, 0x1F21: cursor.skip(UInt64(unit.offsetBytes))  // strp_sup and GNU's
    case 0x22, 0x1F01, 0x1F02: _ = cursor.uleb()  // loclistx, GNU_addr_index, GNU_str_index
    default: return nil
    }
    return .other
  }

  private static func offset(_ cursor: inout ByteCursor, _ unit: DebugUnit) -> Int {
    Int(clamping: cursor.number(unit.offsetBytes))
  }

  /// References within a unit count from its header.
  private static func reference(_ distance: UInt64, _ unit: DebugUnit) -> Value {
    .reference(unit.start &+ Int(truncatingIfNeeded: distance))
  }
}
