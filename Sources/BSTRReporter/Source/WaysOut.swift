// Finds the ways out of a function between the line where it got a string and the line where it
// freed others like it. It proposes and decides nothing: where it is not sure, there is none.
// WaysOut+Conditions.swift reads the conditions in front of them.

/// The ways out between an allocation and a free.
struct WaysOut {
  let source: SourceBlocks
  /// The statement that got the string, as tokens.
  let owner: Range<Int>
  /// The first token of each statement that freed others, in order.
  private let frees: [Int]
  let function: Int
  /// The names of what was got there and is freed here.
  let names: Set<String>
  /// The functions that free it.
  private let callees: Set<String>
  /// The variables that say whether it was got, each with the token that sets it again.
  let results: [String: Int]
  /// The calls behind the owner's statement that free the string.
  private var releaseCalls: [Int] = []

  /// Returns the lines of the ways out, in order.
  ///
  /// - Parameters:
  ///   - owner: the line on which the function got the string.
  ///   - frees: the lines on which it freed others.
  static func lines(in source: SourceBlocks, owner: Int, frees: [Int]) -> [Int] {
    guard let ways = WaysOut(source, owner: owner, frees: frees) else { return [] }
    return ways.lines()
  }

  private init?(_ source: SourceBlocks, owner line: Int, frees lines: [Int]) {
    let tokens = source.tokens
    func first(on line: Int) -> Int? { source.tokens(on: line).first { tokens[$0] != "}" } }
    guard let got = first(on: line), let function = source.function(of: got),
      let last = source.tokens(on: line).last(where: { tokens[$0] != "{" && tokens[$0] != "}" }),
      source.blocks[function].body.count <= Self.maxTokens
    else { return nil }
    let owner = source.statement[got]..<max(last + 1, source.end(ofStatementAt: last))
    let frees = lines.compactMap(first).filter {
      $0 >= owner.upperBound && source.function(of: $0) == function
        && !source.enclosing($0).prefix { $0 != function }
          .contains { source.blocks[$0].kind == .deferred }
    }
    guard frees.count == lines.count, !frees.isEmpty else { return nil }
    self.source = source
    self.owner = owner
    self.frees = frees
    self.function = function
    let statements = frees.map { source.statement[$0]..<source.end(ofStatementAt: $0) }
    let called = { (range: Range<Int>) in
      Set(range.filter { source.isCall(at: $0) }.map { tokens[$0].text })
    }
    callees = statements.reduce(into: []) { $0.formUnion(called($1)) }
    let calledThere = callees.union(called(owner))
    let assigned = { (range: Range<Int>) in
      Set(range.filter { source.isAssigned(at: $0) }.map { tokens[$0].text })
    }
    // `result = get(&text)` and `result = release(text)` do not have the result in common.
    let statuses = statements.reduce(into: Set<String>()) { $0.formUnion(assigned($1)) }
    let words = { (range: Range<Int>) in
      Set(tokens[range].filter { $0.kind == .word }.map(\.text))
    }
    names = words(owner)
      .intersection(statements.reduce(into: []) { $0.formUnion(words($1)) })
      .subtracting(calledThere).subtracting(Self.common)
      .subtracting(assigned(owner).intersection(statuses))
    if names.isEmpty { return nil }
    // `result = get(&text)`: until it is set again, the result says whether there is a string.
    var results: [String: Int] = [:]
    let end = source.blocks[function].body.upperBound
    for index in owner.prefix(Self.maxArgument)
    where (source.isAssigned(at: index) || source.isInitialised(at: index))
      && !names.contains(tokens[index].text)
    {
      let name = tokens[index].text
      results[name] =
        (owner.upperBound..<max(owner.upperBound, end)).first {
          tokens[$0] == name && source.isAssigned(at: $0)
        } ?? tokens.count
    }
    self.results = results
    releaseCalls = findReleases()
    if releaseCalls.count > Self.maxReleases { return nil }
  }

  /// The limits of tokens in a function, of words in it that may leave it and of calls that free:
  /// generated code has more, and nobody reads it.
  private static let (maxTokens, maxWays, maxReleases) = (20_000, 100, 100)

  /// Words that say nothing of what a statement is about.
  private static let common: Set<String> = [
    "this", "self", "std", "return", "if", "else", "for", "while", "const", "auto", "let", "var",
    "void", "static_cast", "reinterpret_cast", "const_cast", "dynamic_cast", "BSTR", "NULL",
    "nullptr", "nil", "try", "char", "int", "long", "short", "unsigned", "signed", "bool",
    "float", "double", "struct", "class", "enum", "union", "wchar_t", "char16_t", "size_t",
    "OLECHAR", "new", "delete", "sizeof", "true", "false",
  ]

