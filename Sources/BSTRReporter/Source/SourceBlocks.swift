// The blocks and statements of a source file, as far as ways out of functions need them.

/// The blocks of a file, in a tree, and the statements in them.
struct SourceBlocks {
  /// The kind of a block: what a way out does with it.
  enum Kind {
    /// The file itself, a namespace or a type.
    case container
    /// The body of a function, a lambda or a closure: `return` leaves it.
    case function
    /// The body of a loop: `break` and `continue` leave it.
    case loop
    /// The body of a `switch`: `break` leaves it.
    case `switch`
    /// A `try` block, or `do` in Swift: `throw` leaves it.
    case attempt
    /// The body of `defer`: it runs on every way out.
    case deferred
    /// Statements that belong together: of an `if`, or of nothing.
    case statements
    /// A list of values, in which there are no statements.
    case values
  }

  /// A block.
  struct Block {
    var kind: Kind
    /// The block that it is in; `nil` for the file.
    var parent: Int?
    /// The first token of the statement that it is in.
    var head: Int
    /// The tokens between its braces.
    var body: Range<Int>
  }

  let tokens: [SourceToken]
  /// The file first, then each block behind the one that it is in.
  private(set) var blocks: [Block] = []
  /// For each token, the block that it is in: of a brace, the outer one.
  private(set) var block: [Int] = []
  /// For each token, the first token of its statement.
  private(set) var statement: [Int] = []

  private let language: SourceLanguage

  /// A block that is not closed yet.
  private struct Open {
    var index: Int
    /// The first token of the current statement.
    var statement: Int
    /// Open brackets and parentheses.
    var depth = 0
  }

  /// The limit of blocks in one another, and of tokens that are looked at to tell what a block is:
  /// nobody writes more by hand.
  private static let (maxDepth, maxHead) = (256, 512)

  /// Finds the blocks; `nil` where braces do not match.
  init?(_ tokens: [SourceToken], _ language: SourceLanguage) {
    self.tokens = tokens
    self.language = language
    blocks = [Block(kind: .container, parent: nil, head: 0, body: 0..<tokens.count)]
    block.reserveCapacity(tokens.count)
    statement.reserveCapacity(tokens.count)
    var stack: [Open] = []
    var current = Open(index: 0, statement: 0)
    for (index, token) in tokens.enumerated() {
      if language == .swift, token.isFirstOnLine, current.depth == 0,
        endsStatement(before: index, current)
      {
        current.statement = index
      }
      switch token.text {
      case "{":
        let kind = kind(ofBraceAt: index, current)
        record(current)
        let next = Block(
          kind: kind, parent: current.index, head: current.statement,
          body: index + 1..<index + 1)
        if stack.count == Self.maxDepth { return nil }
        stack.append(current)
        blocks.append(next)
        current = Open(index: blocks.count - 1, statement: index + 1)
        continue
      case "}":
        guard let outer = stack.popLast() else {
          // A macro has the other brace. Nothing is open that it could end.
          record(current)
          current = Open(index: 0, statement: index + 1)
          continue
        }
        let closed = current.index
        let first = blocks[closed].body.lowerBound
        blocks[closed].body = first..<index
        current = outer
        record(current)
        if endsStatement(with: closed, in: outer) { current.statement = index + 1 }
        continue
      case "(", "[": current.depth += 1
      case ")", "]": current.depth -= current.depth > 0 ? 1 : 0
      default: break
      }
      record(current)
      let isLabel = token == ":" && isLabel(endingAt: index, current)
      if current.depth == 0, token == ";" || isLabel { current.statement = index + 1 }
    }
    if !stack.isEmpty { return nil }
  }

  private mutating func record(_ current: Open) {
    block.append(current.index)
    statement.append(current.statement)
  }

  // MARK: statements

  private static let controls: Set<String> = [
    "if", "else", "for", "while", "do", "switch", "try", "catch", "guard", "repeat", "defer",
  ]

