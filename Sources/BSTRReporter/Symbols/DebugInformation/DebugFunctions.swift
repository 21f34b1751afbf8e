// Finds the functions at addresses in debug information, and their types.

/// The functions of one file.
struct DebugFunctions {
  private let sections: DebugSections
  /// In the order of the file.
  private var units: [DebugUnit]
  private var abbreviations: [Int: DebugAbbreviations] = [:]
  /// Typedefs that are not looked through.
  private let typedefs: Set<String>

  /// A chain of types, or of a function's entries, that is longer is corrupt.
  private static let maxDepth = 16
  /// The maximum of members that are read of a structure, with nested ones: one with more returns
  /// more than strings.
  private static let maxMembers = 64
  /// A function with more ranges is corrupt.
  private static let maxRanges = 10_000
  /// The maximum of entries that are read of the children of one.
  private static let maxEntries = 4096
  /// The maximum of parameters that are read of a function.
  private static let maxParameters = 64

  /// Reads the units of a file; `nil` where it has no debug information that can be read.
  ///
  /// - Parameter typedefs: names of types that say more than what they stand for.
  init?(_ file: ElfFile, keeping typedefs: Set<String>) {
    guard let sections = DebugSections(file) else { return nil }
    self.sections = sections
    self.typedefs = typedefs
    var units: [DebugUnit] = []
    var offset = 0
    while let unit = DebugUnit(sections.information, at: offset) {
      offset = unit.end
      if unit.version > 0 { units.append(unit) }
    }
    self.units = units
    for offset in Set(units.map(\.abbreviations)) {
      abbreviations[offset] = DebugAbbreviations(sections.abbreviations, at: offset)
    }
    self.units = units.map(withBases)
  }

  /// Returns the types of the functions at each address, innermost first: inlined ones, then the
  /// one that exists.
  ///
  /// - Complexity: linear in the units that the addresses are in.
  func types(at addresses: Set<UInt64>) -> [UInt64: [FunctionType]] {
    var entries: [UInt64: [Int]] = [:]
    for unit in units {
      guard let root = entry(at: unit.firstEntry) else { continue }
      let ranges = ranges(of: root, in: unit)
      let inUnit = addresses.filter { address in ranges.contains { $0.contains(address) } }
      if !inUnit.isEmpty { entries.merge(functions(at: inUnit, in: unit)) { $0 + $1 } }
    }
    return entries.mapValues { $0.reversed().compactMap { type(ofFunctionAt: $0) } }
  }

  // MARK: entries

  /// Returns a unit with what its first entry says of its bases.
  private func withBases(_ unit: DebugUnit) -> DebugUnit {
    var unit = unit
    guard let root = entry(at: unit.firstEntry, in: unit) else { return unit }
    unit.stringOffsetsBase = Int(clamping: root.number(DebugAttribute.stringOffsetsBase) ?? 0)
    unit.addressBase = Int(clamping: root.number(DebugAttribute.addressBase) ?? 0)
    unit.rangeListsBase = Int(clamping: root.number(DebugAttribute.rangeListsBase) ?? 0)
    unit.base = root.value(DebugAttribute.lowPC).flatMap { address($0, in: unit) } ?? 0
    return unit
  }

  private func unit(at offset: Int) -> DebugUnit? {
    var (low, high) = (0, units.count)
    while low < high {
      let middle = (low + high) / 2
      if units[middle].start <= offset { low = middle + 1 } else { high = middle }
    }
    return low > 0 && offset < units[low - 1].end ? units[low - 1] : nil
  }

  private func entry(at offset: Int) -> DebugEntry? {
    unit(at: offset).flatMap { entry(at: offset, in: $0) }
  }

  private func entry(at offset: Int, in unit: DebugUnit) -> DebugEntry? {
    abbreviations[unit.abbreviations].flatMap {
      DebugEntry(sections.information, at: offset, in: unit, $0)
    }
  }

  /// Returns the entries of functions at each address, outermost first.
  private func functions(at addresses: Set<UInt64>, in unit: DebugUnit) -> [UInt64: [Int]] {
    var found: [UInt64: [Int]] = [:]
    var offset = unit.firstEntry
    var depth = 0
    while let entry = entry(at: offset, in: unit) {
      offset = entry.next
      if entry.tag == 0 {
        depth -= 1
      } else {
        if entry.tag == DebugTag.subprogram || entry.tag == DebugTag.inlinedSubroutine {
          let ranges = ranges(of: entry, in: unit)
          for address in addresses where ranges.contains(where: { $0.contains(address) }) {
            found[address, default: []].append(entry.offset)
          }
        }
        if entry.hasChildren { depth += 1 }
      }
      if depth <= 0 { break }
    }
    return found
  }