  private func lines() -> [Int] {
    let end = frees[frees.count - 1]
    let ways = (owner.upperBound..<max(owner.upperBound, end)).filter { index in
      let token = source.tokens[index]
      return token.kind == .word && !source.isName(at: index)
        && (Self.statements.contains(token.text) || Self.withoutReturn.contains(token.text))
    }
    guard ways.count <= Self.maxWays else { return [] }
    return Set(ways.filter { isWayOut($0, before: end) }.map { source.tokens[$0].line }).sorted()
  }

  /// The statements that leave a function or a block.
  private static let statements: Set<String> = [
    "return", "co_return", "throw", "break", "continue", "goto",
  ]

  // MARK: one way

  private func isWayOut(_ index: Int, before free: Int) -> Bool {
    guard source.function(of: index) == function else { return false }
    let enclosing = source.enclosing(index).prefix { $0 != function }
    // The way leads out of the innermost of these blocks, which the free is in, too.
    func leaves(_ kinds: Set<SourceBlocks.Kind>) -> Bool {
      guard !isInBracelessLoop(index, kinds),
        let left = enclosing.first(where: { block in
          kinds.contains(source.blocks[block].kind)
            || kinds.contains(.loop) && hasLoopInHead(block)
        }), kinds.contains(source.blocks[left].kind), isInside(free, left),
        isInsideOrHead(owner.lowerBound, left)
      else { return false }
      if hasLabel(of: left, between: index, free) { return false }
      let behind = source.blocks[left].body.upperBound..<source.blocks[function].body.upperBound
      return !mentions(in: behind)
    }
    let isInAttempt = enclosing.contains { source.blocks[$0].kind == .attempt }
    let isHandedOver = { mentions(in: index..<source.end(ofStatementAt: index)) }
    let doesLeave =
      switch source.tokens[index].text {
      case "return", "co_return": !isHandedOver()
      case "throw": !isHandedOver() && (!isInAttempt || leaves([.attempt]))
      case "break": !isLabelled(index) && leaves([.loop, .switch])
      case "continue": !isLabelled(index) && leaves([.loop])
      case "goto": leadsPast(index, free)
      default: isCallWithoutReturn(index)
      }
    return doesLeave && isReachedWithString(index)
  }

  /// The functions that do not come back.
  private static let withoutReturn: Set<String> = [
    "exit", "_exit", "_Exit", "quick_exit", "abort", "terminate", "longjmp", "siglongjmp",
    "pthread_exit", "rethrow_exception", "fatalError", "preconditionFailure",
  ]

  private func isCallWithoutReturn(_ index: Int) -> Bool {
    guard Self.withoutReturn.contains(source.tokens[index].text), source.isCall(at: index) else {
      return false
    }
    if index == 0 { return true }
    let before = source.tokens[index - 1]
    // A method, or a declaration.
    if before == ">" { return false }
    if index >= 3, before == ":", source.tokens[index - 2] == ":" {
      return source.tokens[index - 3] == "std"
    }
    return before.kind != .word || ["else", "do", "try"].contains(before.text)
  }

  private func isLabelled(_ index: Int) -> Bool {
    let next = index + 1
    guard next < source.tokens.count, source.tokens[next].kind == .word else { return false }
    return source.tokens[next].line == source.tokens[index].line
  }

  /// Returns whether the statement itself is a loop's, without braces: `while (next()) break;`.
  private func isInBracelessLoop(_ index: Int, _ kinds: Set<SourceBlocks.Kind>) -> Bool {
    guard kinds.contains(.loop) else { return false }
    let start = source.statement[index]
    // Of an `else` without braces, the loop may be in front of the `if`.
    return source.tokens[start] == "else" || hasLoop(in: start..<index)
  }

  /// Returns whether a block is another statement's in a loop without braces: `for (…) if (…) {`.
  private func hasLoopInHead(_ block: Int) -> Bool {
    let found = source.blocks[block]
    return found.kind != .loop
      && hasLoop(in: found.head..<max(found.head, found.body.lowerBound - 1))
  }

  private func hasLoop(in range: Range<Int>) -> Bool {
    source.tokens[range].contains { ["for", "while", "do"].contains($0.text) }
  }

  /// Returns whether a label is behind the last free, with nothing of the string behind it.
  private func leadsPast(_ index: Int, _ free: Int) -> Bool {
    guard index + 1 < source.tokens.count else { return false }
    let label = source.tokens[index + 1].text
    let end = source.blocks[function].body.upperBound
    let target = (free..<end).first { token in
      source.tokens[token] == label && token + 1 < end && source.tokens[token + 1] == ":"
        && source.tokens[token - 1] != "goto" && source.statement[token] == token
    }
    guard let target else { return false }
    // From there it may go on to the free.
    let leadsOn = source.tokens[target..<end].contains { $0 == "goto" }
    return !leadsOn && !mentions(in: target..<end)
  }

  // MARK: the way there

