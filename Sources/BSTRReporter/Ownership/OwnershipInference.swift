// Infers the owner of a string from the stacks that allocated and freed it and its siblings.
// Docs/Ownership.md explains the method. Runs at report time, on frame indices. LeakRules.swift and
// DoubleFreeRules.swift have the rules.

import TraceStore

/// The ownership that follows from the BSTR calls of one process.
struct OwnershipInference {
  let paths: CallPaths
  let wrappers: Wrappers
  /// Functions that free for many callers.
  private let helpers: Set<Int>
  /// The count of strings that each function freed, without those that were freed again.
  private(set) var rightFrees: [Int: Int] = [:]
  /// The fates of strings, by the innermost frame that allocated them.
  private(set) var histories: [Int: [History]] = [:]
  /// Functions that allocated strings which were freed.
  private(set) var productive: Set<Int> = []
  /// Those functions, and those that had called them.
  private(set) var passed: Set<Int> = []
  /// Functions that strings which were freed passed through on their way up to their owner.
  private var returning: Set<Int> = []
  /// Lines that allocated strings which were freed.
  private var productiveLines: Set<SourceLine> = []

  private struct SourceLine: Hashable {
    var file: String
    var line: Int

    init?(_ frame: Frame) {
      guard let file = frame.file, let line = frame.line else { return nil }
      self.file = file
      self.line = line
    }
  }
  /// The count of allocations of the whole process.
  let allocations: UInt64
  /// Whether stacks of frees were recorded; at level leaks they are not.
  let knowsFrees: Bool
  /// Functions that freed in one call what an earlier call of them had made.
  private(set) var replacers: Set<Int> = []

  /// The fate of the strings of one pair of stacks.
  struct History {
    var allocated: CallPath
    var freed: CallPath
    var count: Int
    /// The steps up from the allocation to the owner; `nil` when another thread freed the string,
    /// or the paths do not show it.
    var height: Int?
    /// Whether another thread freed it than had allocated it.
    var crossedThreads: Bool
    /// The function that freed it, below the owner.
    var consumer: CallPath.Step?
    /// The owner.
    var owner: CallPath.Step? {
      height.map { allocated.steps[allocated.steps.count - 1 - $0] }
    }
    /// The paths with their wrappers.
    var whole: (allocated: CallPath, freed: CallPath)
  }

  /// The minimum of callers that makes a freeing function a helper.
  private static let callersOfHelper = 3

  init(_ image: StoreImage, _ resolver: StackResolver, _ wrappers: Wrappers) {
    paths = CallPaths(resolver, image)
    self.wrappers = wrappers
    allocations = image.count(.allocations)
    knowsFrees = image.count(.frees) == 0 || !image.pairs.isEmpty
    let pairs = Self.merged(image.pairs)
    let right = Self.withoutDoubleFrees(pairs, image.events)
    helpers = Self.helpers(in: right, paths, wrappers)
    for pair in right where pair.crossedThreads == 0 {
      let path = paths.path(of: pair.freed)
        .withoutWrappers { Self.isWrapper($0, paths, wrappers) }
      guard let function = path.steps.last?.function else { continue }
      rightFrees[function, default: 0] += Int(clamping: pair.count)
    }
    for pair in pairs {
      let history = history(of: pair)
      guard let innermost = history.allocated.steps.last else { continue }
      histories[innermost.frame, default: []].append(history)
      if let function = innermost.function { productive.insert(function) }
      if let line = SourceLine(paths.frame(innermost)) { productiveLines.insert(line) }
      passed.formUnion(history.whole.allocated.steps.compactMap(\.function))
      if let height = history.height, height > 0 {
        returning.formUnion(history.allocated.steps.suffix(height).compactMap(\.function))
      }
      if let function = replacer(in: history) { replacers.insert(function) }
    }
  }

