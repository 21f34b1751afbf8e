// Strings that came up through one call: some that the caller freed, and those that it did not.

import TraceStore

extension LeakCase {
  /// Strings that came up through the very call through which the leaked ones came, and that the
  /// caller freed.
  struct Company {
    /// The steps up from the leaked strings' allocation to the caller.
    var height: Int
    /// The count of those strings.
    var count: Int
  }

  /// The strings that show the leaked ones to be further results of one call; `nil` where there are
  /// none, or the leaked ones may be drafts of the function that was called.
  var company: Company? {
    for height in 1..<path.steps.count {
      let index = path.steps.count - 1 - height
      guard let call = CallResults.Call(path, by: index),
        let results = inference.calls.results(of: call)
      else { continue }
      let company = Company(
        height: height, count: results.freed.reduce(0) { $0 + $1.count })
      return callerOwnsAll(of: call, results, index) && areResults(results, index)
        ? company : nil
    }
    return nil
  }

  /// Returns whether the caller owns what it receives, by all that is known of the function that it
  /// called: from whichever line, nothing ended in that, and the caller freed itself.
  private func callerOwnsAll(
    of call: CallResults.Call, _ results: CallResults.Results, _ index: Int
  ) -> Bool {
    let owner = path.steps[index]
    return !inference.calls.owners.contains(call.callee)
      && results.freed.allSatisfy { $0.consumer == nil }
      && !inference.signature(of: owner).returnsStrings
      && inference.replacement(
        in: self, of: owner, path.steps.count - 1 - index, among: results.freed) == nil
  }

  /// Returns whether the leaked strings are results beside those that were freed, and no drafts.
  ///
  /// Each call made one of them, and the function returns that many strings by its type. Of a
  /// structure a type does not say how many it has; but a draft is made before its result, so that
  /// a function that makes three strings each time, and one behind the last of those that were
  /// freed, returns several.
  private func areResults(_ results: CallResults.Results, _ index: Int) -> Bool {
    var freed: [CallResults.Site: Int] = [:]
    for history in results.freed {
      guard let producer = history.producer else { return false }
      freed[CallResults.Site(producer), default: 0] += history.count
    }
    let each = freed.values.max()
    let left = Set(results.left.filter { $0.value == each }.keys).subtracting(freed.keys)
    let own = leaked.stacks.map { inference.path(of: $0).steps }
      .map { $0.indices.contains(index + 1) ? CallResults.Site($0[index + 1]) : nil }
    guard own.allSatisfy({ $0.map(left.contains) ?? false }) else { return false }
    let signature = inference.signature(of: path.steps[index + 1])
    if signature.returnsStrings {
      return Set(freed.keys).union(results.left.keys).count <= signature.capacity
    }
    return signature.mayFillStructure && left.count + freed.count > 2
      && left.contains { site in freed.keys.allSatisfy { inference.isBehind(site, $0) } }
  }
}

extension OwnershipInference {
  /// Returns whether a function comes to one of its lines behind another one, as far as their order
  /// says.
  fileprivate func isBehind(_ site: CallResults.Site, _ other: CallResults.Site) -> Bool {
    let lines = [site, other].map { paths.frame(at: $0.frame).line ?? 0 }
    return (lines[0], site.address.rawValue) > (lines[1], other.address.rawValue)
  }
}
