// Names of code that a run-time made while the program ran, as it writes them for Linux's `perf`:
// lines of start, size and name. The files are in a folder that every user can write to, so that
// they are read with care.

import Glibc

/// The functions that a just-in-time compiler has said it made.
struct PerfMap {
  private struct Function {
    var start: UInt64
    var size: UInt64
    /// The offset of its name in `names`: of two functions that overlap, the one that was written
    /// later is valid and has the greater offset.
    var name: UInt32
    var nameBytes: UInt16
  }

  private var functions: [Function] = []
  /// The names as they were written: a large file has millions, of which a report shows a few.
  private var names: [UInt8] = []
  /// The maximum end address among each function and those before it.
  private var furthestEnds: [UInt64] = []

  /// The maximum size of a file that is read.
  private static let maxBytes = 256 << 20
  /// The maximum of functions of a file.
  static let maxFunctions = 4_000_000
  /// The maximum of bytes of a name that are kept.
  private static let maxNameBytes = 1024
  /// The maximum of bytes of a line that are kept: two hexadecimal fields and a name.
  private static let maxLineBytes = maxNameBytes + 64

  /// The owner and time that a file must have to be believed.
  struct Trust {
    /// The user that it must belong to.
    var owner: uid_t
    /// The times between which it must have been written last, in nanoseconds since 1970.
    var modified: ClosedRange<Int64>
  }

  /// Reads a file; `nil` when there is none that can be trusted.
  init?(path: String, trust: Trust) {
    // Not through a link, which may be any user's, and not waiting for a pipe's other end.
    let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      status.st_uid == trust.owner, status.st_size <= Self.maxBytes,
      trust.modified.contains(status.st_mtim.nanoseconds)
    else { return nil }
    read(descriptor, Int(status.st_size))
    sort()
  }

  /// Takes the lines of a file that is in memory.
  init(_ bytes: [UInt8]) {
    var line: [UInt8] = []
    add(bytes[...], after: &line)
    add(line[...])
    sort()
  }

  /// Reads at most a count of bytes, a piece at a time: the file itself is never in memory.
  private mutating func read(_ descriptor: Int32, _ count: Int) {
    var piece = [UInt8](repeating: 0, count: 1 << 18)
    var line: [UInt8] = []
    var rest = count
    while rest > 0, functions.count < Self.maxFunctions {
      let got = Glibc.read(descriptor, &piece, min(piece.count, rest))
      if got < 0, errno == EINTR { continue }
      if got <= 0 { break }
      add(piece[..<got], after: &line)
      rest -= got
    }
    add(line[...])
  }

  /// Parses the lines of a piece of the file.
  ///
  /// - Parameter line: the incomplete line of the pieces before; then that of this piece.
  private mutating func add(_ piece: ArraySlice<UInt8>, after line: inout [UInt8]) {
    var rest = piece
    while functions.count < Self.maxFunctions, let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      if line.isEmpty {
        add(rest[..<end])
      } else {
        line += rest[..<end].prefix(Self.maxLineBytes - line.count)
        add(line[...])
        line.removeAll(keepingCapacity: true)
      }
      rest = rest[(end + 1)...]
    }
    line += rest.prefix(Self.maxLineBytes - line.count)
  }

  /// Parses a line if it is well-formed: hexadecimal start, hexadecimal size, and a name up to its
  /// end.
  private mutating func add(_ line: ArraySlice<UInt8>) {
    let parts = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
    guard parts.count == 3, let start = Self.hexadecimal(parts[0]),
      let size = Self.hexadecimal(parts[1]), start > 0, size > 0,
      start <= UInt64.max - size, functions.count < Self.maxFunctions,
      let offset = UInt32(exactly: names.count)
    else { return }
    let name = parts[2].prefix(Self.maxNameBytes)
    functions.append(
      Function(start: start, size: size, name: offset, nameBytes: UInt16(name.count)))
    names += name
  }

  private mutating func sort() {
    functions.sort { ($0.start, $0.name) < ($1.start, $1.name) }
    var furthest: UInt64 = 0
    furthestEnds = functions.map { function in
      furthest = max(furthest, function.start + function.size)
      return furthest
    }
  }

  /// Returns the name of the function at an address, the latest one that was made there and has
  /// one.
  func name(at address: UInt64) -> String? {
    var (low, high) = (0, functions.count)
    while low < high {
      let middle = (low + high) / 2
      if functions[middle].start <= address { low = middle + 1 } else { high = middle }
    }
    var best: (at: UInt32, name: String)?
    while low > 0, furthestEnds[low - 1] > address {
      low -= 1
      let function = functions[low]
      guard address - function.start < function.size, best.map({ $0.at < function.name }) ?? true
      else { continue }
      let name = shownName(of: function)
      if !name.isEmpty { best = (function.name, name) }
    }
    return best?.name
  }

  private func shownName(of function: Function) -> String {
    let start = Int(function.name)
    let bytes = names[start..<start + Int(function.nameBytes)]
    return JITName.shown(String(decoding: bytes, as: UTF8.self))
  }

  private static func hexadecimal(_ text: ArraySlice<UInt8>) -> UInt64? {
    let digits = text.starts(with: "0x".utf8) ? text.dropFirst(2) : text
    guard (1...16).contains(digits.count) else { return nil }
    var value: UInt64 = 0
    for digit in digits {
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(digit - 0x30)
      case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(digit - 0x57)
      case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt64(digit - 0x37)
      default: return nil
      }
    }
    return value
  }
}

extension timespec {
  /// Nanoseconds; clamped, for a file's time may be anything.
  package var nanoseconds: Int64 {
    let (seconds, overflow) = Int64(tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
    if overflow { return tv_sec > 0 ? .max : .min }
    let (sum, isOver) = seconds.addingReportingOverflow(Int64(tv_nsec))
    return isOver ? .max : sum
  }
}

/// Names as run-times write them into perf maps, in the form that a reader knows.
enum JITName {
  /// "App::Main(string[])" of .NET's "void [app] App::Main(string[])[Tier0]", and
  /// "App:Main(string[])" of Mono's "App:Main (string[])".
  ///
  /// The optimisation level of a method differs from run to run: it is no part of its name.
  static func shown(_ text: String) -> String {
    var name = text.unicodeScalars.reduce(into: "") { name, scalar in
      // Nothing in a name may act on a terminal.
      let isControl =
        scalar.properties.generalCategory == .control
        || scalar.properties.generalCategory == .format
      name.unicodeScalars.append(isControl ? "?" : scalar)
    }[...]
    while name.last == " " { name.removeLast() }
    if name.last == "]", let bracket = name.lastIndex(of: "["),
      name[..<bracket].last == ")"
    {
      name = name[..<bracket]
    }
    // The return type and the assembly.
    if let start = name.firstRange(of: " ["), let end = name.firstRange(of: "] "),
      start.upperBound < end.lowerBound,
      name.firstIndex(of: "(").map({ end.upperBound < $0 }) ?? true
    {
      name = name[end.upperBound...]
    }
    // Mono's "(wrapper managed-to-native) App:get_name (int)" has two.
    guard let space = name.ranges(of: " (").last else { return String(name) }
    return name[..<space.lowerBound] + "(" + name[space.upperBound...]
  }
}