  /// Returns whether a token is reached with the string, as far as conditions and blocks tell.
  private func isReachedWithString(_ index: Int) -> Bool {
    var token = index
    var block = source.block[index]
    var inner: Int?
    // From the innermost statement around the token out to the block that the string was got in.
    while true {
      let start = source.statement[token]
      // The statement got the string in its condition: with it, its block is that of the free.
      if start <= owner.lowerBound { return inner.map { isInside(frees[0], $0) } ?? false }
      let hasOwner = isInside(owner.lowerBound, block) || block == function
      if !allows(start..<token) || isFreed(before: start, in: block)
        || isInside(owner.lowerBound, block)
          && hasLabel(of: block, between: owner.upperBound, start)
        || !hasOwner && mentions(in: source.blocks[block].body.lowerBound..<start)
      {
        return false
      }
      if hasOwner {
        return !isAssignedAway(in: owner.upperBound..<index)
          && !leadsOut(owner.lowerBound, of: block)
      }
      inner = block
      // The brace that begins the block is of the statement around it.
      token = source.blocks[block].body.lowerBound - 1
      guard let parent = source.blocks[block].parent else { return false }
      block = parent
    }
  }

  /// Returns whether a statement on the way frees what was got.
  private func isFreed(before start: Int, in block: Int) -> Bool {
    let first = max(owner.upperBound, source.blocks[block].body.lowerBound)
    guard first < start else { return false }
    return releaseCalls.contains { token in
      guard token >= first, token < start else { return false }
      return source.block[token] == block || !leadsOut(token, of: block)
    }
  }

  /// Returns the calls behind the owner's statement that free the string, as others are.
  private func findReleases() -> [Int] {
    (owner.upperBound..<max(owner.upperBound, source.blocks[function].body.upperBound)).filter {
      frees.contains($0)
        || callees.contains(source.tokens[$0].text) && source.isCall(at: $0)
          && hasName(in: source.statement[$0]..<source.end(ofStatementAt: $0))
    }
  }

  /// Returns whether the blocks around a token that are inside of another one are always left
  /// behind it: then what follows them is reached without it.
  private func leadsOut(_ token: Int, of block: Int) -> Bool {
    source.enclosing(token).prefix { $0 != block && $0 != function }.contains { inner in
      let body = source.blocks[inner].body
      return (token + 1..<max(token + 1, body.upperBound)).contains { next in
        source.block[next] == inner && source.statement[next] == next
          && (Self.statements.contains(source.tokens[next].text) || isCallWithoutReturn(next))
      }
    }
  }

  /// Returns whether a label of a `switch` is between two tokens.
  private func hasLabel(of block: Int, between first: Int, _ last: Int) -> Bool {
    source.blocks[block].kind == .switch
      && (first..<max(first, last)).contains { token in
        source.block[token] == block && source.statement[token] == token
          && (source.tokens[token] == "case" || source.tokens[token] == "default")
      }
  }

  // MARK: blocks

  private func isInside(_ token: Int, _ block: Int) -> Bool {
    source.blocks[block].body.contains(token)
  }

  /// Returns whether a token is in a block, or in the head of its statement.
  private func isInsideOrHead(_ token: Int, _ block: Int) -> Bool {
    token >= source.blocks[block].head && token < source.blocks[block].body.upperBound
  }
}

extension SourceBlocks {
  /// Returns the tokens on a line.
  fileprivate func tokens(on line: Int) -> Range<Int> {
    // Tokens are in the order of their lines.
    func first(from line: Int) -> Int {
      var (low, high) = (0, tokens.count)
      while low < high {
        let middle = (low + high) / 2
        if tokens[middle].line < line { low = middle + 1 } else { high = middle }
      }
      return low
    }
    return first(from: line)..<first(from: line + 1)
  }

  /// Returns whether a word is called.
  func isCall(at index: Int) -> Bool {
    tokens[index].kind == .word && index + 1 < tokens.count && tokens[index + 1] == "("
  }

  /// Returns whether a word is what an assignment sets.
  fileprivate func isAssigned(at index: Int) -> Bool {
    guard tokens[index].kind == .word, index + 2 < tokens.count, tokens[index + 1] == "=" else {
      return false
    }
    return tokens[index + 2] != "="
  }

  /// Returns whether a word is a variable that a call initialises: `HRESULT result(get(&text))`.
  fileprivate func isInitialised(at index: Int) -> Bool {
    guard index > 0, index + 1 < tokens.count, tokens[index].kind == .word,
      tokens[index - 1].kind == .word, tokens[index - 1] != "return", tokens[index - 1] != "new"
    else { return false }
    return tokens[index + 1] == "(" || tokens[index + 1] == "{"
  }

  /// Returns whether a keyword is a name there: `.return`, `run(return: 1)`, or what a function
  /// throws: `f() throw()`.
  fileprivate func isName(at index: Int) -> Bool {
    let before = index > 0 ? tokens[index - 1].text : ""
    let after = index + 1 < tokens.count ? tokens[index + 1].text : ""
    return before == "." || before == "`" || after == ":"
      || tokens[index] == "throw" && (before == ")" || before == "const") && after == "("
  }
}
