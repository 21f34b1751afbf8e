// Chooses the branches of conditional compilation.

/// The directives of a file.
///
/// A branch with a line that has run was compiled. Else a condition is known that is a number or
/// one macro: those that say system and language are, the program's are taken as not defined. Of
/// other conditions the first branch is taken.
struct SourceConditionals {
  /// The lines of a branch, from its directive to the next one of its group.
  private struct Branch {
    var lines: Range<Int>
    /// Whether it is compiled if no other one is before; `nil` if that is unknown.
    var isTrue: Bool?
  }

  /// Each `#if` with its branches.
  private var groups: [[Branch]] = []
  private let language: SourceLanguage

  /// The limit of `#if` inside one another; what is deeper is not read.
  private static let maxDepth = 64

  /// Reads the directives of a file.
  ///
  /// What is in a comment or a string is taken for one, too; blocks then do not fit.
  init(_ bytes: [UInt8], _ language: SourceLanguage) {
    self.language = language
    /// The branches of a group, and the line and condition of the one that is not closed yet.
    var open: [(branches: [Branch], start: Int, isTrue: Bool?)] = []
    var tooDeep = 0
    var number = 0
    for line in bytes.split(separator: Ascii.newline, omittingEmptySubsequences: false) {
      number += 1
      guard let words = Self.directive(line), let name = words.first else { continue }
      let isStart = name.hasPrefix("if")
      let isEnd = name == "endif"
      guard isStart || isEnd || name.hasPrefix("el") else { continue }
      if tooDeep > 0 || isStart && open.count == Self.maxDepth {
        tooDeep += isStart ? 1 : isEnd ? -1 : 0
        continue
      }
      if isStart {
        open.append(([], number, value(of: words)))
        continue
      }
      guard var group = open.popLast() else { continue }
      group.branches.append(Branch(lines: group.start..<number, isTrue: group.isTrue))
      if isEnd {
        groups.append(group.branches)
      } else {
        open.append((group.branches, number, name == "else" ? true : value(of: words)))
      }
    }
  }

  /// Returns the lines that were not compiled, as ranges in order of their ends.
  ///
  /// - Parameter lines: lines that are known to have run.
  func skippedLines(havingRun lines: Set<Int>) -> [Range<Int>] {
    groups.flatMap { branches in
      let chosen =
        branches.firstIndex { branch in lines.contains { branch.lines.contains($0) } }
        ?? branches.firstIndex { $0.isTrue != false }
      return branches.indices.filter { $0 != chosen }.map { branches[$0].lines }
    }
  }

  /// Returns the words of a directive; `nil` for another line.
  private static func directive(_ line: ArraySlice<UInt8>) -> [String]? {
    var rest = line.drop { $0 == Ascii.space || $0 == Ascii.tab }
    guard rest.first == UInt8(ascii: "#") else { return nil }
    rest = rest.dropFirst()
    var words: [String] = []
    // As many as anybody writes.
    while let first = rest.first, words.count < 64 {
      // A comment behind the condition.
      if first == UInt8(ascii: "/"),
        [UInt8(ascii: "/"), UInt8(ascii: "*")].contains(rest.dropFirst().first)
      {
        break
      }
      if Ascii.isOfWord(first) {
        let word = rest.prefix { Ascii.isOfWord($0) }
        words.append(String(decoding: word, as: UTF8.self))
        rest = rest.dropFirst(word.count)
      } else {
        if ![Ascii.space, Ascii.tab, Ascii.return].contains(first) {
          words.append(String(UnicodeScalar(first)))
        }
        rest = rest.dropFirst()
      }
    }
    return words
  }

  private func value(of words: [String]) -> Bool? {
    switch words.first {
    case "ifdef", "elifdef": words.count == 2 ? isDefined(words[1]) : nil
    case "ifndef", "elifndef": words.count == 2 ? !isDefined(words[1]) : nil
    default: any(of: words.dropFirst().filter { $0 != "(" && $0 != ")" }[...])
    }
  }

  /// Returns the value of operands with `||` between them.
  ///
  /// Parentheses around operands of `||` inside of `&&` are not read: that is unknown.
  private func any(of words: ArraySlice<String>) -> Bool? {
    let values = Self.operands(of: words, "|").map { all(of: $0) }
    if values.contains(true) { return true }
    return values.contains(nil) ? nil : false
  }

  private func all(of words: ArraySlice<String>) -> Bool? {
    let values = Self.operands(of: words, "&").map { value(ofOperand: $0) }
    if values.contains(false) { return false }
    return values.contains(nil) ? nil : true
  }

  private static func operands(
    of words: ArraySlice<String>, _ mark: String
  ) -> [ArraySlice<String>] {
    words.split(separator: mark)
  }

  private func value(ofOperand words: ArraySlice<String>) -> Bool? {
    guard let first = words.first else { return nil }
    if first == "!" { return value(ofOperand: words.dropFirst()).map { !$0 } }
    if words.count == 1 {
      if let number = Int(first) { return number != 0 }
      if first == "true" || first == "false" { return first == "true" }
      // What is no macro is 0 in C, and what is no flag is false in Swift.
      return isDefined(first)
    }
    guard words.count == 2, let name = words.last else { return nil }
    switch first {
    case "defined": return isDefined(name)
    case "os": return name == "Linux"
    case "arch": return name == "x86_64"
    case "targetEnvironment": return false
    default: return nil
    }
  }

  private func isDefined(_ name: String) -> Bool {
    switch name {
    case "__linux__", "__unix__", "__GNUC__", "__x86_64__": language != .swift
    case "__cplusplus": language == .cxx
    default: false
    }
  }
}