  /// Calls `body` with each child of an entry, until it returns `false`.
  private func forEachChild(
    of parent: DebugEntry, in unit: DebugUnit, _ body: (DebugEntry) -> Bool
  ) {
    guard parent.hasChildren else { return }
    var offset = parent.next
    var depth = 1
    var count = 0
    while depth > 0, count < Self.maxEntries, let entry = entry(at: offset, in: unit) {
      count += 1
      offset = entry.next
      if entry.tag == 0 {
        depth -= 1
      } else {
        if depth == 1, !body(entry) { return }
        if entry.hasChildren { depth += 1 }
      }
    }
  }

  // MARK: types

  /// Returns the type of a function, or of one that was inlined.
  private func type(ofFunctionAt offset: Int) -> FunctionType? {
    var name: String?
    var result: Int?
    var parameters: [FunctionType.Parameter] = []
    var next: Int? = offset
    for _ in 0..<Self.maxDepth {
      guard let offset = next, let unit = unit(at: offset), let entry = entry(at: offset, in: unit)
      else { break }
      name = name ?? self.name(of: entry, in: unit)
      result = result ?? entry.reference(DebugAttribute.type)
      // An optimised instance may have fewer than the function that it is of.
      let own = self.parameters(of: entry, in: unit)
      if !own.isEmpty { parameters = own }
      next =
        entry.reference(DebugAttribute.abstractOrigin)
        ?? entry.reference(DebugAttribute.specification)
    }
    return name.map {
      FunctionType(name: $0, result: result.map { spelling(of: $0) }, parameters: parameters)
    }
  }

  private func parameters(
    of function: DebugEntry, in unit: DebugUnit
  ) -> [FunctionType.Parameter] {
    var parameters: [FunctionType.Parameter] = []
    forEachChild(of: function, in: unit) { entry in
      switch entry.tag {
      case DebugTag.formalParameter:
        let origin = entry.reference(DebugAttribute.abstractOrigin).flatMap { self.entry(at: $0) }
        if !entry.has(DebugAttribute.artificial), origin?.has(DebugAttribute.artificial) != true {
          let type =
            entry.reference(DebugAttribute.type) ?? origin?.reference(DebugAttribute.type)
          parameters.append(parameter(ofType: type))
        }
        return parameters.count < Self.maxParameters
      case DebugTag.templateTypeParameter, DebugTag.templateValueParameter: return true
      default: return false
      }
    }
    return parameters
  }

  private func parameter(ofType type: Int?) -> FunctionType.Parameter {
    // That the variable itself is const says nothing of what it points to.
    let type = type.flatMap { resolved($0, through: Self.qualifiers) }
    let pointer = type.flatMap { resolved($0, through: Self.qualifiers.union([DebugTag.typedef])) }
      .flatMap { entry(at: $0) }
    let pointee =
      [DebugTag.pointerType, DebugTag.referenceType].contains(pointer?.tag)
      ? pointer?.reference(DebugAttribute.type) : nil
    return FunctionType.Parameter(
      type: spelling(of: type), members: pointee.map { members(of: $0) } ?? [])
  }

  /// Returns the type behind types of some tags; `nil` where there is none.
  private func resolved(_ type: Int, through tags: Set<UInt64>) -> Int? {
    var type = type
    for _ in 0..<Self.maxDepth {
      guard let entry = entry(at: type) else { return nil }
      guard tags.contains(entry.tag) else { return type }
      guard let next = entry.reference(DebugAttribute.type) else { return nil }
      type = next
    }
    return nil
  }

  private static let qualifiers: Set<UInt64> = [
    DebugTag.constType, DebugTag.volatileType, DebugTag.restrictType, DebugTag.atomicType,
  ]

