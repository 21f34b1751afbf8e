// The parts of an ELF file that the runtime's symbolizer does not offer: its build-id, to check
// that it is still the file that was loaded, and its dynamic symbols, all that a stripped library
// keeps. Reads no debug information.

import FoundationEssentials
import Glibc

/// A 64-bit little-endian ELF file.
///
/// Bounds are checked: any bytes may be given.
struct ElfFile {
  /// An entry of a symbol table.
  struct FileSymbol {
    /// Its mangled name.
    var name: String
    /// Its address in the file's address space; 0 when it is imported.
    var value: UInt64
    /// Its size in bytes.
    var size: UInt64
    /// Whether it is defined in this file rather than imported.
    var isDefined: Bool
    /// Whether it is code.
    var isFunction: Bool
    /// Whether it is a variable.
    var isObject: Bool
    /// Whether it is a thread-local variable: its address is one in the block of these.
    var isThreadLocal: Bool
    /// Whether the file's own references are bound to it, whatever else is loaded: STV_PROTECTED.
    var isProtected: Bool
  }

  private let content: FileContent
  /// Its first 64 bytes.
  private let header: [UInt8]
  private let sections: [Section]

  private struct Section {
    /// The offset of its name in the section of names.
    var name: UInt32
    var type: UInt32
    var flags: UInt64
    var address: UInt64
    var offset: Int
    var size: Int
    var link: Int
  }

  /// Reads the headers of the file; `nil` when it cannot be read or is no such ELF file.
  init?(path: String) {
    guard let content = FileContent(path: path) else { return nil }
    self.init(content)
  }

  /// Reads the section headers; `nil` when these bytes are no such ELF file.
  init?(bytes: Data) { self.init(bytes: Array(bytes)) }

  /// Reads the section headers; `nil` when these bytes are no such ELF file.
  init?(bytes: [UInt8]) { self.init(FileContent(bytes: bytes)) }

  private init?(_ content: FileContent) {
    // ELFMAG, ELFCLASS64, ELFDATA2LSB
    guard let header = content.bytes(at: 0, 64),
      header.prefix(6).elementsEqual([0x7F, 0x45, 0x4C, 0x46, 2, 1])
    else { return nil }
    self.content = content
    self.header = header
    let start = Int(truncatingIfNeeded: Self.number(header, UInt64.self, 40))
    let entryBytes = Int(Self.number(header, UInt16.self, 58))
    guard start > 0, start <= content.count, entryBytes >= 64 else {
      sections = []
      return
    }
    // Of a table that is cut off, the entries that are there.
    let count = min(
      Int(Self.number(header, UInt16.self, 60)), (content.count - start) / entryBytes)
    let table = content.bytes(at: start, count * entryBytes) ?? []
    sections = stride(from: 0, to: table.count, by: entryBytes).map { at in
      Section(
        name: Self.number(table, UInt32.self, at),
        type: Self.number(table, UInt32.self, at + 4),
        flags: Self.number(table, UInt64.self, at + 8),
        address: Self.number(table, UInt64.self, at + 16),
        offset: Int(truncatingIfNeeded: Self.number(table, UInt64.self, at + 24)),
        size: Int(truncatingIfNeeded: Self.number(table, UInt64.self, at + 32)),
        link: Int(Self.number(table, UInt32.self, at + 40)))
    }
  }

  /// The build-id in hexadecimal, or `nil`.
  var buildID: String? {
    for section in sections where section.type == 7 {  // SHT_NOTE
      guard let notes = bytes(of: section) else { continue }
      var at = 0
      while at + 12 <= notes.count {
        let nameBytes = Int(Self.number(notes, UInt32.self, at))
        let contentBytes = Int(Self.number(notes, UInt32.self, at + 4))
        let type = Self.number(notes, UInt32.self, at + 8)
        let content = at + 12 + (nameBytes + 3) / 4 * 4
        let next = content + (contentBytes + 3) / 4 * 4
        guard next <= notes.count else { break }
        if type == 3, nameBytes == 4, notes[at + 12..<at + 15].elementsEqual("GNU".utf8) {
          return Hexadecimal.text(notes[content..<content + contentBytes])
        }
        at = next
      }
    }
    return nil
  }

