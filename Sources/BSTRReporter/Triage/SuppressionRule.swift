// One line of a suppression file. The grammar is LeakSanitizer's with attributes behind it;
// Docs/Suppressions.md describes it.

/// A rule that silences findings: `leak:Cache::load reason=filled once max=3 until=2027-01-31`.
public struct SuppressionRule: Sendable, Equatable {
  /// The kind of finding, or `nil` for all (`any:`).
  public var kind: FindingKind?
  /// Whether it is on what holds leaked strings (`held:`), not on stacks.
  public var isOnHolders = false
  /// The pattern of a frame, or of what holds strings: `*` stands for any characters, `^` and `$`
  /// for a name's start and end.
  public var pattern: String
  /// The reason why the findings are accepted.
  public var reason: String?
  /// The maximum of BSTRs, or faults, that are accepted.
  public var max: Int?
  /// The last day it holds, as `2027-01-31`.
  public var until: String?

  /// The reason why a line is no rule.
  public struct Problem: Error, Equatable, CustomStringConvertible {
    /// The error and the accepted form.
    public var description: String

    init(_ description: String) { self.description = description }
  }

  /// Reads a line that is neither empty nor a comment.
  public init(_ line: some StringProtocol) throws(Problem) {
    // By bytes: with a combining mark behind it, a colon is part of another character.
    guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")) else {
      throw Problem("expected kind:pattern, as in leak:Cache::load")
    }
    let name = line[..<colon].trimmed
    if name == Self.held {
      (kind, isOnHolders) = (.leak, true)
    } else if name != Self.any {
      guard let kind = FindingKind(id: String(name)) else {
        let kinds = FindingKind.all.map(\.id) + [Self.held, Self.any]
        throw Problem("unknown kind '\(name)'; the kinds are \(kinds.joined(separator: ", "))")
      }
      self.kind = kind
    }
    let (pattern, attributes) = Self.split(String(line[line.utf8.index(after: colon)...]))
    self.pattern = pattern
    if pattern.isEmpty { throw Problem("there is no pattern behind the colon") }
    for (key, value) in attributes {
      switch key {
      case .reason: reason = value
      case .max:
        guard let number = Int(value), number >= 0 else {
          throw Problem("max= expects a number from 0, not '\(value)'")
        }
        max = number
      case .until:
        guard Self.isDay(value) else {
          throw Problem("until= expects a day as in 2027-01-31, not '\(value)'")
        }
        until = value
      }
    }
  }

  private static let any = "any"
  private static let held = "held"

  /// The rule as it is written in a file.
  public var text: String { "\(isOnHolders ? Self.held : kind?.id ?? Self.any):\(pattern)" }

  private enum Attribute: String, CaseIterable {
    case reason, max, until
  }

  /// Splits the pattern from the attributes behind it; a pattern may contain spaces.
  private static func split(_ text: String) -> (String, [(Attribute, String)]) {
    var ranges: [(start: String.Index, end: String.Index, key: Attribute)] = []
    for key in Attribute.allCases {
      for range in text.ranges(of: " \(key.rawValue)=") {
        ranges.append((range.lowerBound, range.upperBound, key))
      }
    }
    ranges.sort { $0.start < $1.start }
    let pattern = text[..<(ranges.first?.start ?? text.endIndex)].trimmed
    let attributes = ranges.enumerated().map { index, range in
      let end = index + 1 < ranges.count ? ranges[index + 1].start : text.endIndex
      return (range.key, text[range.end..<end].trimmed.unquoted)
    }
    return (pattern, attributes)
  }

  private static func isDay(_ text: String) -> Bool {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.map(\.count) == [4, 2, 2], parts.allSatisfy({ $0.allSatisfy(\.isASCIIDigit) }),
      let month = Int(parts[1]), let day = Int(parts[2])
    else { return false }
    return (1...12).contains(month) && (1...31).contains(day)
  }

  // MARK: matching

  /// Returns whether the rule matches the finding: a frame of one of its stacks does, or what holds
  /// its strings.
  public func covers(_ finding: Finding) -> Bool {
    guard kind == nil || kind == finding.kind else { return false }
    return isOnHolders
      ? finding.holders?.areHeld(by: pattern) ?? false : finding.passesThrough(anyOf: [pattern])
  }

  /// Returns whether a name matches a pattern as LeakSanitizer's do: anywhere in it, unless
  /// anchored.
  static func matches(_ name: String, _ pattern: String) -> Bool {
    var pattern = pattern[...]
    let isAnchoredAtStart = pattern.first == "^"
    let isAnchoredAtEnd = pattern.last == "$"
    if isAnchoredAtStart { pattern.removeFirst() }
    if isAnchoredAtEnd, !pattern.isEmpty { pattern.removeLast() }
    return Wrappers.matches(
      name, (isAnchoredAtStart ? "" : "*") + pattern + (isAnchoredAtEnd ? "" : "*"))
  }
}

extension Finding {
  /// Returns whether a stack of this finding passes through a function, a file or a module that
  /// matches one of the patterns of suppression rules.
  public func passesThrough(anyOf patterns: [String]) -> Bool {
    let frames = [allocated, freed, detected].flatMap { $0?.frames ?? [] }
    return frames.contains { frame in
      let names = [frame.function, frame.plainName, frame.file, frame.module]
      return names.contains { name in
        guard let name else { return false }
        return patterns.contains { SuppressionRule.matches(name, $0) }
      }
    }
  }
}

extension Holders {
  /// Returns whether each string that was looked for is held, not weakly, by a way on which a
  /// variable, a class or a variable's module has a name that matches the pattern.
  fileprivate func areHeld(by pattern: String) -> Bool {
    !chains.isEmpty
      && chains.allSatisfy { $0.contains { !$0.isWeak && $0.passesThrough(pattern) } }
  }
}

extension HolderChain {
  fileprivate func passesThrough(_ pattern: String) -> Bool {
    steps.lazy.flatMap { [$0.symbol, $0.type, $0.module] }
      .contains { $0.map { SuppressionRule.matches($0, pattern) } ?? false }
  }
}

extension StringProtocol {
  /// The text without spaces and tabs at both ends.
  var trimmed: String {
    func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }
    let start = drop(while: isBlank)
    guard let last = start.lastIndex(where: { !isBlank($0) }) else { return "" }
    return String(start[...last])
  }
}

extension String {
  fileprivate var unquoted: String {
    count >= 2 && first == "\"" && last == "\"" ? String(dropFirst().dropLast()) : self
  }
}

extension Character {
  fileprivate var isASCIIDigit: Bool { isASCII && isNumber }
}
