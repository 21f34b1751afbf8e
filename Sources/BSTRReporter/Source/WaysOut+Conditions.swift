// What conditions and statements in front of a way out say of the string: that there is none, or
// that something else was done with it.

extension WaysOut {
  /// Returns whether a statement's conditions can be true with the string.
  func allows(_ head: Range<Int>) -> Bool {
    guard let first = head.first else { return true }
    if source.tokens[first] == "else" || source.tokens[first] == "catch",
      !isOfOtherBranch(first)
    {
      return false
    }
    // `guard` leaves where its condition is false.
    if source.tokens[first] == "guard" {
      return !mentions(in: head) && !mentionsResult(in: head)
    }
    // A macro without a semicolon may be in front.
    guard source.control(in: head) != nil,
      let first = head.first(where: { Self.heads.contains(source.tokens[$0].text) })
    else { return true }
    let head = first..<head.upperBound
    return !operands(of: head, "|").allSatisfy { alternative in
      operands(of: alternative, "&").contains(where: excludesString)
    }
  }

  /// Returns whether an `else` belongs to conditions that have nothing to do with the string.
  private func isOfOtherBranch(_ index: Int) -> Bool {
    // Back to the `if`: from brace to brace, or from semicolon to the statement in front.
    var first = index
    while first > 0, ["else", "catch"].contains(source.tokens[first].text) {
      let end = first - 1
      guard source.tokens[end] == "}" || source.tokens[end] == ";" else { return false }
      if source.tokens[end] == "}" {
        guard let open = source.opening(of: end, from: source.blocks[function].body.lowerBound)
        else { return false }
        first = source.statement[open]
      } else {
        first = source.statement[end]
      }
      if first > end { return false }
    }
    if first <= owner.lowerBound { return false }
    // All conditions of the chain.
    return !hasName(in: first..<index) && !mentionsResult(in: first..<index)
  }

  /// Returns the parts of a condition between `||` or `&&`, wherever its parentheses are.
  private func operands(of range: Range<Int>, _ mark: String) -> [Range<Int>] {
    var parts: [Range<Int>] = []
    var start = range.lowerBound
    for index in range.dropLast()
    where source.tokens[index] == mark && source.tokens[index + 1] == mark && index >= start {
      parts.append(start..<index)
      start = index + 2
    }
    parts.append(min(start, range.upperBound)..<range.upperBound)
    return parts
  }

  /// Returns whether a condition may say that there is no string: `!text`, `NULL == this->text`, or
  /// anything of the result of the call that got it.
  private func excludesString(_ range: Range<Int>) -> Bool {
    if mentionsResult(in: range) { return true }
    let tokens = source.tokens
    // What a function says of the string is of its characters.
    guard hasName(in: range),
      !range.contains(where: { source.isCall(at: $0) && !Self.heads.contains(tokens[$0].text) })
    else { return false }
    let words = tokens[range].map(\.text)
    let isNegated = words.first { !Self.heads.contains($0) && $0 != "(" }
    if isNegated == "!" || isNegated == "not" { return true }
    let nothing: Set<String> = ["NULL", "nullptr", "nil", "none", "0"]
    if words.contains("case") { return words.contains { nothing.contains($0) } }
    guard
      let equals = words.indices.dropLast().first(where: {
        words[$0] == "=" && words[$0 + 1] == "="
      })
    else { return false }
    // `text[0]` compared with anything is a character.
    let marks: Set<String> = ["(", ")"]
    let left = words[..<equals].filter { !marks.contains($0) && !Self.heads.contains($0) }
    let right = words[(equals + 2)...].filter { !marks.contains($0) }
    return left.count == 1 && nothing.contains(left[0])
      || !right.contains("[") && right.last.map { nothing.contains($0) } ?? false
  }

  /// Words in front of conditions.
  private static let heads: Set<String> = ["if", "else", "while", "for", "switch", "constexpr"]

  /// Returns whether the string is named.
  func hasName(in range: Range<Int>) -> Bool {
    range.contains { names.contains(source.tokens[$0].text) }
  }

  /// Returns whether the string is stored: `list->first = text`, `BSTR other = text`.
  func isAssignedAway(in range: Range<Int>) -> Bool {
    range.contains { index in
      guard names.contains(source.tokens[index].text), index > 1, index + 1 < source.tokens.count,
        source.tokens[index - 1] == "="
      else { return false }
      return !["=", "!", "<", ">"].contains(source.tokens[index - 2].text)
        && [";", ",", ")", "}", "?"].contains(source.tokens[index + 1].text)
    }
  }

  private func mentionsResult(in range: Range<Int>) -> Bool {
    range.contains { index in results[source.tokens[index].text].map { index < $0 } ?? false }
  }

  /// Functions that look at a string and no more.
  private static let readers: Set<String> = [
    "SysStringLen", "SysStringByteLen", "sizeof", "printf", "fprintf", "wprintf", "fwprintf",
    "puts", "wcslen", "wcscmp", "wcsncmp", "print",
  ]

  /// The limit of tokens from a call's parenthesis to an argument.
  static let maxArgument = 64

  /// Returns whether tokens do something with what was got: it may be handed over there.
  func mentions(in range: Range<Int>) -> Bool {
    range.contains { index in
      guard names.contains(source.tokens[index].text) else { return false }
      // The innermost call around it, or the condition.
      var depth = 0
      let farthest = max(range.lowerBound - 1, index - Self.maxArgument, 0)
      for before in stride(from: index - 1, through: farthest, by: -1) {
        switch source.tokens[before].text {
        case ")", "]": depth += 1
        case "(", "[":
          depth -= 1
          if depth < 0 {
            let function = before > 0 ? source.tokens[before - 1].text : ""
            return !Self.readers.contains(function) && !["if", "while"].contains(function)
          }
        case ";", "{", "}": return true
        default: break
        }
      }
      return true
    }
  }
}
