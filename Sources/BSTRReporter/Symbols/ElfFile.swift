// The two things of an ELF file that the runtime's symboliser does not offer: its build-id, to know
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
    /// Where it starts, as the file counts addresses; 0 when it is imported.
    var value: UInt64
    /// Its bytes.
    var size: UInt64
    /// Whether it stands in this file rather than being imported.
    var isDefined: Bool
    /// Whether it is code.
    var isFunction: Bool
    /// Whether it is a variable.
    var isObject: Bool
    /// Whether the file's own references are bound to it, whatever else is loaded: STV_PROTECTED.
    var isProtected: Bool
  }

  private let bytes: Data
  private let sections: [Section]

  private struct Section {
    /// Where its name starts in the section of names.
    var name: UInt32
    var type: UInt32
    var flags: UInt64
    var address: UInt64
    var offset: Int
    var size: Int
    var link: Int
  }

  /// Maps the file; `nil` when it cannot be read or is no such ELF file.
  init?(path: String) {
    // A damaged store may name anything, and a pipe or a device would never end. Links are followed,
    // as the loader does: libraries are recorded by their SONAME, which is a link to the file.
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      let bytes = try? Data(contentsOf: URL(filePath: path), options: .alwaysMapped)
    else { return nil }
    self.init(bytes: bytes)
  }

  /// Reads the section headers; `nil` when these bytes are no such ELF file.
  init?(bytes: Data) {
    // ELFMAG, ELFCLASS64, ELFDATA2LSB
    guard bytes.count >= 64, bytes.prefix(6).elementsEqual([0x7F, 0x45, 0x4C, 0x46, 2, 1]) else {
      return nil
    }
    self.bytes = bytes
    var sections: [Section] = []
    let table = Int(truncatingIfNeeded: Self.number(bytes, UInt64.self, 40))
    let entryBytes = Int(Self.number(bytes, UInt16.self, 58))
    for index in 0..<Int(Self.number(bytes, UInt16.self, 60)) where entryBytes >= 64 {
      let (at, overflow) = table.addingReportingOverflow(index * entryBytes)
      guard table > 0, !overflow, at <= bytes.count - 64 else { break }
      sections.append(
        Section(
          name: Self.number(bytes, UInt32.self, at),
          type: Self.number(bytes, UInt32.self, at + 4),
          flags: Self.number(bytes, UInt64.self, at + 8),
          address: Self.number(bytes, UInt64.self, at + 16),
          offset: Int(truncatingIfNeeded: Self.number(bytes, UInt64.self, at + 24)),
          size: Int(truncatingIfNeeded: Self.number(bytes, UInt64.self, at + 32)),
          link: Int(Self.number(bytes, UInt32.self, at + 40))))
    }
    self.sections = sections
  }

  /// The build-id in hexadecimal, or `nil`.
  var buildID: String? {
    for section in sections where section.type == 7 {  // SHT_NOTE
      guard let range = range(of: section) else { continue }
      var at = range.lowerBound
      while at + 12 <= range.upperBound {
        let nameBytes = Int(Self.number(bytes, UInt32.self, at))
        let contentBytes = Int(Self.number(bytes, UInt32.self, at + 4))
        let type = Self.number(bytes, UInt32.self, at + 8)
        let content = at + 12 + (nameBytes + 3) / 4 * 4
        let next = content + (contentBytes + 3) / 4 * 4
        guard next <= range.upperBound else { break }
        if type == 3, nameBytes == 4, bytes[at + 12..<at + 15].elementsEqual("GNU".utf8) {
          return Hexadecimal.text(bytes[content..<content + contentBytes])
        }
        at = next
      }
    }
    return nil
  }

  /// Whether it has a section of that name.
  func hasSection(_ name: String) -> Bool {
    let index = Int(Self.number(bytes, UInt16.self, 62))  // e_shstrndx
    guard sections.indices.contains(index), let names = range(of: sections[index]) else {
      return false
    }
    return sections.contains { string(at: Int($0.name), in: names) == name }
  }

  /// Every dynamic symbol with a name.
  var dynamicSymbols: [FileSymbol] { symbols(inTablesOfType: 11) }  // SHT_DYNSYM

  /// Every symbol with a name of a file that was not stripped.
  var symbols: [FileSymbol] { symbols(inTablesOfType: 2) }  // SHT_SYMTAB

  /// Whether what the file maps at an address is data that cannot be written to.
  func isReadOnlyData(at address: UInt64) -> Bool {
    sections.contains { section in
      // SHF_ALLOC without SHF_WRITE and SHF_EXECINSTR
      section.flags & 0b111 == 0b010 && section.address <= address
        && address - section.address < UInt64(max(0, section.size))
    }
  }

  /// The symbol to show for each address in a function that has several.
  ///
  /// They are aliases, and functions that a compiler found to be the same. An address in any other
  /// function is left out.
  ///
  /// Of them the one that is exported comes first, then the one with the fewest underscores in front,
  /// the shortest, and the first by name: symbolisers choose as it happens.
  func preferredAliases(at addresses: Set<UInt64>) -> [UInt64: String] {
    struct Candidate {
      var start: UInt64
      var rank: (binding: Int, underscores: Int, length: Int, name: String)
    }
    let sorted = addresses.sorted()
    var best: [UInt64: Candidate] = [:]
    var several: Set<UInt64> = []
    for (table, names) in symbolTables() {
      for at in stride(from: table.lowerBound, through: table.upperBound - 24, by: 24) {
        guard bytes[at + 4] & 0xF == 2 else { continue }  // STT_FUNC
        let start = Self.number(bytes, UInt64.self, at + 8)
        let size = Self.number(bytes, UInt64.self, at + 16)
        var index = sorted.partitioningIndex { $0 >= start }
        var candidate: Candidate?
        while index < sorted.count, sorted[index] - start < size {
          let address = sorted[index]
          index += 1
          if candidate == nil {
            guard let name = string(at: Int(Self.number(bytes, UInt32.self, at)), in: names),
              !name.isEmpty
            else { break }
            let binding = [1: 0, 2: 1][bytes[at + 4] >> 4] ?? 2  // STB_GLOBAL, STB_WEAK
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

  /// The symbol tables, each with its names.
  private func symbolTables() -> [(table: Range<Int>, names: Range<Int>)] {
    // SHT_SYMTAB, SHT_DYNSYM
    sections.filter { $0.type == 2 || $0.type == 11 }.compactMap { section in
      guard let table = range(of: section), sections.indices.contains(section.link),
        let names = range(of: sections[section.link])
      else { return nil }
      return (table, names)
    }
  }

  /// The symbols of the dynamic table, or of the file's own, if a text is in the name of any; none otherwise,
  /// which is seen without reading them.
  func symbols(isDynamic: Bool, ifAnyIsNamed text: String) -> [FileSymbol] {
    symbols(inTablesOfType: isDynamic ? 11 : 2, ifAnyIsNamed: text)
  }

  /// Whether the file has a symbol table of its own, which stripping takes away.
  var hasOwnSymbols: Bool { sections.contains { $0.type == 2 } }

  /// Whether its references to what it exports are bound to itself: -Bsymbolic.
  var isSymbolic: Bool {
    sections.contains { section in
      guard section.type == 6, let range = range(of: section) else { return false }  // SHT_DYNAMIC
      return stride(from: range.lowerBound, through: range.upperBound - 16, by: 16).contains { at in
        let value = Self.number(bytes, UInt64.self, at + 8)
        return switch Self.number(bytes, UInt64.self, at) {
        case 16: true  // DT_SYMBOLIC
        case 30: value & 2 != 0  // DT_FLAGS, DF_SYMBOLIC
        default: false
        }
      }
    }
  }

  private func contains(_ text: String, in range: Range<Int>) -> Bool {
    let text = Array(text.utf8)
    return bytes.withUnsafeBytes { (all: UnsafeRawBufferPointer) -> Bool in
      guard let base = all.baseAddress, let first = text.first else { return false }
      var at = base + range.lowerBound
      let end = base + range.upperBound
      while end - at >= text.count, let found = memchr(at, Int32(first), end - at) {
        let start = UnsafeRawPointer(found)
        if end - start < text.count { return false }
        if memcmp(start, text, text.count) == 0 { return true }
        at = start + 1
      }
      return false
    }
  }

  private func symbols(
    inTablesOfType type: UInt32, ifAnyIsNamed text: String? = nil
  ) -> [FileSymbol] {
    var symbols: [FileSymbol] = []
    for section in sections where section.type == type {
      guard let table = range(of: section), sections.indices.contains(section.link),
        let strings = range(of: sections[section.link]),
        text.map({ contains($0, in: strings) }) ?? true
      else { continue }
      for at in stride(from: table.lowerBound, through: table.upperBound - 24, by: 24) {
        let name = string(at: Int(Self.number(bytes, UInt32.self, at)), in: strings)
        guard let name, !name.isEmpty else { continue }
        symbols.append(
          FileSymbol(
            name: name, value: Self.number(bytes, UInt64.self, at + 8),
            size: Self.number(bytes, UInt64.self, at + 16),
            isDefined: Self.number(bytes, UInt16.self, at + 6) != 0,
            isFunction: bytes[at + 4] & 0xF == 2,  // STT_FUNC
            isObject: bytes[at + 4] & 0xF == 1,  // STT_OBJECT
            isProtected: bytes[at + 5] & 3 == 3))
      }
    }
    return symbols
  }

  /// Larger sections are taken for damage: to search one would take forever.
  private static let maxSectionBytes = 1 << 30

  private func range(of section: Section) -> Range<Int>? {
    guard section.type != 8, section.offset >= 0,  // SHT_NOBITS
      (0...Self.maxSectionBytes).contains(section.size),
      section.offset <= bytes.count, section.size <= bytes.count - section.offset
    else { return nil }
    return section.offset..<section.offset + section.size
  }

  private func string(at offset: Int, in range: Range<Int>) -> String? {
    guard offset < range.count else { return nil }
    let start = range.lowerBound + offset
    guard let end = bytes[start..<range.upperBound].firstIndex(of: 0) else { return nil }
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }

  private static func number<Number: FixedWidthInteger & BitwiseCopyable>(
    _ bytes: Data, _: Number.Type, _ offset: Int
  ) -> Number {
    guard offset >= 0, offset <= bytes.count - MemoryLayout<Number>.size else { return 0 }
    return bytes.withUnsafeBytes {
      Number(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Number.self))
    }
  }
}

extension [UInt64] {
  /// The first index of a sorted array from which on a condition holds.
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
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
