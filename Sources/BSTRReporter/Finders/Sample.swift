// A few strings that stand for the many of a finding, with their serial numbers.

/// Serial numbers that are shown of a finding, and what the strings with these numbers say.
struct Sample<Value: Equatable> {
  /// The most serial numbers that are shown.
  private static var maxSerials: Int { 5 }
  /// The most strings that are shown.
  private static var maxValues: Int { 3 }

  /// Serial numbers, in ascending order.
  private(set) var serials: [UInt64] = []
  /// Their strings, as far as these were kept, each text once.
  private(set) var values: [Value] = []

  /// Chooses from all strings of a finding: first those whose text was kept.
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