  /// Returns whether a new statement begins with the first token of a line, in Swift.
  private func endsStatement(before index: Int, _ current: Open) -> Bool {
    guard current.statement < index else { return false }
    let first = tokens[current.statement]
    // The head of a block goes on to its brace; `} while …` has no block.
    let isHead = Self.controls.contains(first.text) && (first != "while" || first.isFirstOnLine)
    if isHead || first == "func" { return false }
    return !tokens[index - 1].isOperator
      && ![".", "?", ":", "&", "|", "="].contains(tokens[index].text)
  }

  /// Returns whether the statement is at its end with the block that was closed.
  private func endsStatement(with closed: Int, in outer: Open) -> Bool {
    switch blocks[closed].kind {
    case .values: false
    case .function, .container:
      // A lambda is in an expression that goes on, and a type may be of a variable.
      outer.depth == 0 && blocks[outer.index].kind == .container || isFunction(blocks[closed])
    default: outer.depth == 0
    }
  }

  /// Returns whether a block is the body of a function that has a name, or of a type.
  private func isFunction(_ block: Block) -> Bool {
    language == .swift
      && tokens[block.head..<block.body.lowerBound].contains {
        ["func", "init", "deinit", "class", "struct", "enum", "extension", "protocol", "actor"]
          .contains($0.text)
      }
  }

  /// Returns whether a colon ends `case …:`, `default:` or a label, and no more.
  private func isLabel(endingAt index: Int, _ current: Open) -> Bool {
    guard current.depth == 0, index > current.statement, tokens[index - 1] != ":",
      index + 1 >= tokens.count || tokens[index + 1] != ":"
    else { return false }
    let first = tokens[current.statement]
    if first == "case" || first == "default" { return true }
    return index == current.statement + 1 && first.kind == .word
  }

  /// Returns the word that decides what the block behind a head is: of `else if (…) for (…)` the
  /// last one.
  func control(in head: Range<Int>) -> String? {
    var depth = 0
    var last: String?
    for index in head {
      switch tokens[index].text {
      case "(", "[", "{": depth += 1
      case ")", "]", "}": depth -= 1
      case let word where depth == 0 && Self.controls.contains(word):
        // `guard … else` and `for … where` are of the first.
        if word != "else" || last == nil { last = word }
      default: break
      }
    }
    return last
  }

  // MARK: kinds

  private func kind(ofBraceAt index: Int, _ current: Open) -> Kind {
    let start = current.statement
    let head = start..<index
    if head.count > Self.maxHead { return isLambda(head) ? .function : .values }
    let isInContainer = blocks[current.index].kind == .container
    if current.depth == 0, let control = control(in: head) {
      switch control {
      case "if", "else", "catch", "guard": return .statements
      case "for", "while", "repeat": return .loop
      case "do": return language == .swift ? .attempt : .loop
      case "try": return .attempt
      case "switch": return .switch
      case "defer": return .deferred
      default: break
      }
    }
    if language == .swift { return kindInSwift(head) }
    if isLambda(head) { return .function }
    if blocks[current.index].kind == .values { return .values }
    if head.isEmpty { return .statements }
    if current.depth > 0 { return tokens[index - 1] == "(" ? .statements : .values }
    let words = tokens[head]
    let last = tokens[index - 1]
    // A macro that stands for a loop, a condition or `try`: what leaves it is not known.
    if !isInContainer, tokens[start].kind == .word, tokens[start] != "return" {
      if head.count == 1 { return .statements }
      let parameters = last == ")" ? opening(of: index - 1, from: start) : nil
      if parameters == start + 1 { return .loop }
      // A function in a function, which some compilers know.
      if let parameters, parameters > start + 1, !words.contains(where: { $0 == "=" }) {
        return .function
      }
    }
    if last == "^" { return .function }
    if isInContainer, words.contains(where: { $0 == "(" }) {
      // `Name(int a) : a_{a}, b_(1) {`
      let isInitializer =
        last.kind == .word && hasInitializers(head)
        && !["const", "noexcept", "override", "final", "mutable", "volatile", "try"]
          .contains(last.text)
      return isInitializer || last == "=" ? .values : .function
    }
    let types = ["namespace", "class", "struct", "union", "enum", "extern"]
    if words.contains(where: { types.contains($0.text) }), !words.contains(where: { $0 == "=" }) {
      return .container
    }
    return .values
  }