  /// Returns a type as demanglers spell it; "?" for those that cannot be spelled.
  private func spelling(of type: Int?, depth: Int = 0) -> String {
    guard let type else { return "void" }
    guard depth < Self.maxDepth, let unit = unit(at: type), let entry = entry(at: type, in: unit)
    else { return "?" }
    let target = entry.reference(DebugAttribute.type)
    func inner() -> String { spelling(of: target, depth: depth + 1) }
    let name = name(of: entry, in: unit)
    switch entry.tag {
    case DebugTag.pointerType: return inner() + "*"
    case DebugTag.referenceType: return inner() + "&"
    case DebugTag.rvalueReferenceType: return inner() + "&&"
    case DebugTag.constType: return inner() + " const"
    case DebugTag.volatileType, DebugTag.restrictType, DebugTag.atomicType: return inner()
    case DebugTag.typedef:
      if let name, typedefs.contains(name) { return name }
      // One of a pointer to characters says what they are: LPOLESTR is no BSTR.
      if let name, let target, isPointerToBase(target) { return name }
      let spelling = inner()
      return spelling == "?" ? name ?? "?" : spelling
    case DebugTag.baseType: return Self.spelling(ofBase: entry, name ?? "?")
    default: return name ?? "?"
    }
  }

  /// Returns whether a type is a pointer to characters or numbers.
  private func isPointerToBase(_ type: Int) -> Bool {
    guard let entry = entry(at: type), entry.tag == DebugTag.pointerType,
      let target = entry.reference(DebugAttribute.type)
    else { return false }
    let pointee = resolved(target, through: Self.qualifiers.union([DebugTag.typedef]))
    return pointee.flatMap { self.entry(at: $0) }?.tag == DebugTag.baseType
  }

  /// Returns the name of a base type: compilers differ on those of integers.
  private static func spelling(ofBase entry: DebugEntry, _ name: String) -> String {
    if name == "wchar_t" { return name }
    let isSigned: Bool
    switch entry.number(DebugAttribute.encoding) {
    case 5: isSigned = true  // DW_ATE_signed
    case 7: isSigned = false  // DW_ATE_unsigned
    default: return name
    }
    switch entry.number(DebugAttribute.byteSize) {
    case 2: return isSigned ? "short" : "unsigned short"
    case 4: return isSigned ? "int" : "unsigned int"
    case 8: return isSigned ? "long" : "unsigned long"
    default: return name
    }
  }

  /// Returns the types of the members of a structure; none for other types, for classes, and for
  /// what has too many.
  private func members(of type: Int) -> [String] {
    var members: [String] = []
    var budget = Self.maxMembers
    return add(membersOf: type, to: &members, &budget) && budget > 0 ? members : []
  }

  /// Adds the members of a structure, and those of nested ones in their place.
  ///
  /// - Parameter budget: how many more are read.
  /// - Returns: whether it is a structure.
  private func add(
    membersOf type: Int, to members: inout [String], _ budget: inout Int
  ) -> Bool {
    guard budget > 0,
      let type = resolved(type, through: [DebugTag.typedef, DebugTag.volatileType]),
      let unit = unit(at: type), let entry = entry(at: type, in: unit),
      entry.tag == DebugTag.structureType || entry.tag == DebugTag.classType
    else { return false }
    var isStructure = true
    forEachChild(of: entry, in: unit) { child in
      switch child.tag {
      case DebugTag.subprogram:
        // A class: its functions know what is in it.
        if !child.has(DebugAttribute.artificial) { isStructure = false }
      case DebugTag.member, DebugTag.inheritance:
        budget -= 1
        // Static members are external, or declarations.
        if child.has(DebugAttribute.external) || child.has(DebugAttribute.declaration) { break }
        guard let type = child.reference(DebugAttribute.type) else { break }
        let count = members.count
        if !add(membersOf: type, to: &members, &budget) {
          members.removeSubrange(count...)
          members.append(spelling(of: type))
        }
      default: break
      }
      return isStructure && budget > 0
    }
    return isStructure
  }

  // MARK: values

  private func name(of entry: DebugEntry, in unit: DebugUnit) -> String? {
    switch entry.value(DebugAttribute.name) {
    case .text(.information, let offset): text(in: sections.information, at: offset)
    case .text(.strings, let offset): text(in: sections.strings, at: offset)
    case .text(.lineStrings, let offset): text(in: sections.lineStrings, at: offset)
    case .textIndex(let index):
      number(
        in: sections.stringOffsets, base: unit.stringOffsetsBase, index, bytes: unit.offsetBytes
      ).flatMap { text(in: sections.strings, at: Int(clamping: $0)) }
    default: nil
    }
  }

  private func text(in section: [UInt8], at offset: Int) -> String? {
    guard section.indices.contains(offset) else { return nil }
    var cursor = ByteCursor(section, at: offset)
    return cursor.string()
  }

