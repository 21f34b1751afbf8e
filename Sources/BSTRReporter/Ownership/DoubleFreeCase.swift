// The input of the rules for double frees: the stacks of one allocation and two frees.

import TraceStore

/// Two frees of one string.
struct DoubleFreeCase {
  /// The facts on all strings of the process.
  let inference: OwnershipInference
  /// The second free, with the stacks of the first one and of the allocation.
  let event: EventRecord
  /// The stacks, where each free has an activation in common with the allocation.
  let stacks: Stacks?

  /// The stacks of an allocation and two frees of one thread.
  struct Stacks {
    let inference: OwnershipInference
    /// The path of the allocation, without wrappers.
    let allocated: CallPath
    /// The same, with them.
    let whole: CallPath
    let first: Free
    let second: Free
  }

  /// One of the two frees.
  struct Free {
    /// The path of the free, without wrappers.
    let path: CallPath
    /// The same, with them.
    let whole: CallPath
    /// The owner by this free, as an index into the path of the allocation.
    let owner: Int

    /// Whether the owner freed it, itself or through wrappers.
    var isOwn: Bool { owner == path.steps.count - 1 }
    /// The callee that freed it for the owner; `nil` where the owner did.
    var consumer: CallPath.Step? { isOwn ? nil : path.steps[owner + 1] }
  }

  /// Returns `nil` where a stack was not recorded, or the address was an earlier string's: which of
  /// the strings was meant is then not certain.
  init?(_ event: EventRecord, _ inference: OwnershipInference) {
    guard event.allocated != .none, event.freed != .none, event.detected != .none,
      event.detail != EventDetail.reused.rawValue
    else { return nil }
    self.event = event
    self.inference = inference
    let isOneThread =
      event.freedThread == event.detectedThread && event.allocatedThread == event.freedThread
    stacks = isOneThread ? Stacks(event, inference) : nil
  }
}

extension DoubleFreeCase.Stacks {
  fileprivate init?(_ event: EventRecord, _ inference: OwnershipInference) {
    let (allocated, first, second) = (
      inference.path(of: event.allocated), inference.path(of: event.freed),
      inference.path(of: event.detected)
    )
    guard case .at(let firstOwner) = allocated.deepestCommonActivation(with: first),
      case .at(let secondOwner) = allocated.deepestCommonActivation(with: second)
    else { return nil }
    self.inference = inference
    self.allocated = allocated
    whole = inference.paths.path(of: event.allocated)
    self.first = DoubleFreeCase.Free(
      path: first, whole: inference.paths.path(of: event.freed), owner: firstOwner)
    self.second = DoubleFreeCase.Free(
      path: second, whole: inference.paths.path(of: event.detected), owner: secondOwner)
  }

  /// The free that is deeper in the stack, and the other one.
  var byDepth: (inner: DoubleFreeCase.Free, outer: DoubleFreeCase.Free) {
    first.owner > second.owner ? (first, second) : (second, first)
  }

  /// The activation that owned the string by both frees, or the outer one where they differ.
  var owner: CallPath.Step { allocated.steps[min(first.owner, second.owner)] }

  func frame(_ step: CallPath.Step) -> Frame { inference.paths.frame(step) }

  /// Returns the function that freed; `nil` where nothing is known of its stack.
  func freeing(_ free: DoubleFreeCase.Free) -> Frame? {
    (free.path.steps.last ?? free.whole.steps.last).map(frame)
  }

  /// Returns the count of strings that a function freed and that were not freed again.
  func rightFrees(of step: CallPath.Step) -> Int {
    step.function.flatMap { inference.rightFrees[$0] } ?? 0
  }

  /// Returns whether a function may have been given the string: one whose type is known to have no
  /// parameters was not.
  func mayTakeString(_ step: CallPath.Step) -> Bool {
    guard let function = frame(step).function, let plain = frame(step).plainName else {
      return true
    }
    return !function.dropFirst(plain.count).hasPrefix("()")
  }

  /// The function that may have returned one string to two calls of the function that freed it, or
  /// twice to one: it had returned the string to that function, which freed it twice.
  var repeatedProducer: CallPath.Step? {
    let receiver = max(first.owner, second.owner)
    guard receiver + 1 < allocated.steps.count,
      let function = allocated.steps[receiver].function,
      first.path.steps.last?.function == function, second.path.steps.last?.function == function
    else { return nil }
    return allocated.steps[receiver + 1]
  }

  /// Whether two consumers of one owner are two calls for certain; otherwise they may be one.
  var areTwoCalls: Bool {
    first.path.makesAnotherCall(than: second.path, at: first.owner)
      || first.path.steps[first.owner].frame != second.path.steps[second.owner].frame
  }

  /// A destructor among the two functions that freed the string, of a class that had allocated it
  /// itself: it had the right to free it.
  var keeper: CallPath.Step? {
    let makers = inference.paths.classes(on: whole)
    return [first, second].compactMap(\.whole.steps.last).first { step in
      inference.paths.destroyedClass(step).map { makers.contains($0) } ?? false
    }
  }
}

extension OwnershipInference {
  /// Returns the ownership of a string that was freed twice.
  func ownership(ofDoubleFree event: EventRecord) -> Ownership {
    guard let doubleFree = DoubleFreeCase(event, self) else { return Ownership() }
    return Ownership(DoubleFreeRule.decision(on: doubleFree)?.decision)
  }
}
