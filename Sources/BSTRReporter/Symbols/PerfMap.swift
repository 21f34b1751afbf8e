// Names of code that a run-time made while the program ran, as it writes them for Linux's `perf`: lines
// of start, size and name. The files lie where everybody may write, so that they are read with care.

import Glibc

/// The functions that a just-in-time compiler has said it made.
struct PerfMap {
  private struct Function {
    var start: UInt64
    var size: UInt64
    var name: String
    /// Its line in the file: what was written later holds where two overlap.
    var order: Int
  }

  private let functions: [Function]
  /// The end of the one that reaches furthest among each function and those before it.
  private let furthestEnds: [UInt64]

  /// The largest file that is read.
  private static let maxBytes = 256 << 20
  /// The most functions of a file.
  private static let maxFunctions = 4_000_000
  /// The most bytes of a name that are kept.
  private static let maxNameBytes = 1024

  /// Whose file is believed, and from which time.
  struct Trust {
    /// The user that it must belong to.
    var owner: uid_t
    /// When it must have been written last, in nanoseconds since 1970.
    var modified: ClosedRange<Int64>
  }

  /// Reads a file; `nil` when there is none that can be trusted.
  init?(path: String, trust: Trust) {
    // Not through a link, which may be anybody's, and not waiting for a pipe's other end.
    let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      status.st_uid == trust.owner, status.st_size <= Self.maxBytes,
      trust.modified.contains(status.st_mtim.nanoseconds)
    else { return nil }
    self.init(Self.read(descriptor, Int(status.st_size)))
  }

  /// Takes the lines that are understood: hexadecimal start, hexadecimal size, and a name up to the end
  /// of the line.
  init(_ bytes: [UInt8]) {
    var functions: [Function] = []
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      let parts = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
      guard parts.count == 3, let start = Self.hexadecimal(parts[0]),
        let size = Self.hexadecimal(parts[1]), start > 0, size > 0,
        start <= UInt64.max - size, functions.count < Self.maxFunctions
      else { continue }
      let name = JITName.shown(String(decoding: parts[2].prefix(Self.maxNameBytes), as: UTF8.self))
      guard !name.isEmpty else { continue }
      functions.append(Function(start: start, size: size, name: name, order: functions.count))
    }
    functions.sort { ($0.start, $0.order) < ($1.start, $1.order) }
    var furthest: UInt64 = 0
    furthestEnds = functions.map { function in
      furthest = max(furthest, function.start + function.size)
      return furthest
    }
    self.functions = functions
  }

  /// The name of the function at an address, the latest one that was made there.
  func name(at address: UInt64) -> String? {
    var (low, high) = (0, functions.count)
    while low < high {
      let middle = (low + high) / 2
      if functions[middle].start <= address { low = middle + 1 } else { high = middle }
    }
    var best: Function?
    while low > 0, furthestEnds[low - 1] > address {
      low -= 1
      let function = functions[low]
      if address - function.start < function.size, best.map({ $0.order < function.order }) ?? true {
        best = function
      }
    }
    return best?.name
  }

  private static func read(_ descriptor: Int32, _ count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      filled = 0
      while filled < count, let base = buffer.baseAddress {
        let got = Glibc.read(descriptor, base + filled, count - filled)
        if got <= 0 { break }
        filled += got
      }
    }
  }

  private static func hexadecimal(_ text: ArraySlice<UInt8>) -> UInt64? {
    let digits = text.starts(with: "0x".utf8) ? text.dropFirst(2) : text
    guard (1...16).contains(digits.count) else { return nil }
    var number: UInt64 = 0
    for digit in digits {
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): number = number << 4 | UInt64(digit - 0x30)
      case UInt8(ascii: "a")...UInt8(ascii: "f"): number = number << 4 | UInt64(digit - 0x57)
      case UInt8(ascii: "A")...UInt8(ascii: "F"): number = number << 4 | UInt64(digit - 0x37)
      default: return nil
      }
    }
    return number
  }
}

extension timespec {
  /// Nanoseconds; clamped, for a file's time may be anything.
  var nanoseconds: Int64 {
    let (seconds, overflow) = Int64(tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
    if overflow { return tv_sec > 0 ? .max : .min }
    let (sum, isOver) = seconds.addingReportingOverflow(Int64(tv_nsec))
    return isOver ? .max : sum
  }
}

/// Names as run-times write them into perf maps, as a reader knows them.
enum JITName {
  /// "App::Main(string[])" of .NET's "void [app] App::Main(string[])[Tier0]", and "App:Main(string[])"
  /// of Mono's "App:Main (string[])".
  ///
  /// How often a method has been optimised differs from run to run: it is no part of its name.
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
