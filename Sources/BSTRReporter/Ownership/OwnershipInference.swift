// Infers who owned a string from the stacks that allocated and freed it and its siblings. Docs/
// Ownership.md explains the method. Works at report time, from stack numbers.

import TraceStore

/// What the traffic of one process says of who owns what.
struct OwnershipInference {
  private let paths: CallPaths
  private let wrappers: Wrappers
  /// Functions that free for many callers.
  private let helpers: Set<Int>
  /// What became of strings, by the innermost frame that allocated them.
  private var histories: [Int: [History]] = [:]
  /// Functions that allocated strings which were freed.
  private var productive: Set<Int> = []

  /// What became of the strings of one pair of stacks.
  private struct History {
    var allocated: CallPath
    var freed: CallPath
    var count: Int
    /// How many steps the string went up from where it was allocated to who owned it; `nil` when it
    /// was freed in another thread, or that cannot be told.
    var height: Int?
    /// Who freed it, below the owner.
    var consumer: CallPath.Step?
  }

  /// How sure a majority must be.
  private static let decisive = 0.75
  /// Callers that make a freeing function a helper.
  private static let callersOfHelper = 3

  init(_ image: StoreImage, _ resolver: StackResolver, _ wrappers: Wrappers) {
    paths = CallPaths(resolver, image)
    self.wrappers = wrappers
    let pairs = Self.merged(image.pairs)
    helpers = Self.helpers(in: pairs, paths, wrappers)
    for pair in pairs {
      let history = history(of: pair)
      guard let innermost = history.allocated.steps.last else { continue }
      histories[innermost.frame, default: []].append(history)
      if let function = innermost.function { productive.insert(function) }
    }
  }

  static func merged(_ pairs: [PairRecord]) -> [PairRecord] {
    struct Key: Hashable {
      var allocated: StackID
      var freed: StackID
      var crossedThreads: UInt32
    }
    var sums: [Key: PairRecord] = [:]
    for pair in pairs where pair.allocated != .none && pair.freed != .none && pair.count > 0 {
      let key = Key(
        allocated: pair.allocated, freed: pair.freed, crossedThreads: pair.crossedThreads)
      // No process frees more; a damaged store may say so, and sums must not overflow.
      let most: UInt64 = 1 << 40
      var sum = sums[key] ?? pair
      sum.count = min(most, sums[key].map { $0.count + min(most, pair.count) } ?? pair.count)
      sum.bytes = min(most, sums[key].map { $0.bytes + min(most, pair.bytes) } ?? pair.bytes)
      sums[key] = sum
    }
    return Array(sums.values)
  }

  // MARK: paths

  private func isWrapper(_ step: CallPath.Step) -> Bool {
    Self.isWrapper(step, paths, wrappers) || step.function.map { helpers.contains($0) } ?? false
  }

  private static func isWrapper(
    _ step: CallPath.Step, _ paths: CallPaths, _ wrappers: Wrappers
  ) -> Bool {
    paths.frame(step).plainName.map { wrappers.contain($0) } ?? false
  }

  private func path(of stack: StackID) -> CallPath {
    paths.path(of: stack).withoutWrappers(isWrapper)
  }

  /// A function that frees the strings of several callers, who had them, is a helper of theirs.
  private static func helpers(
    in pairs: [PairRecord], _ paths: CallPaths, _ wrappers: Wrappers
  ) -> Set<Int> {
    var owners: [Int: Set<Int>] = [:]
    for pair in pairs where pair.crossedThreads == 0 {
      let freed = paths.path(of: pair.freed).withoutWrappers { isWrapper($0, paths, wrappers) }
      let allocated = paths.path(of: pair.allocated)
      guard freed.steps.count > 1, let last = freed.steps.last?.function,
        let caller = freed.steps[freed.steps.count - 2].function, caller != last,
        // The caller had it: it was allocated there or below, and not by the function that frees.
        case .at(let index) = allocated.meeting(with: freed), index == freed.steps.count - 2
      else { continue }
      owners[last, default: []].insert(caller)
    }
    return Set(owners.filter { $0.value.count >= callersOfHelper }.keys)
  }

