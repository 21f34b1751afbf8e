// A few strings that represent the many of a finding, with their serial numbers.

/// Serial numbers that are shown of a finding, and the characters of the strings with these
/// numbers.
struct Sample<Value: Equatable> {
  /// The maximum of serial numbers that are shown.
  private static var maxSerials: Int { 5 }
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