  /// Whether it is for x86-64.
  var isX8664: Bool { Self.number(header, UInt16.self, 18) == 62 }  // EM_X86_64

  /// Returns the code at an address of the file's address space; `nil` where there is none.
  func code(at address: UInt64, count: Int) -> [UInt8]? {
    for section in sections where section.flags & 0b110 == 0b110 && section.type != 8 {
      guard address >= section.address, address - section.address < UInt64(max(0, section.size))
      else { continue }
      let at = Int(address - section.address)
      guard count >= 0, count <= section.size - at, section.offset >= 0,
        section.offset <= Int.max - at
      else { return nil }
      return content.bytes(at: section.offset + at, count)
    }
    return nil
  }

  /// Returns whether it has a section of that name.
  func hasSection(_ name: String) -> Bool { section(name) != nil }

  /// Returns the bytes of the section of that name; `nil` without one, or where it has none.
  func content(ofSection name: String) -> [UInt8]? { section(name).flatMap { bytes(of: $0) } }

  private func section(_ name: String) -> Section? {
    let index = Int(Self.number(header, UInt16.self, 62))  // e_shstrndx
    guard sections.indices.contains(index), let names = bytes(of: sections[index]) else {
      return nil
    }
    return sections.first { Self.string(at: Int($0.name), in: names) == name }
  }

  /// The name of its debug file, and the CRC-32 of that (`.gnu_debuglink`); `nil` without one.
  var debugLink: (name: String, checksum: UInt32)? {
    guard let bytes = content(ofSection: ".gnu_debuglink"), bytes.count >= 8,
      let name = Self.string(at: 0, in: bytes), !name.isEmpty, !name.contains("/")
    else { return nil }
    return (name, Self.number(bytes, UInt32.self, bytes.count / 4 * 4 - 4))
  }

  /// The CRC-32 of the file; `nil` where it cannot be read, or is too large.
  var checksum: UInt32? {
    guard content.count <= Self.maxSectionBytes else { return nil }
    return content.bytes(at: 0, content.count).map { Gzip.checksum(of: $0) }
  }

  /// Returns the name of the section that is mapped at an address; `nil` where there is none.
  func sectionName(at address: UInt64) -> String? {
    let index = Int(Self.number(header, UInt16.self, 62))  // e_shstrndx
    // SHF_ALLOC without SHF_TLS, whose addresses are others' too.
    let section = sections.first { section in
      section.flags & 0x402 == 2 && section.address <= address
        && address - section.address < UInt64(max(0, section.size))
    }
    guard let section, sections.indices.contains(index), let names = bytes(of: sections[index])
    else { return nil }
    return Self.string(at: Int(section.name), in: names).flatMap { $0.isEmpty ? nil : $0 }
  }

  /// Every dynamic symbol with a name.
  var dynamicSymbols: [FileSymbol] { symbols(inTablesOfType: 11) }  // SHT_DYNSYM

  /// Every symbol with a name of a file that was not stripped.
  var symbols: [FileSymbol] { symbols(inTablesOfType: 2) }  // SHT_SYMTAB

  /// Returns whether the file maps read-only data at an address.
  func isReadOnlyData(at address: UInt64) -> Bool {
    sections.contains { section in
      // SHF_ALLOC without SHF_WRITE and SHF_EXECINSTR
      section.flags & 0b111 == 0b010 && section.address <= address
        && address - section.address < UInt64(max(0, section.size))
    }
  }

