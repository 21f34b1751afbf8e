// The strings of a process in the order of their stacks, so that those which came up through one
// call stand together.

import TraceStore

/// Strings of one stack with one fate.
struct Passage {
  /// The path of their allocation, without wrappers.
  var path: CallPath
  /// How they were freed; `nil` where they were not.
  var history: OwnershipInference.History?
  var count: Int

  /// Returns whether they were freed by the step at an index of their path, above it, or in another
  /// thread.
  func isReceived(by index: Int) -> Bool {
    guard let history else { return false }
    return history.height.map { path.steps.count - 1 - $0 <= index } ?? true
  }
}

/// All strings of a process.
struct Passages {
  /// In the order of their paths, from the root down.
  private let all: [Passage]
  /// By the functions that allocated them.
  private let byFunction: [Int: [Int]]
  /// Those that were not freed, by the frames that allocated them.
  private let live: [Int: [Int]]

  /// More together are too many to look at for each leak.
  private static let maxCount = 4096

  /// - Complexity: O(n log n) in the passages.
  init(_ passages: [Passage] = []) {
    all = passages.sorted { Self.order(of: $0.path.steps, to: $1.path.steps[...]) < 0 }
    var byFunction: [Int: [Int]] = [:]
    var live: [Int: [Int]] = [:]
    for (index, passage) in all.enumerated() {
      guard let last = passage.path.steps.last else { continue }
      if let function = last.function { byFunction[function, default: []].append(index) }
      if passage.history == nil { live[last.frame, default: []].append(index) }
    }
    self.byFunction = byFunction
    self.live = live
  }

  /// Returns the strings that came up through the very call that the step at an index made,
  /// wherever they were allocated below it; `nil` where they are too many.
  func through(_ path: CallPath, _ index: Int) -> [Passage]? {
    let start = path.steps.prefix(index + 1)
    func first(where holds: (Int) -> Bool) -> Int {
      var (low, high) = (0, all.count)
      while low < high {
        let middle = (low + high) / 2
        let order = Self.order(of: all[middle].path.steps, to: start, startsOnly: true)
        if holds(order) { high = middle } else { low = middle + 1 }
      }
      return low
    }
    let range = first { $0 >= 0 }..<first { $0 > 0 }
    return range.count <= Self.maxCount ? Array(all[range]) : nil
  }

  /// Returns the strings that a function allocated; `nil` where they are too many.
  func made(by function: Int) -> [Passage]? { passages(byFunction[function] ?? []) }

  /// Returns the strings that were allocated in a frame and not freed; `nil` where they are too
  /// many.
  func live(in frame: Int) -> [Passage]? { passages(live[frame] ?? []) }

  private func passages(_ indices: [Int]) -> [Passage]? {
    indices.count <= Self.maxCount ? indices.map { all[$0] } : nil
  }

  /// Returns a negative number where a path comes before another one, and a positive one behind it.
  ///
  /// - Parameter startsOnly: whether a path that starts with the other one is equal to it.
  private static func order(
    of path: [CallPath.Step], to other: ArraySlice<CallPath.Step>, startsOnly: Bool = false
  ) -> Int {
    for (one, other) in zip(path, other) {
      if one.call != other.call { return one.call.rawValue < other.call.rawValue ? -1 : 1 }
      if one.frame != other.frame { return one.frame < other.frame ? -1 : 1 }
    }
    return path.count < other.count ? -1 : startsOnly || path.count == other.count ? 0 : 1
  }
}