  private func history(of pair: PairRecord) -> History {
    let (allocated, freed) = (path(of: pair.allocated), path(of: pair.freed))
    var history = History(
      allocated: allocated, freed: freed, count: Int(clamping: pair.count), height: nil)
    if pair.crossedThreads == 0, case .at(let index) = allocated.meeting(with: freed) {
      history.height = allocated.steps.count - 1 - index
      if index + 1 < freed.steps.count { history.consumer = freed.steps[index + 1] }
    }
    return history
  }

  // MARK: leaks

  /// Who should have freed the strings of a stack, `leaked` of which nobody did.
  func ownership(ofLeak stack: StackID, leaked: Int) -> Ownership {
    let path = path(of: stack)
    guard let innermost = path.steps.last else { return Ownership() }
    let like = histories[innermost.frame] ?? []
    let same = like.filter { $0.allocated.steps == path.steps }
    var ownership = Ownership()
    if let most = same.max(by: { $0.count < $1.count }), let by = most.freed.steps.last {
      let freed = same.filter { $0.freed.steps.last?.function == by.function }
        .reduce(0) { $0 + $1.count }
      ownership.siblings = Ownership.Siblings(
        freed: freed, total: same.reduce(leaked) { $0 + $1.count }, freedBy: paths.frame(by))
    }
    let evidence = same.isEmpty ? like.filter { Self.isAlike($0, path) } : same
    if !evidence.isEmpty {
      decide(from: evidence, path, &ownership)
    } else if let function = innermost.function, productive.contains(function) {
      ownership.doubt =
        "Other strings of \(name(innermost)) were freed, and never one from this line: who was to "
        + "free it cannot be told."
    } else {
      decideFromShape(of: path, &ownership)
    }
    return ownership
  }

  /// Whether the string came up through the same functions, to whichever caller.
  private static func isAlike(_ history: History, _ path: CallPath) -> Bool {
    guard let height = history.height, height < path.steps.count else { return false }
    let (one, other) = (history.allocated.steps.suffix(height), path.steps.suffix(height))
    return zip(one, other).allSatisfy { $0.function != nil && $0.function == $1.function }
  }

  private func decide(
    from evidence: [History], _ path: CallPath, _ ownership: inout Ownership
  ) {
    let all = evidence.reduce(0) { $0 + $1.count }
    var counts: [Int: Int] = [:]
    for history in evidence {
      if let height = history.height { counts[height, default: 0] += history.count }
    }
    let best = counts.max { ($0.value, -$0.key) < ($1.value, -$1.key) }
    guard let (height, count) = best, Double(count) >= Self.decisive * Double(all) else {
      let crossed = evidence.filter { $0.height == nil }.reduce(0) { $0 + $1.count }
      ownership.doubt =
        crossed * 2 >= all
        ? "Its siblings were freed on another stack, that of another thread: they were passed on, and "
          + "this one got lost on the way."
        : "Its siblings were freed at different levels: who was to free this one cannot be told."
      return
    }
    guard height < path.steps.count else { return }
    let owner = path.steps[path.steps.count - 1 - height]
    ownership.owner = paths.frame(owner)
    let consumers = evidence.filter { $0.height == height && $0.consumer != nil }
    let consumed = consumers.reduce(0) { $0 + $1.count }
    if Double(consumed) >= Self.decisive * Double(all),
      let consumer = consumers.max(by: { $0.count < $1.count })?.consumer
    {
      ownership.consumer = paths.frame(consumer)
      ownership.doubt =
        "\(name(owner)) usually hands such strings to \(name(consumer)), which frees them; which of "
        + "the two missed this one cannot be told."
      return
    }
    guard consumed == 0 || Double(consumed) <= (1 - Self.decisive) * Double(all) else {
      ownership.doubt =
        "Its siblings were freed by \(name(owner)) and by what it calls: who was to "
        + "free this one cannot be told."
      return
    }
    ownership.basis = .inferred
    ownership.evidence = all == 1 ? "1 sibling" : "\(all) siblings"
    conclude(path, owner: owner, height: height, &ownership)
  }