  /// Returns the symbol to show for each address in a function that has several.
  ///
  /// They are aliases, and functions that a compiler found to be the same. An address in any other
  /// function is left out.
  ///
  /// Of them the one that is exported comes first, then the one with the fewest underscores in
  /// front, the shortest, and the first by name: symbolizers choose arbitrarily.
  func preferredAliases(at addresses: Set<UInt64>) -> [UInt64: String] {
    struct Candidate {
      var start: UInt64
      var rank: (binding: Int, underscores: Int, length: Int, name: String)
    }
    let sorted = addresses.sorted()
    var best: [UInt64: Candidate] = [:]
    var several: Set<UInt64> = []
    for (table, names) in symbolTables() {
      for at in stride(from: 0, through: table.count - 24, by: 24) {
        guard table[at + 4] & 0xF == 2 else { continue }  // STT_FUNC
        let start = Self.number(table, UInt64.self, at + 8)
        let size = Self.number(table, UInt64.self, at + 16)
        var index = sorted.partitioningIndex { $0 >= start }
        var candidate: Candidate?
        while index < sorted.count, sorted[index] - start < size {
          let address = sorted[index]
          index += 1
          if candidate == nil {
            // A version with no name in front of it names nothing.
            guard let name = Self.string(at: Int(Self.number(table, UInt32.self, at)), in: names),
              !name.isEmpty, !name.hasPrefix("@")
            else { break }
            let binding = [1: 0, 2: 1][table[at + 4] >> 4] ?? 2  // STB_GLOBAL, STB_WEAK
            let plain = String(name.prefix { $0 != "@" })
            candidate = Candidate(
              start: start,
              rank: (binding, plain.prefix { $0 == "_" }.count, plain.utf8.count, plain))
          }
          guard let candidate else { break }
          guard let other = best[address], other.start >= start else {
            best[address] = candidate
            several.remove(address)
            continue
          }
          guard other.start == start, other.rank.name != candidate.rank.name else { continue }
          several.insert(address)
          if candidate.rank < other.rank { best[address] = candidate }
        }
      }
    }
    return best.filter { several.contains($0.key) }.mapValues(\.rank.name)
  }

  /// Returns the symbol tables, each with its names.
  private func symbolTables() -> [(table: [UInt8], names: [UInt8])] {
    // SHT_SYMTAB, SHT_DYNSYM
    sections.filter { $0.type == 2 || $0.type == 11 }.compactMap { section in
      guard let table = bytes(of: section), sections.indices.contains(section.link),
        let names = bytes(of: sections[section.link])
      else { return nil }
      return (table, names)
    }
  }

  /// Returns the symbols of the dynamic table, or of the file's own, if their names contain any of
  /// some texts; none otherwise, which is found out without reading them.
  func symbols(isDynamic: Bool, ifAnyHas texts: TextSearch) -> [FileSymbol] {
    symbols(inTablesOfType: isDynamic ? 11 : 2, ifAnyHas: texts)
  }

  /// Whether the file has a symbol table of its own, which stripping takes away.
  var hasOwnSymbols: Bool { sections.contains { $0.type == 2 } }

  /// Whether its references to what it exports are bound to itself: -Bsymbolic.
  var isSymbolic: Bool {
    sections.contains { section in
      // SHT_DYNAMIC
      guard section.type == 6, let entries = bytes(of: section) else { return false }
      return stride(from: 0, through: entries.count - 16, by: 16).contains { at in
        let value = Self.number(entries, UInt64.self, at + 8)
        return switch Self.number(entries, UInt64.self, at) {
        case 16: true  // DT_SYMBOLIC
        case 30: value & 2 != 0  // DT_FLAGS, DF_SYMBOLIC
        default: false
        }
      }
    }
  }

