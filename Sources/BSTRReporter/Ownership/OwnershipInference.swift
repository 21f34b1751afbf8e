// Infers who owned a string from the stacks that allocated and freed it and its siblings. Docs/
// Ownership.md explains the method. Works at report time, from stack numbers.

import TraceStore

/// What the traffic of one process says of who owns what.
struct OwnershipInference {
  let paths: CallPaths
  private let wrappers: Wrappers
  /// Functions that free for many callers.
  private let helpers: Set<Int>
  /// How many strings a function freed that nobody freed again.
  private(set) var rightFrees: [Int: Int] = [:]
  /// What became of strings, by the innermost frame that allocated them.
  private var histories: [Int: [History]] = [:]
  /// Functions that allocated strings which were freed.
  private var productive: Set<Int> = []
  /// The same, and those that had called them.
  private var passed: Set<Int> = []
  /// Lines in which strings were allocated that were freed.
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
  /// Allocations of the whole process.
  let allocations: UInt64
  /// Whether it was recorded where strings were freed; at level leaks it is not.
  private let knowsFrees: Bool
  /// Functions that freed in one call what an earlier call of them had made.
  private(set) var replacers: Set<Int> = []

  /// What became of the strings of one pair of stacks.
  struct History {
    var allocated: CallPath
    var freed: CallPath
    var count: Int
    /// How many steps the string went up from where it was allocated to who owned it; `nil` when it
    /// was freed in another thread, or that cannot be told.
    var height: Int?
    /// Whether another thread freed it than had allocated it.
    var crossedThreads: Bool
    /// Who freed it, below the owner.
    var consumer: CallPath.Step?
    /// Who owned it.
    var owner: CallPath.Step? {
      height.map { allocated.steps[allocated.steps.count - 1 - $0] }
    }
    /// The paths with their wrappers.
    var whole: (allocated: CallPath, freed: CallPath)
  }

  /// How sure a majority must be.
  private static let decisive = 0.75
  /// Callers that make a freeing function a helper.
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
      if let function = replacer(in: history) { replacers.insert(function) }
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

  /// The pairs without the strings that were freed again: who frees wrongly is no example.
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

  private func isWrapper(_ step: CallPath.Step) -> Bool {
    Self.isWrapper(step, paths, wrappers) || step.function.map { helpers.contains($0) } ?? false
  }

  private static func isWrapper(
    _ step: CallPath.Step, _ paths: CallPaths, _ wrappers: Wrappers
  ) -> Bool {
    paths.frame(step).plainName.map { wrappers.contain($0) } ?? false
  }

