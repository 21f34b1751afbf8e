// What is known of functions that return strings: by their types, by their names, and by what
// became of others of their strings.

import TraceStore

/// How far up a string was returned, as the contracts of functions say.
struct ReturnContract {
  /// The steps up from the allocation to the function that received it; 0 where nothing is known.
  var height = 0
  /// Whether a function below the producer has no parameter for results: it returns the string as
  /// its value.
  var hasHelper = false
}

extension LeakCase {
  /// The contract of the functions that the string came up through.
  ///
  /// The last of them, the producer, has a parameter for results, or is known by its name. Those
  /// below it have one, or return strings as their values.
  var contract: ReturnContract {
    var contract = ReturnContract()
    var hasHelper = false
    for height in 0..<max(0, path.steps.count - 1) {
      let step = path.steps[path.steps.count - 1 - height]
      if inference.isProducer(step) {
        contract = ReturnContract(height: height + 1, hasHelper: hasHelper)
      } else if inference.returnsString(step) {
        hasHelper = true
      } else {
        break
      }
    }
    return contract
  }

  /// The step that received the string; the allocator where no contract says that it was returned.
  var receiver: CallPath.Step { path.steps[path.steps.count - 1 - contract.height] }

  /// The decision by strings that came up through the very call by which the owner got this one,
  /// and were freed by it; `nil` where they do not decide.
  ///
  /// The type of the producer has room for all of them, each call has made one of each line, and
  /// together they fill parameters. In place of one result that is made in several lines, or beside
  /// it, there may be drafts.
  func returnedTogether() -> Ownership.Decision? {
    let contract = contract
    guard contract.height > 0, !inference.isWrapper(receiver) else { return nil }
    let producer = producer(below: contract.height)
    guard let signature = inference.signature(of: producer), signature.results > 1 else {
      return nil
    }
    var freed = 0
    for stack in leaked.stacks {
      guard let count = freedTogether(inference.path(of: stack), contract.height, signature) else {
        return nil
      }
      freed += count
    }
    return .verdict(verdict(receiver, contract.height), .sameCall(freed))
  }

  /// Returns the count of strings that the owner freed of those which it got in one call with a
  /// leaked one, where they tell that this one, too, was its own.
  private func freedTogether(
    _ path: CallPath, _ height: Int, _ signature: FunctionSignature
  ) -> Int? {
    struct Line {
      var freed = 0
      var live = 0
    }
    let owner = path.steps.count - 1 - height
    var lines: [[FrameWord]: Line] = [:]
    guard let passages = inference.passages.through(path, owner) else { return nil }
    for passage in passages {
      let line = passage.path.steps.dropFirst(owner + 1).map(\.call)
      guard let history = passage.history else {
        lines[line, default: Line()].live += passage.count
        continue
      }
      guard let freedAt = history.height else { return nil }
      let depth = passage.path.steps.count - 1 - freedAt
      // What is freed further down was no result.
      if depth > owner { continue }
      guard depth == owner, history.consumer == nil else { return nil }
      lines[line, default: Line()].freed += passage.count
    }
    let own = lines[path.steps.suffix(height).map(\.call)] ?? Line()
    let alike = lines.values.filter { $0.freed + $0.live == own.live }
    guard own.freed == 0, own.live > 0, lines.count <= signature.results,
      signature.fills(alike.count)
    else { return nil }
    let freed = alike.reduce(0) { $0 + $1.freed }
    return freed > 0 ? freed : nil
  }

  /// The decision by the contract of the producer; `nil` where it does not decide.
  ///
  /// Who received this one got no other string by that call that it freed: where it frees some,
  /// this may be a draft of the producer's.
  ///
  /// - Parameter hasOthers: whether other strings of the producer were freed by who received them.
  func returnedByContract(hasOthers: Bool) -> Ownership.Decision? {
    let contract = contract
    guard contract.height > 0, !inference.isWrapper(receiver) else { return nil }
    let producer = producer(below: contract.height)
    let others = producer.function.flatMap { inference.handlings[$0] }?.returned ?? 0
    guard (others > 0) == hasOthers else { return nil }
    for stack in leaked.stacks {
      let path = inference.path(of: stack)
      guard isReturnedAlone(path, contract.height, contract.hasHelper) else { return nil }
    }
    if mayBeDraftElsewhere(contract.height) { return nil }
    let isTyped = inference.isProducerByType(producer)
    return .verdict(
      returned(by: frame(producer), to: receiver),
      others > 0 ? .otherResults(others) : isTyped ? .parameterType : .producerName)
  }