  /// Returns an element of an array of numbers; `nil` outside of it.
  private func number(in section: [UInt8], base: Int, _ index: UInt64, bytes: Int) -> UInt64? {
    guard index < UInt64(section.count), base <= section.count else { return nil }
    let offset = base + Int(index) * bytes
    guard offset <= section.count - bytes else { return nil }
    var cursor = ByteCursor(section, at: offset)
    return cursor.number(bytes)
  }

  private func address(_ value: DebugEntry.Value, in unit: DebugUnit) -> UInt64? {
    switch value {
    case .address(let address): address
    case .addressIndex(let index): address(at: index, in: unit)
    default: nil
    }
  }

  private func address(at index: UInt64, in unit: DebugUnit) -> UInt64? {
    number(in: sections.addresses, base: unit.addressBase, index, bytes: unit.addressBytes)
  }

  // MARK: ranges

  /// Returns the addresses of an entry's code; none where it has no code.
  private func ranges(of entry: DebugEntry, in unit: DebugUnit) -> [Range<UInt64>] {
    switch entry.value(DebugAttribute.ranges) {
    case .number(let offset):
      return unit.version >= 5
        ? rangeList(at: Int(clamping: offset), in: unit)
        : oldRanges(at: Int(clamping: offset), unit)
    case .rangeListIndex(let index):
      return number(
        in: sections.rangeLists, base: unit.rangeListsBase, index, bytes: unit.offsetBytes
      ).map { rangeList(at: unit.rangeListsBase &+ Int(clamping: $0), in: unit) } ?? []
    default: break
    }
    guard let low = entry.value(DebugAttribute.lowPC).flatMap({ address($0, in: unit) }),
      let high = entry.value(DebugAttribute.highPC)
    else { return [] }
    let end: UInt64
    if case .number(let size) = high {
      end = low &+ size
    } else {
      end = address(high, in: unit) ?? 0
    }
    return Self.range(low, end)
  }

  /// Functions that the linker has left out start at 0.
  private static func range(_ start: UInt64, _ end: UInt64) -> [Range<UInt64>] {
    start > 0 && start < end ? [start..<end] : []
  }

  private func rangeList(at offset: Int, in unit: DebugUnit) -> [Range<UInt64>] {
    var cursor = ByteCursor(sections.rangeLists, at: offset)
    var base = unit.base
    var ranges: [Range<UInt64>] = []
    while !cursor.isAtEnd, ranges.count < Self.maxRanges {
      switch cursor.byte() {
      case 1: base = address(at: cursor.uleb(), in: unit) ?? 0  // DW_RLE_base_addressx
      case 2:  // DW_RLE_startx_endx
        let (start, end) = (cursor.uleb(), cursor.uleb())
        ranges += Self.range(address(at: start, in: unit) ?? 0, address(at: end, in: unit) ?? 0)
      case 3:  // DW_RLE_startx_length
        let (index, length) = (cursor.uleb(), cursor.uleb())
        let start = address(at: index, in: unit) ?? 0
        ranges += Self.range(start, start &+ length)
      case 4:  // DW_RLE_offset_pair
        let (start, end) = (cursor.uleb(), cursor.uleb())
        ranges += Self.range(base &+ start, base &+ end)
      case 5: base = cursor.number(unit.addressBytes)  // DW_RLE_base_address
      case 6:  // DW_RLE_start_end
        let (start, end) = (cursor.number(unit.addressBytes), cursor.number(unit.addressBytes))
        ranges += Self.range(start, end)
      case 7:  // DW_RLE_start_length
        let (start, length) = (cursor.number(unit.addressBytes), cursor.uleb())
        ranges += Self.range(start, start &+ length)
      default: return ranges  // DW_RLE_end_of_list
      }
    }
    return ranges
  }

  /// Returns a list of DWARF 4 and before.
  private func oldRanges(at offset: Int, _ unit: DebugUnit) -> [Range<UInt64>] {
    var cursor = ByteCursor(sections.ranges, at: offset)
    var base = unit.base
    var ranges: [Range<UInt64>] = []
    while !cursor.isAtEnd, ranges.count < Self.maxRanges {
      let (start, end) = (cursor.number(unit.addressBytes), cursor.number(unit.addressBytes))
      if start == 0, end == 0 { break }
      if start == .max { base = end } else { ranges += Self.range(base &+ start, base &+ end) }
    }
    return ranges
  }
}
