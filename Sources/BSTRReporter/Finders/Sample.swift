// A few strings that represent the many of a finding, with their serial numbers.

/// The serial numbers that a sample of many strings may be chosen from: in bounded memory, however
/// many strings there are.
struct SampleSerials {
  /// The lowest, in ascending order; at most as many as a sample shows.
  private var lowest: [UInt64] = []
  /// Those of strings whose characters were kept.
  private var valued: [UInt64] = []

  /// All of them, in ascending order, each once.
  var sorted: [UInt64] { Set(lowest + valued).sorted() }

  /// Adds a string.
  mutating func add(_ serial: UInt64, hasValue: Bool) {
    if hasValue { valued.append(serial) }
    if lowest.count == Sample<Never>.maxSerials {
      guard let last = lowest.last, serial < last else { return }
      lowest.removeLast()
    }
    lowest.insert(serial, at: lowest.firstIndex { serial < $0 } ?? lowest.endIndex)
  }

  /// Adds those of other strings.
  mutating func add(_ other: SampleSerials) {
    for serial in other.lowest { add(serial, hasValue: false) }
    valued += other.valued
  }
}

/// Serial numbers that are shown of a finding, and the characters of the strings with these
/// numbers.
struct Sample<Value: Equatable> {
  /// The maximum of serial numbers that are shown.
  static var maxSerials: Int { 5 }
  /// The maximum of strings that are shown.
  private static var maxValues: Int { 3 }

  /// Serial numbers, in ascending order.
  private(set) var serials: [UInt64] = []
  /// Their characters, as far as these were kept, each text once.
  private(set) var values: [Value] = []

  /// Chooses from all strings of a finding: first those whose characters were kept.
  ///
  /// - Parameter strings: serial numbers, 0 where there is none, and texts, in an order that is the
  ///   same in each run.
  init(of strings: some Sequence<(serial: UInt64, value: Value?)>) {
    var chosen: Set<UInt64> = []
    for (serial, value) in strings {
      if values.count == Self.maxValues { break }
      guard let value, !values.contains(value) else { continue }
      values.append(value)
      if serial != 0 { chosen.insert(serial) }
    }
    for (serial, _) in strings {
      if chosen.count == Self.maxSerials { break }
      if serial != 0 { chosen.insert(serial) }
    }
    serials = chosen.sorted()
  }
}