  /// Returns the first of some functions that the file's code calls, or jumps to, without the
  /// dynamic linker.
  ///
  /// Such a call contains the distance to the function, of 32 bits, so that other bytes look like
  /// one in a file out of a hundred thousand. `nil` where there is none, and for other machines
  /// than x86-64.
  ///
  /// - Parameters:
  ///   - functions: their addresses, in the file's address space.
  ///   - ignored: code whose calls do not count.
  func directCall(of functions: Set<UInt64>, outside ignored: [Range<UInt64>]) -> UInt64? {
    guard isX8664 else { return nil }
    var found: (address: UInt64, function: UInt64)?
    // SHF_ALLOC and SHF_EXECINSTR
    for section in sections where section.flags & 0b110 == 0b110 {
      guard let code = bytes(of: section), code.count >= 5 else { continue }
      // CALL rel32, JMP rel32
      for instruction: Int32 in [0xE8, 0xE9] {
        Self.forEach(instruction, in: code, upTo: code.count - 4) { at in
          let address = section.address &+ UInt64(at)
          let distance = Int32(bitPattern: Self.number(code, UInt32.self, at + 1))
          let target = address &+ 5 &+ UInt64(bitPattern: Int64(distance))
          guard functions.contains(target), !ignored.contains(where: { $0.contains(address) }),
            found.map({ address < $0.address }) ?? true
          else { return }
          found = (address, target)
        }
      }
    }
    return found?.function
  }

  /// Calls `body` with every offset of a byte.
  private static func forEach(
    _ byte: Int32, in bytes: [UInt8], upTo end: Int, _ body: (Int) -> Void
  ) {
    bytes.withUnsafeBytes { all in
      guard let base = all.baseAddress else { return }
      var at = 0
      while at < end, let found = memchr(base + at, byte, end - at) {
        let offset = UnsafeRawPointer(found) - base
        body(offset)
        at = offset + 1
      }
    }
  }

  private func symbols(
    inTablesOfType type: UInt32, ifAnyHas texts: TextSearch? = nil
  ) -> [FileSymbol] {
    var symbols: [FileSymbol] = []
    for section in sections where section.type == type {
      guard sections.indices.contains(section.link), let names = bytes(of: sections[section.link]),
        texts.map({ texts in names.withUnsafeBytes { texts.isFound(in: $0) } }) ?? true,
        let table = bytes(of: section)
      else { continue }
      for at in stride(from: 0, through: table.count - 24, by: 24) {
        let name = Self.string(at: Int(Self.number(table, UInt32.self, at)), in: names)
        guard let name, !name.isEmpty else { continue }
        symbols.append(
          FileSymbol(
            name: name, value: Self.number(table, UInt64.self, at + 8),
            size: Self.number(table, UInt64.self, at + 16),
            isDefined: Self.number(table, UInt16.self, at + 6) != 0,
            isFunction: table[at + 4] & 0xF == 2,  // STT_FUNC
            isObject: table[at + 4] & 0xF == 1,  // STT_OBJECT
            isThreadLocal: table[at + 4] & 0xF == 6,  // STT_TLS
            isProtected: table[at + 5] & 3 == 3))
      }
    }
    return symbols
  }

  /// Larger sections are treated as corrupt: a search of one would not end.
  private static let maxSectionBytes = 1 << 30

  private func bytes(of section: Section) -> [UInt8]? {
    guard section.type != 8, section.offset >= 0,  // SHT_NOBITS
      (0...Self.maxSectionBytes).contains(section.size)
    else { return nil }
    return content.bytes(at: section.offset, section.size)
  }

  private static func string(at offset: Int, in names: [UInt8]) -> String? {
    guard offset < names.count else { return nil }
    guard let end = names[offset...].firstIndex(of: 0) else { return nil }
    return String(decoding: names[offset..<end], as: UTF8.self)
  }

  private static func number<Number: FixedWidthInteger & BitwiseCopyable>(
    _ bytes: [UInt8], _: Number.Type, _ offset: Int
  ) -> Number {
    guard offset >= 0, offset <= bytes.count - MemoryLayout<Number>.size else { return 0 }
    return bytes.withUnsafeBytes {
      Number(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Number.self))
    }
  }
}

extension [UInt64] {
  /// Returns the first index of a sorted array from which on a condition holds.
  fileprivate func partitioningIndex(where holds: (UInt64) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if holds(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}

/// Bytes as hexadecimal digits.
enum Hexadecimal {
  /// Two lower-case digits a byte.
  static func text(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    let text = bytes.reduce(into: [UInt8]()) { text, byte in
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }
}
