// Blocks that were live at the end, into findings by allocation stack.

import TraceStore

/// Groups live blocks by the stack that allocated them.
enum LeakFinder {
  private struct Group {
    var count = 0
    var bytes = 0
    var truncated = false
    var serials: [UInt64] = []
  }

  /// Leaks of one process, heaviest first: by bytes, then count, then stack.
  ///
  /// - Complexity: linear in live blocks and recorded frames, and n log n in distinct stacks.
  static func findings(
    in image: StoreImage, symbolicator: inout some Symbolicator, redact: Bool
  ) -> [Finding] {
    var byStack: [StackID: Group] = [:]
    image.forEachLiveBlock { block in
      byStack[block.stack, default: Group()].count += 1
      byStack[block.stack]?.bytes += Int(block.byteLength)
      byStack[block.stack]?.serials.append(block.serial)
    }
    let resolver = StackResolver(image, Array(byStack.keys), with: &symbolicator)
    // Two calls in one line are one place to a reader, and so is one stack that was recorded twice
    // because a module had moved.
    var byFrames: [[Int]: Group] = [:]
    for (stack, group) in byStack {
      let truncated = image.stack(stack).truncated
      merge(group, truncated, into: &byFrames[resolver.frameNumbers(of: stack), default: Group()])
    }
    let values = redact ? [:] : image.values()
    let width = Int(image.header.olecharBytes)
    return byFrames.sorted { first, second in
      if first.value.bytes != second.value.bytes { return first.value.bytes > second.value.bytes }
      if first.value.count != second.value.count { return first.value.count > second.value.count }
      return first.key.lexicographicallyPrecedes(second.key)
    }.map { numbers, group in
      leak(group, numbers.map { resolver.frames[$0] }, values, width)
    }
  }

  private static func merge(_ group: Group, _ truncated: Bool, into merged: inout Group) {
    merged.count += group.count
    merged.bytes += group.bytes
    merged.serials += group.serials
    merged.truncated = merged.truncated || truncated
  }

  private static func leak(
    _ group: Group, _ frames: [Frame], _ values: [UInt64: StoredValue], _ width: Int
  ) -> Finding {
    var shown: [StoredValue] = []
    for serial in group.serials.sorted() {
      if let value = values[serial], !shown.contains(value) { shown.append(value) }
    }
    let what = group.count == 1 ? "the BSTR" : "the \(group.count) BSTRs"
    let whom = frames.first.map { "that \($0.name) allocated" } ?? "whose stack was not recorded"
    return Finding(
      kind: .leak, count: group.count, bytes: group.bytes, message: "Nobody freed \(what) \(whom).",
      allocated: frames, truncated: group.truncated,
      values: shown.map { StringValue($0, olecharBytes: width) },
      suppression: "leak:\(frames.first?.suppressionPattern ?? "*")")
  }
}

extension StringValue {
  /// The kept beginning of a string, in the program's own character width.
  init(_ value: StoredValue, olecharBytes width: Int) {
    var text = ""
    let bytes = value.bytes
    let units = width == 0 ? 0 : bytes.count / width
    func unit(_ index: Int) -> UInt32 {
      (0..<width).reduce(0) { $0 | UInt32(bytes[index * width + $1]) << (8 * UInt32($1)) }
    }
    var index = 0
    while index < units {
      var code = unit(index)
      if width == 2, code & 0xFC00 == 0xD800, index + 1 < units,
        unit(index + 1) & 0xFC00 == 0xDC00
      {
        code = 0x10000 + (code & 0x3FF) << 10 + unit(index + 1) & 0x3FF
        index += 1
      }
      text += Self.escape(code)
      index += 1
    }
    self.init(
      escaped: text, characterCount: width == 0 ? 0 : value.byteLength / width,
      isCut: bytes.count < value.byteLength)
  }

  private static func escape(_ code: UInt32) -> String {
    switch code {
    case 0x22: return "\\\""
    case 0x5C: return "\\\\"
    case 0x0A: return "\\n"
    case 0x0D: return "\\r"
    case 0x09: return "\\t"
    default: break
    }
    // What is no character, or would act on the terminal or the text around it.
    guard let scalar = Unicode.Scalar(code), code >= 0x20,
      ![.control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned]
        .contains(scalar.properties.generalCategory)
    else { return "\\u{\(String(code, radix: 16))}" }
    return String(Character(scalar))
  }
}
