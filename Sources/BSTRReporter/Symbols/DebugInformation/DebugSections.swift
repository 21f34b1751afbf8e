// The sections of a file that the types of its functions are read from.

/// DWARF of versions 2 to 5, in the file that it describes.
///
/// Not read are compressed sections, split files (`.dwo`) and supplementary ones (`dwz`).
struct DebugSections {
  let information: [UInt8]
  let abbreviations: [UInt8]
  let strings: [UInt8]
  let lineStrings: [UInt8]
  let stringOffsets: [UInt8]
  let addresses: [UInt8]
  let rangeLists: [UInt8]
  /// Those of versions before 5.
  let ranges: [UInt8]

  /// Larger debug information is not read: a report would take too long, and too much memory.
  static let maxBytes = 256 << 20

  /// Reads the sections of a file; `nil` where it has none that can be read.
  init?(_ file: ElfFile) {
    func section(_ name: String) -> [UInt8] {
      file.bytes(ofSection: name, atMost: Self.maxBytes) ?? []
    }
    information = section(".debug_info")
    abbreviations = section(".debug_abbrev")
    if information.isEmpty || abbreviations.isEmpty { return nil }
    strings = section(".debug_str")
    lineStrings = section(".debug_line_str")
    stringOffsets = section(".debug_str_offsets")
    addresses = section(".debug_addr")
    rangeLists = section(".debug_rnglists")
    ranges = section(".debug_ranges")
  }
}

/// A table of abbreviations: the shapes of entries.
struct DebugAbbreviations {
  /// The shape of entries of one code.
  struct Shape {
    var tag: UInt64
    var hasChildren: Bool
    var attributes: [Attribute]
  }

  /// An attribute of a shape.
  struct Attribute {
    var name: UInt64
    var form: UInt64
    /// Its value, where all entries of the shape have one.
    var constant: UInt64
  }

  private var shapes: [UInt64: Shape] = [:]

  /// Reads the table at an offset.
  init(_ bytes: [UInt8], at offset: Int) {
    var cursor = ByteCursor(bytes, at: offset)
    while !cursor.isAtEnd {
      let code = cursor.uleb()
      if code == 0 { break }
      var shape = Shape(tag: cursor.uleb(), hasChildren: cursor.byte() != 0, attributes: [])
      while !cursor.isAtEnd {
        let (name, form) = (cursor.uleb(), cursor.uleb())
        let constant = form == DebugForm.implicitConst ? cursor.uleb() : 0
        if name == 0, form == 0 { break }
        shape.attributes.append(Attribute(name: name, form: form, constant: constant))
      }
      shapes[code] = shape
    }
  }

  /// Returns the shape of a code; `nil` where there is none.
  func shape(_ code: UInt64) -> Shape? { shapes[code] }
}
