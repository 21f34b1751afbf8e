import TestSupport
import Testing

@testable import BSTRReporter

/// Patterns of function names against a matcher that is too simple to be wrong.
@Suite struct GlobPatternTests {
  /// Tries each end for each `*`.
  private static func matches(_ text: ArraySlice<Character>, _ pattern: ArraySlice<Character>)
    -> Bool
  {
    guard let first = pattern.first else { return text.isEmpty }
    if first == "*" {
      return (text.startIndex...text.endIndex).contains {
        matches(text[$0...], pattern.dropFirst())
      }
    }
    return text.first == first && matches(text.dropFirst(), pattern.dropFirst())
  }

  private static func random(
    _ letters: [Character], _ count: ClosedRange<Int>, _ generator: inout SeededGenerator
  ) -> String {
    String(
      (0..<Int.random(in: count, using: &generator)).map { _ in
        letters.randomElement(using: &generator)!
      })
  }

  @Test func patternsMatchAsDefined() {
    var generator = SeededGenerator.printingSeed()
    var matched = 0
    for _ in 0..<10_000 {
      // Few letters, so that pieces overlap and come again.
      let text = Self.random(["a", "b", ":"], 0...9, &generator)
      let pattern = Self.random(["a", "b", ":", "*", "*"], 0...6, &generator)
      let expected = Self.matches(Array(text)[...], Array(pattern)[...])
      #expect(Wrappers.matches(text, pattern) == expected, "'\(text)' '\(pattern)'")
      matched += expected ? 1 : 0
    }
    #expect(matched > 1000)
  }

  @Test func rulesMatchAnywhereUnlessAnchored() {
    var generator = SeededGenerator.printingSeed()
    var matched = 0
    for _ in 0..<10_000 {
      let text = Self.random(["a", "b"], 0...9, &generator)
      let pattern = Self.random(["a", "b", "*"], 0...5, &generator)
      let (start, end) = (Bool.random(using: &generator), Bool.random(using: &generator))
      let glob = (start ? "" : "*") + pattern + (end ? "" : "*")
      let expected = Self.matches(Array(text)[...], Array(glob)[...])
      let rule = (start ? "^" : "") + pattern + (end ? "$" : "")
      #expect(SuppressionRule.matches(text, rule) == expected, "'\(text)' '\(rule)'")
      matched += expected ? 1 : 0
    }
    #expect(matched > 1000)
  }

  @Test func aPatternOfAnyLengthMatchesItself() {
    var generator = SeededGenerator.printingSeed()
    for _ in 0..<2000 {
      let text = Self.random(["a", "b", "(", ")", "~", "<", " ", "ä", "文"], 0...40, &generator)
      #expect(Wrappers.matches(text, text))
      #expect(Wrappers.matches(text, "*"))
      #expect(Wrappers.matches(text, "*" + text + "*"))
      let cut = text.count / 2
      #expect(Wrappers.matches(text, text.prefix(cut) + "*" + text.suffix(text.count - cut)))
      #expect(!Wrappers.matches(text, text + "x"))
      #expect(!Wrappers.matches(text, "x" + text))
    }
  }
}