  func path(of stack: StackID) -> CallPath {
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
      allocated: allocated, freed: freed, count: Int(clamping: pair.count), height: nil,
      crossedThreads: pair.crossedThreads != 0,
      whole: (paths.path(of: pair.allocated), paths.path(of: pair.freed)))
    if pair.crossedThreads == 0, case .at(let index) = allocated.meeting(with: freed) {
      history.height = allocated.steps.count - 1 - index
      if index + 1 < freed.steps.count { history.consumer = freed.steps[index + 1] }
    }
    return history
  }

  // MARK: leaks

  /// Strings that nobody freed.
  struct Leaked {
    /// Where they were allocated: stacks that a reader cannot tell apart.
    var stacks: [StackID]
    /// How many strings of these stacks are live, in whichever scope.
    var live: Int
    /// How many allocations followed the first of them, others of them included.
    var allocationsAfterFirst: UInt64
  }

  /// Who should have freed strings that nobody did.
  func ownership(of leaked: Leaked) -> Ownership {
    guard let stack = leaked.stacks.first, let innermost = path(of: stack).steps.last else {
      return Ownership()
    }
    let path = path(of: stack)
    let like = histories[innermost.frame] ?? []
    let same = like.filter { $0.allocated.steps == path.steps }
    var ownership = Ownership()
    ownership.siblings = siblings(same, live: leaked.live)
    let evidence = same.isEmpty ? like.filter { Self.isAlike($0, path) } : same
    if !evidence.isEmpty {
      decide(from: evidence, isSame: !same.isEmpty, leaked, path, &ownership)
    } else if !like.isEmpty || isFromProductiveLine(innermost) {
      ownership.doubt =
        "Others from this line were freed, which other calls had made: who was to free this one cannot be told."
    } else if let function = innermost.function, productive.contains(function) {
      ownership.doubt =
        "Other strings of \(name(innermost)) were freed, and never one from this line: who was to "
        + "free it cannot be told."
    } else {
      decideFromShape(of: path, &ownership)
    }
    return ownership
  }

  /// Whether strings of the same line were freed, whatever the function is called there: what was inlined
  /// several times has not each time the same name.
  private func isFromProductiveLine(_ step: CallPath.Step) -> Bool {
    SourceLine(paths.frame(step)).map { productiveLines.contains($0) } ?? false
  }

  /// What became of the strings of the same stack; `nil` where none was freed.
  private func siblings(_ same: [History], live: Int) -> Ownership.Siblings? {
    // A function that nothing names is as many as it has lines.
    struct Party: Hashable {
      var function: Int?
      var frame: Int?
    }
    var freed: [Party: (count: Int, frames: Set<Int>)] = [:]
    for history in same {
      guard let last = history.freed.steps.last else { continue }
      let party = Party(function: last.function, frame: last.function == nil ? last.frame : nil)
      freed[party, default: (0, [])].count += history.count
      freed[party, default: (0, [])].frames.insert(last.frame)
    }
    // Of two that freed as many, the first by name.
    let most = freed.values.max { one, other in
      (one.count, -(one.frames.min() ?? 0)) < (other.count, -(other.frames.min() ?? 0))
    }
    guard let most, let frame = most.frames.min() else { return nil }
    return Ownership.Siblings(
      freed: most.count, total: same.reduce(live) { $0 + $1.count },
      freedBy: paths.frame(number: frame), isOneLine: most.frames.count == 1)
  }

  /// Whether the string came up through the same functions, to whichever caller.
  private static func isAlike(_ history: History, _ path: CallPath) -> Bool {
    guard let height = history.height, height < path.steps.count else { return false }
    let (one, other) = (history.allocated.steps.suffix(height), path.steps.suffix(height))
    return zip(one, other).allSatisfy { $0.function != nil && $0.function == $1.function }
  }

  private func decide(
    from evidence: [History], isSame: Bool, _ leaked: Leaked, _ path: CallPath,
    _ ownership: inout Ownership
  ) {
    let all = evidence.reduce(0) { $0 + $1.count }
    var counts: [Int: Int] = [:]
    for history in evidence {
      if let height = history.height { counts[height, default: 0] += history.count }
    }
    let best = counts.max { ($0.value, -$0.key) < ($1.value, -$1.key) }
    guard let (height, count) = best, Double(count) >= Self.decisive * Double(all) else {
      let crossed = evidence.filter(\.crossedThreads).reduce(0) { $0 + $1.count }
      ownership.doubt =
        crossed * 2 >= all
        ? "Its siblings were freed on another stack, that of another thread: they were passed on, and "
          + "this one got lost on the way."
        : "Its siblings were freed at different levels: who was to free this one cannot be told."
      return
    }
    guard height < path.steps.count else { return }
    let owner = path.steps[path.steps.count - 1 - height]
    if let replacer = replacer(among: evidence, height, path, leaked) {
      ownership.doubt = replaced(by: replacer)
      return
    }
    ownership.owner = paths.frame(owner)
    let consumers = evidence.filter { $0.height == height && $0.consumer != nil }
    let consumed = consumers.reduce(0) { $0 + $1.count }
    if Double(consumed) >= Self.decisive * Double(all),
      let consumer = consumers.max(by: { $0.count < $1.count })?.consumer
    {
      ownership.consumer = paths.frame(consumer)
      ownership.doubt =
        isSame
        ? "\(name(owner)) usually hands such strings to \(name(consumer)), which frees them; which of "
          + "the two missed this one cannot be told."
        : "Others that get such strings hand them to \(name(consumer)), which frees them; whether "
          + "\(name(owner)) was to do so, too, cannot be told."
      return
    }
    guard consumed == 0 || Double(consumed) <= (1 - Self.decisive) * Double(all) else {
      ownership.doubt =
        isSame
        ? "Its siblings were freed by \(name(owner)) and by what it calls: who was to "
          + "free this one cannot be told."
        : freedInSeveralWays(evidence, height)
      return
    }
    if let keeper = keeper(of: evidence, path) ?? (isWrapper(owner) ? owner : nil) {
      ownership.owner = nil
      ownership.doubt =
        "It belongs to an object, as \(name(keeper)) shows: either that was not ended, or it lost the string."
      return
    }
    if isDraft(leaked.stacks, among: evidence, height) {
      let producer = path.steps[path.steps.count - max(1, height)]
      ownership.owner = nil
      ownership.producer = height > 0 ? paths.frame(producer) : nil
      ownership.doubt = drafted(by: producer, isReturned: height > 0)
      return
    }
    if isSame, let doubt = passedOn(evidence, from: owner, height) {
      ownership.owner = nil
      ownership.doubt = doubt
      return
    }
    ownership.basis = .inferred
    ownership.evidence =
      (count < all ? "\(count) of " : "") + (all == 1 ? "1 sibling" : "\(all) siblings")
    conclude(path, owner: owner, height: height, &ownership)
    if height > 0, !isSame, owner != path.steps.first,
      !isProducerByType(path.steps[path.steps.count - height])
    {
      ownership.message =
        "Nobody freed what \(name(path.steps[path.steps.count - height])) returned; \(name(owner)) received "
        + "it, and was to free it or to return it."
    }
  }

  /// The doubt where some strings of the same stack were freed after the activation of their likely owner, or by
  /// another thread: it kept or passed them on, and may have done so with this one.
  ///
  /// - Parameter height: how many steps the strings went up to that owner.
  private func passedOn(
    _ evidence: [History], from owner: CallPath.Step, _ height: Int
  ) -> String? {
    let later = evidence.filter { $0.crossedThreads || ($0.height ?? 0) > height }
    let count = later.reduce(0) { $0 + $1.count }
    guard count > 0 else { return nil }
    let freeing = later.compactMap(\.freed.steps.last).map { name($0) }.min()
    return
      "Most of its siblings were freed while \(name(owner)) ran, and \(count) later or in another thread"
      + (freeing.map { ", as by \($0)" } ?? "")
      + ": whether this one, too, was kept or passed on cannot be told."
  }

  /// Who freed strings that had come up to other owners than this one: some themselves, for some what they
  /// called.
  private func freedInSeveralWays(_ evidence: [History], _ height: Int) -> String {
    var owners: Set<String> = []
    var consumers: Set<String> = []
    for history in evidence where history.height == height {
      if let consumer = history.consumer {
        consumers.insert(name(consumer))
      } else if let last = history.freed.steps.last {
        owners.insert(name(last))
      }
    }
    return
      "Its siblings were freed by who received them, as \(owners.sorted().first ?? "?") did, and by what "
      + "such functions call, as \(consumers.sorted().first ?? "?"): who was to free this one cannot be told."
  }

  /// The destructor that freed most of the siblings, of a class that had made them itself.
  ///
  /// Strings' own wrappers are none: they end where their holders do.
  private func keeper(of evidence: [History], _ path: CallPath) -> CallPath.Step? {
    var counts: [CallPath.Step: Int] = [:]
    for history in evidence {
      guard let last = history.whole.freed.steps.last, let name = paths.frame(last).plainName,
        !wrappers.isKnown(name), let destroyed = paths.destroyedClass(last),
        paths.classes(on: history.whole.allocated).contains(destroyed)
      else { continue }
      counts[last, default: 0] += history.count
    }
    let all = evidence.reduce(0) { $0 + $1.count }
    return counts.first { Double($0.value) >= Self.decisive * Double(all) }?.key
  }

  /// Without any history: what the stack alone says.
  private func decideFromShape(of path: CallPath, _ ownership: inout Ownership) {
    var height = 0
    while height + 1 < path.steps.count, isProducerByType(path.steps[path.steps.count - 1 - height])
    {
      height += 1
    }
    let owner = path.steps[path.steps.count - 1 - height]
    if isWrapper(owner), path.steps.count > 1 {
      ownership.doubt =
        "\(name(owner)) keeps it in an object: whoever was to end that is not on this stack."
    } else if height > 0, !returnsFromOtherLines(path, height) {
      ownership.basis = .inferred
      ownership.evidence = "the parameter's type"
      ownership.owner = paths.frame(owner)
      conclude(path, owner: owner, height: height, &ownership)
    } else if path.isComplete, path.steps.count == 1 {
      ownership.basis = .inferred
      ownership.evidence = "its having no caller"
      ownership.owner = paths.frame(owner)
      conclude(path, owner: owner, height: 0, &ownership)
    } else if let function = owner.function, passed.contains(function) {
      ownership.doubt =
        "Other strings that came through \(name(owner)) were freed, and never one from this line: who was "
        + "to free it cannot be told."
    } else if !knowsFrees {
      ownership.doubt =
        "Where strings were freed was not recorded: whether \(name(owner)) was to free this one or to return "
        + "it cannot be told."
    } else {
      ownership.doubt =
        "No string of \(name(owner)) was ever freed: whether it was to free them or to return them "
        + "cannot be told."
    }
  }

  /// Whether a function's type says that it returns a BSTR through a pointer.
  func isProducerByType(_ step: CallPath.Step) -> Bool {
    guard let function = paths.frame(step).function, let plain = paths.frame(step).plainName,
      function.count > plain.count
    else { return false }
    // An [out,retval] parameter is the last one; in front of others a pointer may be to an array.
    var parameters = function.dropFirst(plain.count)
    while parameters.last == ")" || parameters.hasSuffix(" const") || parameters.last == "&" {
      parameters = parameters.hasSuffix(" const") ? parameters.dropLast(6) : parameters.dropLast()
    }
    return ["char16_t**", "wchar_t**", "OLECHAR**", "BSTR*"].contains { parameters.hasSuffix($0) }
  }

  /// Whether other strings that passed through the function which seems to return this one went further up
  /// than to it: then this one may be a temporary of its own.
  private func returnsFromOtherLines(_ path: CallPath, _ height: Int) -> Bool {
    guard let producer = path.steps[path.steps.count - height].function else { return false }
    return histories.values.joined().contains { history in
      guard let height = history.height, height > 0 else { return false }
      return history.allocated.steps.suffix(height).contains { $0.function == producer }
    }
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
    of leaked: Leaked
  ) -> (producer: OwnershipMap.Party?, owner: OwnershipMap.Party?) {
    let ownership = ownership(of: leaked)
    let owner = ownership.owner.map(party)
    let maker = leaked.stacks.first.flatMap { path(of: $0).steps.last }.map(party)
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

  func name(_ step: CallPath.Step) -> String { paths.frame(step).name }
}