  /// Returns pairs without stacks left out and equal ones summed up, by their stacks.
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
      // No process frees more; a damaged store may contain any count, and sums must not overflow.
      let most: UInt64 = 1 << 40
      var sum = sums[key] ?? pair
      sum.count = min(most, sums[key].map { $0.count + min(most, pair.count) } ?? pair.count)
      sum.bytes = min(most, sums[key].map { $0.bytes + min(most, pair.bytes) } ?? pair.bytes)
      sums[key] = sum
    }
    return sums.values.sorted {
      ($0.allocated.rawValue, $0.freed.rawValue, $0.crossedThreads)
        < ($1.allocated.rawValue, $1.freed.rawValue, $1.crossedThreads)
    }
  }

  /// Returns the pairs without the strings that were freed again: a wrong free is no example.
  private static func withoutDoubleFrees(
    _ pairs: [PairRecord], _ events: [EventRecord]
  ) -> [PairRecord] {
    struct Key: Hashable {
      var allocated: StackID
      var freed: StackID
    }
    var again: [Key: UInt64] = [:]
    for event in events where event.kind == EventKind.doubleFree.rawValue {
      again[Key(allocated: event.allocated, freed: event.freed), default: 0] += 1
    }
    return pairs.compactMap { pair in
      var pair = pair
      let wrong = again[Key(allocated: pair.allocated, freed: pair.freed)] ?? 0
      pair.count -= min(pair.count, wrong)
      return pair.count > 0 ? pair : nil
    }
  }

  // MARK: paths

  func isWrapper(_ step: CallPath.Step) -> Bool {
    Self.isWrapper(step, paths, wrappers) || step.function.map { helpers.contains($0) } ?? false
  }

  private static func isWrapper(
    _ step: CallPath.Step, _ paths: CallPaths, _ wrappers: Wrappers
  ) -> Bool {
    paths.frame(step).plainName.map { wrappers.isWrapper($0) } ?? false
  }

  func path(of stack: StackID) -> CallPath {
    paths.path(of: stack).withoutWrappers(isWrapper)
  }

  /// Returns the functions that free the strings of several callers, who owned them: helpers.
  private static func helpers(
    in pairs: [PairRecord], _ paths: CallPaths, _ wrappers: Wrappers
  ) -> Set<Int> {
    var owners: [Int: Set<Int>] = [:]
    for pair in pairs where pair.crossedThreads == 0 {
      let freed = paths.path(of: pair.freed).withoutWrappers { isWrapper($0, paths, wrappers) }
      let allocated = paths.path(of: pair.allocated)
      guard freed.steps.count > 1, let last = freed.steps.last?.function,
        let caller = freed.steps[freed.steps.count - 2].function, caller != last,
        // The caller owned it: it was allocated there or below, and not by the function that frees.
        case .at(let index) = allocated.deepestCommonActivation(with: freed),
        index == freed.steps.count - 2
      else { continue }
      owners[last, default: []].insert(caller)
    }
    return Set(owners.filter { $0.value.count >= callersOfHelper }.keys)
  }

  private func history(of pair: PairRecord) -> History {
    let (allocated, freed) = (path(of: pair.allocated), path(of: pair.freed))
    var history = History(
      allocated: allocated, freed: freed, count: Int(clamping: pair.count), height: nil,
      crossedThreads: pair.crossedThreads != 0,
      whole: (paths.path(of: pair.allocated), paths.path(of: pair.freed)))
    if pair.crossedThreads == 0,
      case .at(let index) = allocated.deepestCommonActivation(with: freed)
    {
      history.height = allocated.steps.count - 1 - index
      if index + 1 < freed.steps.count { history.consumer = freed.steps[index + 1] }
    }
    return history
  }

  // MARK: leaks

  /// Strings that were not freed.
  struct Leaked {
    /// The stacks that allocated them, which a reader cannot tell apart.
    var stacks: [StackID]
    /// The count of strings of these stacks that are live, in whichever scope.
    var live: Int
    /// The count of allocations that followed the first of them, others of them included.
    var allocationsAfterFirst: UInt64
    /// The count of those that are one finding.
    var count = 1
    /// What holds a few of these; `nil` where that was not looked for.
    var holders: Holders?
  }

  /// Returns the ownership of strings that were not freed.
  func ownership(of leaked: Leaked) -> Ownership {
    guard let leak = LeakCase(leaked, self) else { return Ownership() }
    var decision = LeakRule.decision(on: leak)?.decision
    if case .uncertain(let reason) = decision {
      decision = HolderRule.decision(on: leak, open: reason)?.decision ?? decision
    }
    var ownership = Ownership(decision, siblings: leak.fateOfSiblings)
    if let owner = ownership.owner { ownership.frees = leak.frees(in: owner) }
    return ownership
  }

  /// Returns whether strings of the same line were freed, whatever the function is called there:
  /// code that was inlined several times has not each time the same name.
  func isFromProductiveLine(_ step: CallPath.Step) -> Bool {
    SourceLine(paths.frame(step)).map { productiveLines.contains($0) } ?? false
  }

  /// Returns whether other strings that passed through the function which seems to return this one
  /// went further up than to it: then this one may be a temporary of its own.
  func returnsFromOtherLines(_ path: CallPath, _ height: Int) -> Bool {
    guard let producer = path.steps[path.steps.count - height].function else { return false }
    return returning.contains(producer)
  }

  // MARK: the map

  /// Returns the frame of the owner of strings that were freed; `nil` where that is uncertain.
  func owner(of pair: PairRecord) -> Frame? { history(of: pair).owner.map { paths.frame($0) } }

  /// Returns producer, owner and freeing function of the strings of a pair.
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

  /// Returns producer and owner of the strings of a stack that were not freed.
  func parties(
    of leaked: Leaked
  ) -> (producer: OwnershipMap.Party?, owner: OwnershipMap.Party?) {
    let ownership = ownership(of: leaked)
    let owner = ownership.owner.map(party)
    let maker = leaked.stacks.first.flatMap { path(of: $0).steps.last }.map(party)
    return (ownership.producer.map(party) ?? (ownership.rule == nil ? maker : owner), owner)
  }

  private func party(_ step: CallPath.Step) -> OwnershipMap.Party { party(paths.frame(step)) }

  private func party(_ frame: Frame) -> OwnershipMap.Party {
    OwnershipMap.Party(function: frame.function, module: frame.moduleName)
  }

  // MARK: wrong deallocators

  /// Returns the ownership of a string that was freed with another function than SysFreeString.
  func ownership(ofWrongRelease event: EventRecord) -> Ownership {
    guard event.allocatedThread == event.detectedThread else { return Ownership() }
    let (allocated, freed) = (path(of: event.allocated), path(of: event.detected))
    guard case .at(let index) = allocated.deepestCommonActivation(with: freed) else {
      return Ownership()
    }
    let owner = paths.frame(allocated.steps[index])
    if index + 1 < freed.steps.count {
      let consumer = paths.frame(freed.steps[index + 1])
      return Ownership(.parties(Ownership.Parties(owner: owner, consumer: consumer)))
    }
    guard index + 1 < allocated.steps.count else {
      return Ownership(.verdict(.ownFreedWrongly(owner: owner), .twoStacks))
    }
    let producer = paths.frame(allocated.steps[index + 1])
    return Ownership(
      .verdict(.resultFreedWrongly(owner: owner, producer: producer), .twoStacks))
  }
}