  private func kindInSwift(_ head: Range<Int>) -> Kind {
    let words = Set(tokens[head].lazy.map(\.text))
    let types: Set<String> = ["class", "struct", "enum", "extension", "protocol", "actor"]
    if words.contains("func") || words.contains("init") { return .function }
    return words.isDisjoint(with: types) ? .function : .container
  }

  /// Returns whether a constructor's list of initializers has begun: a colon behind parameters.
  private func hasInitializers(_ head: Range<Int>) -> Bool {
    guard let parameters = tokens[head].firstIndex(where: { $0 == "(" }) else { return false }
    return (parameters..<head.upperBound - 1).contains { index in
      tokens[index] == ":" && tokens[index + 1] != ":" && tokens[index - 1] != ":"
    }
  }

  /// Returns whether a brace behind these tokens is a lambda's: `[…](…) mutable -> Type {`.
  private func isLambda(_ head: Range<Int>) -> Bool {
    guard language == .cxx, !head.isEmpty else { return false }
    // Back to a capture list that nothing in front of it makes an index or an attribute. What is
    // between that and the brace is of the lambda, whatever its brackets have.
    var depth = 0
    let first = max(head.lowerBound, head.upperBound - Self.maxHead)
    for index in stride(from: head.upperBound - 1, through: first, by: -1) {
      switch tokens[index].text {
      case ")", "]": depth += 1
      case "(": depth -= 1
      case "[":
        depth -= 1
        if depth == 0, beginsCaptures(index, from: head.lowerBound) { return true }
      case "=", ";": if depth == 0 { return false }
      default: break
      }
      if depth < 0 { return false }
    }
    return false
  }

  private func beginsCaptures(_ index: Int, from start: Int) -> Bool {
    if index + 1 < tokens.count, tokens[index + 1] == "[" { return false }
    guard index > start else { return true }
    let before = tokens[index - 1]
    if before.kind == .mark { return before != ")" && before != "]" && before != "[" }
    return before == "return" || before == "co_return"
  }

  /// Returns the bracket that the one at an index closes.
  func opening(of index: Int, from start: Int) -> Int? {
    var depth = 0
    for index in stride(from: index, through: start, by: -1) {
      switch tokens[index].text {
      case ")", "]", "}": depth += 1
      case "(", "[", "{":
        depth -= 1
        if depth == 0 { return index }
      default: break
      }
    }
    return nil
  }

  // MARK: questions

  /// Returns the block of a token and those that it is in, innermost first.
  func enclosing(_ token: Int) -> [Int] {
    var chain: [Int] = []
    var next: Int? = block[token]
    while let index = next {
      chain.append(index)
      next = blocks[index].parent
    }
    return chain
  }

  /// Returns the function that a token is in; `nil` outside of functions.
  func function(of token: Int) -> Int? {
    enclosing(token).first { blocks[$0].kind == .function }
  }

  /// Returns the token behind a statement: its `;`, or the brace that ends it or begins its block.
  func end(ofStatementAt token: Int) -> Int {
    let first = statement[token]
    let end = blocks[block[token]].body.upperBound
    var index = token
    while index < end, statement[index] == first || block[index] != block[token] {
      if statement[index] == first, block[index] == block[token],
        tokens[index] == ";" || tokens[index] == "{" && blockKind(after: index) != .values
      {
        return index
      }
      index += 1
    }
    return index
  }

  private func blockKind(after brace: Int) -> Kind? {
    // Blocks are in the order of their braces.
    var (low, high) = (0, blocks.count)
    while low < high {
      let middle = (low + high) / 2
      if blocks[middle].body.lowerBound < brace + 1 { low = middle + 1 } else { high = middle }
    }
    return low < blocks.count && blocks[low].body.lowerBound == brace + 1 ? blocks[low].kind : nil
  }
}

extension SourceToken {
  /// Whether a line that ends with it goes on in the next one, in Swift.
  fileprivate var isOperator: Bool {
    kind == .mark && ["=", "+", "-", "*", "/", "&", "|", "<", ",", ":", "?", "."].contains(text)
  }
}
