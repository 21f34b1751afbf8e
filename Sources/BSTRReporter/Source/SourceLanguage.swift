// The languages whose blocks and ways out are known.

/// A language of source files.
enum SourceLanguage {
  case c
  case cxx
  case swift

  private static let endings: [String: SourceLanguage] = [
    "c": .c, "cc": .cxx, "cpp": .cxx, "cxx": .cxx, "c++": .cxx, "C": .cxx, "h": .cxx, "hh": .cxx,
    "hpp": .cxx, "hxx": .cxx, "inl": .cxx, "ipp": .cxx, "tcc": .cxx, "swift": .swift,
  ]

  /// The language that a file's ending says; `nil` for another one, or none.
  init?(path: String) {
    let name = Frame.lastComponent(of: path)
    guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")),
      let language = Self.endings[String(name[name.utf8.index(after: dot)...])]
    else { return nil }
    self = language
  }
}