  /// Without any history: what the stack alone says.
  private func decideFromShape(of path: CallPath, _ ownership: inout Ownership) {
    var height = 0
    while height + 1 < path.steps.count, isProducerByType(path.steps[path.steps.count - 1 - height])
    {
      height += 1
    }
    let owner = path.steps[path.steps.count - 1 - height]
    if height > 0 {
      ownership.basis = .inferred
      ownership.evidence = "the parameter's type"
      ownership.owner = paths.frame(owner)
      conclude(path, owner: owner, height: height, &ownership)
    } else if path.isComplete, path.steps.count == 1 {
      ownership.basis = .inferred
      ownership.evidence = "it has no caller"
      ownership.owner = paths.frame(owner)
      conclude(path, owner: owner, height: 0, &ownership)
    } else {
      ownership.doubt =
        "No string of \(name(owner)) was ever freed: whether it was to free them or to return them "
        + "cannot be told."
    }
  }

  /// Whether a function's type says that it returns a BSTR through a pointer.
  private func isProducerByType(_ step: CallPath.Step) -> Bool {
    guard let function = paths.frame(step).function, let plain = paths.frame(step).plainName,
      function.count > plain.count
    else { return false }
    let parameters = function.dropFirst(plain.count)
    return ["char16_t**", "wchar_t**", "OLECHAR**", "BSTR*"].contains { parameters.contains($0) }
  }

  private func conclude(
    _ path: CallPath, owner: CallPath.Step, height: Int, _ ownership: inout Ownership
  ) {
    if height == 0 {
      ownership.rule = .in
      ownership.message = "\(name(owner)) allocated a BSTR and did not free it."
      return
    }
    let producer = path.steps[path.steps.count - height]
    ownership.rule = .out
    ownership.producer = paths.frame(producer)
    ownership.message = "Nobody freed what \(name(producer)) returned; \(name(owner)) owned it."
  }

  // MARK: the map

  /// Producer, owner and freeing function of the strings of a pair.
  func parties(of pair: PairRecord) -> (
    producer: OwnershipMap.Party?, owner: OwnershipMap.Party?, freedBy: OwnershipMap.Party?
  ) {
    let history = history(of: pair)
    guard let maker = history.allocated.steps.last, let releaser = history.freed.steps.last else {
      return (nil, nil, nil)
    }
    guard let height = history.height else { return (party(maker), nil, party(releaser)) }
    let steps = history.allocated.steps
    let owner = steps[steps.count - 1 - height]
    return (
      party(height == 0 ? owner : steps[steps.count - height]), party(owner),
      party(history.consumer ?? owner)
    )
  }

  /// Producer and owner of the strings of a stack that nobody freed.
  func parties(
    ofLeak stack: StackID, _ count: Int
  ) -> (producer: OwnershipMap.Party?, owner: OwnershipMap.Party?) {
    let ownership = ownership(ofLeak: stack, leaked: count)
    let owner = ownership.owner.map(party)
    let maker = path(of: stack).steps.last.map(party)
    return (ownership.producer.map(party) ?? (ownership.rule == nil ? maker : owner), owner)
  }

  private func party(_ step: CallPath.Step) -> OwnershipMap.Party { party(paths.frame(step)) }

  private func party(_ frame: Frame) -> OwnershipMap.Party {
    OwnershipMap.Party(
      function: frame.function, module: String(frame.module.split(separator: "/").last ?? "?"))
  }

  // MARK: wrong deallocators

  /// Who should have freed a string rightly that somebody released in another way.
  func ownership(ofWrongRelease event: EventRecord) -> Ownership {
    var ownership = Ownership()
    guard event.allocatedThread == event.detectedThread else { return ownership }
    let (allocated, released) = (path(of: event.allocated), path(of: event.detected))
    guard case .at(let index) = allocated.meeting(with: released) else { return ownership }
    ownership.owner = paths.frame(allocated.steps[index])
    if index + 1 < released.steps.count {
      ownership.consumer = paths.frame(released.steps[index + 1])
    } else {
      ownership.basis = .inferred
      ownership.evidence = "the two stacks"
      ownership.rule = index + 1 == allocated.steps.count ? .in : .out
      if index + 1 < allocated.steps.count {
        ownership.producer = paths.frame(allocated.steps[index + 1])
      }
    }
    return ownership
  }

