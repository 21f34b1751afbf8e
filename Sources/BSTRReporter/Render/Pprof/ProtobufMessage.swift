// The wire format of Protocol Buffers, as far as a profile needs it: fields that are numbers, bytes
// and lists of numbers.

/// A message that is written field by field.
struct ProtobufMessage {
  /// What was written.
  private(set) var bytes: [UInt8] = []

  /// Appends a number; 0, which is the default of each field, is left out.
  mutating func add(_ field: Int, _ number: Int) {
    if number == 0 { return }
    appendTag(field, wireType: 0)
    Self.append(number, to: &bytes)
  }

  /// Appends a text.
  mutating func add(_ field: Int, _ text: String) { add(field, content: Array(text.utf8)) }

  /// Appends a message inside of this one.
  mutating func add(_ field: Int, _ message: ProtobufMessage) {
    add(field, content: message.bytes)
  }

  /// Appends numbers, packed.
  mutating func add(_ field: Int, _ numbers: [Int]) {
    var packed: [UInt8] = []
    for number in numbers { Self.append(number, to: &packed) }
    add(field, content: packed)
  }

  private mutating func add(_ field: Int, content: [UInt8]) {
    appendTag(field, wireType: 2)
    Self.append(content.count, to: &bytes)
    bytes += content
  }

  private mutating func appendTag(_ field: Int, wireType: Int) {
    Self.append(field << 3 | wireType, to: &bytes)
  }

  /// Appends a number in groups of seven bits, the lowest first; negative ones as in two's
  /// complement.
  private static func append(_ number: Int, to bytes: inout [UInt8]) {
    var rest = UInt64(bitPattern: Int64(number))
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
