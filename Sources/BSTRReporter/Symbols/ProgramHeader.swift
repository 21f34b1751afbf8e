// How a program's file is loaded, as far as its ELF header and program headers say.

/// The way in which a program is loaded.
public enum ProgramHeader: Sendable {
  /// By the dynamic loader.
  case dynamic
  /// By the kernel alone: it is linked statically.
  case fixed
  /// As a program for 32-bit processors or modes.
  case bits32
  /// As a script, by the interpreter that its first line names; empty where it names none.
  case script(interpreter: String)

  /// Reads the start of a file.
  ///
  /// - Parameter path: a regular file that can be read.
  /// - Returns: `nil` where it cannot be read, or is neither a program of this kind of machine nor
  ///   a script. `isReadable` tells the two apart.
  public init?(ofFileAt path: String) {
    guard let content = FileContent(path: path) else { return nil }
    let first = content.bytes(at: 0, min(content.count, 258)) ?? []
    if first.starts(with: Array("#!".utf8)) {
      let line = String(decoding: first.dropFirst(2).prefix { $0 != 0x0A }, as: UTF8.self)
      let words = line.split { $0 == " " || $0 == "\t" }
      self = .script(interpreter: words.first.map(String.init) ?? "")
      return
    }
    // ELFMAG; e_ident[EI_CLASS], e_ident[EI_DATA], e_machine
    guard first.count >= 52, first.starts(with: [0x7F, 0x45, 0x4C, 0x46]) else { return nil }
    if first[4] == 1 {
      self = .bits32
      return
    }
    func number(_ bytes: [UInt8], _ offset: Int, _ size: Int) -> Int {
      guard offset >= 0, offset + size <= bytes.count else { return 0 }
      return (0..<size).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
    }
    guard first[5] == 1, number(first, 18, 2) == Self.machine else { return nil }
    // e_phoff, e_phentsize, e_phnum
    let (table, size, count) = (
      number(first, 32, 8), number(first, 54, 2), number(first, 56, 2)
    )
    let headers = content.bytes(at: table, size * count) ?? []
    // PT_INTERP
    let hasInterpreter = (0..<count).contains { number(headers, $0 * size, 4) == 3 }
    self = hasInterpreter ? .dynamic : .fixed
  }

  /// Whether a file's content can be read at all.
  public static func isReadable(_ path: String) -> Bool { FileContent(path: path) != nil }

  /// EM_X86_64, EM_AARCH64
  #if arch(x86_64)
    private static let machine = 62
  #elseif arch(arm64)
    private static let machine = 183
  #endif
}