  // MARK: double frees

  /// Who freed rightly and who did not, of two that freed one string.
  func ownership(ofDoubleFree event: EventRecord) -> Ownership {
    var ownership = Ownership()
    guard event.allocated != .none, event.freed != .none, event.detected != .none else {
      return ownership
    }
    if event.detail == EventDetail.reused.rawValue { return ownership }
    if event.freedThread != event.detectedThread {
      ownership.doubt =
        "It was freed in two threads: which of them had been given it cannot be told from the stacks."
      return ownership
    }
    if event.allocatedThread != event.freedThread {
      ownership.doubt =
        "Its owner is on another stack, that of the thread which allocated it: which of the two frees "
        + "was right cannot be told."
      return ownership
    }
    let (allocated, first, second) = (
      path(of: event.allocated), path(of: event.freed), path(of: event.detected)
    )
    guard case .at(let firstOwner) = allocated.meeting(with: first),
      case .at(let secondOwner) = allocated.meeting(with: second)
    else {
      ownership.doubt = "Which functions the three stacks have in common cannot be told."
      return ownership
    }
    judge(allocated, (first, firstOwner), (second, secondOwner), &ownership)
    return ownership
  }

  private func judge(
    _ allocated: CallPath, _ first: (path: CallPath, owner: Int),
    _ second: (path: CallPath, owner: Int), _ ownership: inout Ownership
  ) {
    func isOwn(_ free: (path: CallPath, owner: Int)) -> Bool {
      free.owner == free.path.steps.count - 1
    }
    let owner = allocated.steps[min(first.owner, second.owner)]
    ownership.owner = paths.frame(owner)
    // One of the frees happened deeper, inside what returned the string to the other's owner.
    if first.owner != second.owner {
      let inner = min(first.owner, second.owner) + 1
      let producer = allocated.steps[inner]
      ownership.producer = paths.frame(producer)
      let order =
        first.owner > second.owner
        ? "\(name(producer)) freed what it returned; \(name(owner)) then freed it again."
        : "\(name(owner)) freed what \(name(producer)) had returned, and \(name(producer)) freed it too."
      return settle(.return, order, &ownership)
    }
    switch (isOwn(first), isOwn(second)) {
    case (true, true):
      settle(.in, "\(name(owner)) freed its own BSTR twice.", &ownership)
    case (false, true):
      let consumer = first.path.steps[first.owner + 1]
      ownership.consumer = paths.frame(consumer)
      if isProducerByType(consumer) {
        return settle(
          .inOut,
          "\(name(consumer)) freed a BSTR that it was given by reference and stored no other; "
            + "\(name(owner)) then freed it again.", &ownership)
      }
      settle(
        .in,
        "\(name(consumer)) freed an argument that it had only borrowed; \(name(owner)) then freed it "
          + "again.", &ownership)
    case (true, false):
      let consumer = second.path.steps[second.owner + 1]
      ownership.consumer = paths.frame(consumer)
      ownership.doubt =
        "\(name(owner)) freed it and \(name(consumer)) freed it later: whether one had kept it without "
        + "a copy, or the other freed what it had given away, cannot be told."
    case (false, false):
      let consumers = (first.path.steps[first.owner + 1], second.path.steps[second.owner + 1])
      if consumers.0.function != nil, consumers.0.function == consumers.1.function {
        ownership.consumer = paths.frame(consumers.0)
        ownership.doubt =
          "\(name(owner)) gave it to \(name(consumers.0)) twice, which freed it each time: whether it "
          + "should have freed it at all cannot be told."
      } else {
        ownership.doubt =
          "\(name(owner)) gave it to \(name(consumers.0)) and to \(name(consumers.1)), and both freed "
          + "it: which of them had been handed it cannot be told."
      }
    }
  }

  private func settle(_ rule: Ownership.Rule, _ message: String, _ ownership: inout Ownership) {
    ownership.rule = rule
    ownership.basis = .inferred
    ownership.evidence = "the three stacks"
    ownership.message = message
  }

  private func name(_ step: CallPath.Step) -> String { paths.frame(step).name }
}
