// The strings that came up through each call of a function: freed by its caller, or still live.

import TraceStore

/// The strings that functions returned to their callers, by the calls.
struct CallResults {
  /// A call of one function by another, from one address.
  struct Call: Hashable {
    /// The caller's function and line.
    private let caller: Int
    private let address: FrameWord
    /// The function that was called.
    let callee: Int

    /// Creates the call that a step of a path made; `nil` where it made none, or nothing names what
    /// was called.
    init?(_ path: CallPath, by index: Int) {
      guard path.steps.indices.contains(index + 1), let callee = path.steps[index + 1].function
      else { return nil }
      caller = path.steps[index].frame
      address = path.steps[index].call
      self.callee = callee
    }
  }

  /// A line of the function that was called, and the call of it there.
  struct Site: Hashable {
    let frame: Int
    let address: FrameWord

    init(_ step: CallPath.Step) {
      frame = step.frame
      address = step.call
    }
  }

  /// The strings of one call.
  struct Results {
    /// Those that the caller owned, and that were freed.
    var freed: [OwnershipInference.History] = []
    /// The counts of those that are live.
    var left: [Site: Int] = [:]
  }

  private var results: [Call: Results] = [:]
  /// Functions that owned strings which were freed, or may have: it is uncertain who owned one that
  /// another thread freed.
  private(set) var owners: Set<Int> = []

  /// Returns the strings of a call; `nil` where its caller owned none that was freed.
  func results(of call: Call) -> Results? { results[call] }

  /// Adds strings that were freed to those of the call through which their owner got them.
  mutating func add(freed history: OwnershipInference.History) {
    guard let owner = history.owner, let height = history.height else {
      owners.formUnion(history.allocated.steps.compactMap(\.function))
      return
    }
    if let function = owner.function { owners.insert(function) }
    let index = history.allocated.steps.count - 1 - height
    if let call = Call(history.allocated, by: index) {
      results[call, default: Results()].freed.append(history)
    }
  }

  /// Adds live strings to those of each call through which they may have come up, after all that
  /// were freed.
  mutating func add(left path: CallPath, _ count: Int) {
    for index in path.steps.indices {
      guard let call = Call(path, by: index), results[call] != nil else { continue }
      results[call]?.left[Site(path.steps[index + 1]), default: 0] += count
    }
  }
}