  /// The decision by the name of the wrapper that made the string, as far as that returns strings.
  func returnedByWrapper() -> Ownership.Decision? {
    guard contract.height == 0, let stack = leaked.stacks.first else { return nil }
    let whole = inference.paths.path(of: stack).steps
    guard whole.count > path.steps.count, let name = frame(whole[path.steps.count]).plainName,
      inference.producers.isProducer(name)
    else { return nil }
    return .verdict(
      returned(by: frame(whole[path.steps.count]), to: allocator), .producerName)
  }

  /// Returns whether none of the strings that came up through one call was freed by who received
  /// them, or further up.
  private func isReturnedAlone(_ path: CallPath, _ height: Int, _ hasHelper: Bool) -> Bool {
    let owner = path.steps.count - 1 - height
    guard let passages = inference.passages.through(path, owner) else { return false }
    return passages.allSatisfy { passage in
      if passage.isReceived(by: owner) { return false }
      // Beside what a helper returns, a result may be made: then the helper's was kept, or a draft.
      guard hasHelper, passage.history == nil else { return true }
      return passage.path.steps.count > owner + 2
        && passage.path.steps[owner + 1] == path.steps[owner + 1]
        && passage.path.steps[owner + 1].call == path.steps[owner + 1].call
    }
  }

  /// Returns whether strings of the same line were left behind by calls of which other strings were
  /// freed by who received them.
  private func mayBeDraftElsewhere(_ height: Int) -> Bool {
    guard let others = inference.passages.live(in: allocator.frame) else { return true }
    // By many stacks the calls are few.
    var calls: Set<[FrameWord]> = []
    return others.contains { other in
      let index = other.path.steps.count - 1 - height
      guard index >= 0, calls.insert(other.path.steps[...index].map(\.call)).inserted else {
        return false
      }
      guard let passages = inference.passages.through(other.path, index) else { return true }
      return passages.contains { $0.isReceived(by: index) }
    }
  }

  /// Returns the verdict on who received a result: one that may return it in its turn was to do
  /// either.
  private func returned(by producer: Frame, to owner: CallPath.Step) -> Verdict {
    let signature = inference.signature(of: owner)
    let mayReturn =
      owner != path.steps.first && frame(owner).plainName != "main"
      && (signature == nil || signature?.returnsString == true)
    return mayReturn
      ? .resultNotFreedOrReturned(owner: frame(owner), producer: producer)
      : .resultNotFreed(owner: frame(owner), producer: producer)
  }

  /// The decision by a function that is given the strings by reference, frees most of them and
  /// stores others; `nil` where it does not decide.
  ///
  /// It stored one for each string of the owner's, those that were not freed included: they were
  /// given to it, too.
  func replacedByCallee(_ majority: Majority) -> Ownership.Decision? {
    let depth = path.steps.count - 1 - majority.height
    guard isSameStack, majority.count == total, let callee = siblings.first?.consumer,
      inference.signature(of: callee)?.takesStringByReference == true
    else { return nil }
    var stored: [FrameWord: Int] = [:]
    for sibling in siblings {
      guard let consumer = sibling.consumer, consumer.function == callee.function else {
        return nil
      }
      let call = sibling.freed.steps[depth].call
      if stored[call] != nil { continue }
      guard let results = inference.passages.through(sibling.freed, depth) else { return nil }
      for result in results where result.path.steps.count > depth + 1 {
        guard result.path.steps[depth + 1].function == callee.function else { continue }
        // All that it stored were the owner's.
        guard let history = result.history, let height = history.height, history.consumer == nil,
          result.path.steps.count - 1 - height == depth
        else { return nil }
        stored[call, default: 0] += result.count
      }
    }
    guard stored.values.reduce(0, +) == total + leaked.live else { return nil }
    return .verdict(
      .replacedByCallee(owner: frame(majority.owner), consumer: frame(callee)),
      .siblings(majority.count, of: total))
  }
}
