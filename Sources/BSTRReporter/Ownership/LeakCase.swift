// The input of the rules for leaks: strings of one stack that were not freed, and the fate of their
// siblings.

/// Leaked strings and the evidence on them.
struct LeakCase {
  typealias History = OwnershipInference.History

  /// The facts on all strings of the process.
  let inference: OwnershipInference
  /// The strings.
  let leaked: OwnershipInference.Leaked
  /// The path of the first one's allocation, without wrappers; has a step.
  let path: CallPath
  /// The step that allocated it.
  let allocator: CallPath.Step
  /// The fates of strings of the same line.
  let ofLine: [History]
  /// The fates of strings of the same stack.
  let ofStack: [History]
  /// The freed strings to infer from: those of the same stack, or else those that came up from the
  /// same line through the same functions.
  let siblings: [History]
  /// The count of siblings.
  let total: Int
  /// The function that freed three quarters of the siblings; `nil` where they disagree or there are
  /// none.
  let majority: Majority?

  /// The height and count that most siblings have in common.
  struct Majority {
    /// The height: steps up from the allocation.
    var height: Int
    /// The count of those siblings.
    var count: Int
    /// The step of the leaked string at that height.
    var owner: CallPath.Step
  }

  /// The fraction of siblings that must agree.
  private static let decisive = 0.75

  /// `nil` where no frame of the stack is known.
  init?(_ leaked: OwnershipInference.Leaked, _ inference: OwnershipInference) {
    guard let stack = leaked.stacks.first else { return nil }
    let path = inference.path(of: stack)
    guard let allocator = path.steps.last else { return nil }
    self.inference = inference
    self.leaked = leaked
    self.path = path
    self.allocator = allocator
    ofLine = inference.histories[allocator.frame] ?? []
    ofStack = ofLine.filter { $0.allocated.steps == path.steps }
    siblings = ofStack.isEmpty ? ofLine.filter { Self.isAlike($0, path) } : ofStack
    total = siblings.reduce(0) { $0 + $1.count }
    majority = Self.majority(of: siblings, total, path)
  }

  /// Whether the siblings are of the very stack, and not of other callers.
  var isSameStack: Bool { !ofStack.isEmpty }

  /// Returns whether a count of strings is enough of the siblings to decide.
  func isDecisive(_ count: Int) -> Bool { Double(count) >= Self.decisive * Double(total) }

  /// Returns whether a count of strings is negligible beside the other siblings.
  func isNegligible(_ count: Int) -> Bool {
    count == 0 || Double(count) <= (1 - Self.decisive) * Double(total)
  }

  /// Returns the siblings at the height of most.
  func agreeing(_ majority: Majority) -> [History] {
    siblings.filter { $0.height == majority.height }
  }

  func frame(_ step: CallPath.Step) -> Frame { inference.paths.frame(step) }

  /// Returns the step at a height: that many up from the allocation.
  func step(at height: Int) -> CallPath.Step { path.steps[path.steps.count - 1 - height] }

  /// Returns the step that returned the string to the one at a height.
  func producer(below height: Int) -> CallPath.Step { step(at: height - 1) }

  /// Returns the verdict on the owner at a height.
  func verdict(_ owner: CallPath.Step, _ height: Int) -> Verdict {
    height == 0
      ? .ownNotFreed(owner: frame(owner))
      : .resultNotFreed(owner: frame(owner), producer: frame(producer(below: height)))
  }

  /// Returns the verdict on the one at a height that received a result, and that may have been to
  /// return it in its turn, if anything called it.
  func verdictOnReceiver(_ owner: CallPath.Step, _ height: Int) -> Verdict {
    owner == path.steps.first
      ? verdict(owner, height)
      : .resultNotFreedOrReturned(
        owner: frame(owner), producer: frame(producer(below: height)))
  }

  /// Returns whether a string came up through the same functions, to whichever caller.
  private static func isAlike(_ history: History, _ path: CallPath) -> Bool {
    guard let height = history.height, height < path.steps.count else { return false }
    let (one, other) = (history.allocated.steps.suffix(height), path.steps.suffix(height))
    return zip(one, other).allSatisfy { $0.function != nil && $0.function == $1.function }
  }

  private static func majority(
    of siblings: [History], _ total: Int, _ path: CallPath
  ) -> Majority? {
    var counts: [Int: Int] = [:]
    for history in siblings {
      if let height = history.height { counts[height, default: 0] += history.count }
    }
    let best = counts.max { ($0.value, -$0.key) < ($1.value, -$1.key) }
    guard let (height, count) = best, Double(count) >= decisive * Double(total),
      height < path.steps.count
    else { return nil }
    return Majority(
      height: height, count: count, owner: path.steps[path.steps.count - 1 - height])
  }

  /// Returns the fates of the strings of the same stack; `nil` where none was freed.
  var fateOfSiblings: Ownership.Siblings? {
    // A function that nothing names counts once for each of its lines.
    struct Party: Hashable {
      var function: Int?
      var frame: Int?
    }
    var freed: [Party: (count: Int, frames: Set<Int>)] = [:]
    for history in ofStack {
      guard let last = history.freed.steps.last else { continue }
      let party = Party(function: last.function, frame: last.function == nil ? last.frame : nil)
      freed[party, default: (0, [])].count += history.count
      freed[party, default: (0, [])].frames.insert(last.frame)
    }
    // Of two functions with the same count, the first by name.
    let most = freed.values.max { one, other in
      (one.count, -(one.frames.min() ?? 0)) < (other.count, -(other.frames.min() ?? 0))
    }
    guard let most, let frame = most.frames.min() else { return nil }
    return Ownership.Siblings(
      freed: most.count, total: ofStack.reduce(leaked.live) { $0 + $1.count },
      freedBy: inference.paths.frame(at: frame), isOneLine: most.frames.count == 1)
  }

  /// Returns the frames of the owner's function from which siblings were freed, each line once.
  func frees(in owner: Frame) -> [Frame] {
    guard let majority, frame(majority.owner) == owner else { return [] }
    var lines: [Int: Frame] = [:]
    for history in agreeing(majority) {
      // The owner's activation is on both paths, at one depth.
      let depth = history.allocated.steps.count - 1 - majority.height
      guard history.freed.steps.indices.contains(depth) else { continue }
      let freeing = frame(history.freed.steps[depth])
      if freeing.function == owner.function, freeing.module == owner.module,
        freeing.file == owner.file, let line = freeing.line
      {
        lines[line] = freeing
      }
    }
    return lines.sorted { $0.key < $1.key }.map(\.value)
  }

  // MARK: without siblings

  /// The height to which functions return strings, by their types or names.
  ///
  /// One function may return what it made in any such way; behind it only those count that pass on
  /// what they receive.
  var heightByType: Int {
    func signature(at height: Int) -> Signature { inference.signature(of: step(at: height)) }
    guard path.steps.count > 1, signature(at: 0).returnsStrings || signature(at: 0).isKnown else {
      return 0
    }
    var height = 1
    while height + 1 < path.steps.count, signature(at: height).passesOn { height += 1 }
    return height
  }

  /// The step that receives what functions return by their types or names.
  var ownerByType: CallPath.Step { step(at: heightByType) }
}
