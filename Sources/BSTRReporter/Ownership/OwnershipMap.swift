// The flow of strings between modules and between functions: producers, owners, and functions that
// free.

import TraceStore

/// The origins and destinations of a process's strings.
public struct OwnershipMap: Sendable {
  /// A function or a module, as the map names it.
  public struct Party: Hashable, Sendable {
    /// The function; `nil` for a whole module, or where nothing names it.
    public var function: String?
    /// The last component of the module's path.
    public var module: String

    /// "get_StatusText(char16_t**) in plugin.so", or "plugin.so".
    public var text: String { function.map { "\($0) in \(module)" } ?? module }
  }

  /// Strings that flowed the same way.
  public struct Flow: Sendable {
    /// The producer: the function that returned them to their owner, or the owner itself.
    public var producer: Party
    /// The owner; `nil` where it is uncertain.
    public var owner: Party?
    /// The function that freed them; `nil` when they were not freed.
    public var freedBy: Party?
    /// Their count.
    public var count: Int
    /// Their payload in bytes.
    public var bytes: Int
  }

  /// Between modules; owners are left out.
  public var modules: [Flow]
  /// Between functions.
  public var functions: [Flow]
}

extension OwnershipInference {
  /// Returns the map of a process: strings that were never freed first, then by count.
  ///
  /// - Parameter live: the live strings by their stacks.
  func map(of image: StoreImage, live: [StackID: LiveStrings]) -> OwnershipMap {
    struct Way: Hashable {
      var producer: OwnershipMap.Party
      var owner: OwnershipMap.Party?
      var freedBy: OwnershipMap.Party?
    }
    var functions: [Way: (count: Int, bytes: Int)] = [:]
    var modules: [Way: (count: Int, bytes: Int)] = [:]
    func add(_ way: Way, _ count: Int, _ bytes: Int) {
      functions[way, default: (0, 0)].count &+= count
      functions[way, default: (0, 0)].bytes &+= bytes
      let between = Way(
        producer: .init(function: nil, module: way.producer.module), owner: nil,
        freedBy: way.freedBy.map { .init(function: nil, module: $0.module) })
      modules[between, default: (0, 0)].count &+= count
      modules[between, default: (0, 0)].bytes &+= bytes
    }
    for pair in Self.merged(image.pairs) {
      let parties = parties(of: pair)
      guard let producer = parties.producer, let freedBy = parties.freedBy else { continue }
      add(
        Way(producer: producer, owner: parties.owner, freedBy: freedBy),
        Int(clamping: pair.count), Int(clamping: pair.bytes))
    }
    for (stack, sum) in live {
      let parties = parties(of: leaked(sum, of: stack))
      guard let producer = parties.producer else { continue }
      add(Way(producer: producer, owner: parties.owner, freedBy: nil), sum.count, sum.bytes)
    }
    func flows(_ ways: [Way: (count: Int, bytes: Int)]) -> [OwnershipMap.Flow] {
      ways.map {
        OwnershipMap.Flow(
          producer: $0.producer, owner: $0.owner, freedBy: $0.freedBy, count: $1.count,
          bytes: $1.bytes)
      }.sorted { first, second in
        if (first.freedBy == nil) != (second.freedBy == nil) { return first.freedBy == nil }
        if first.count != second.count { return first.count > second.count }
        return (first.producer.text, first.owner?.text ?? "", first.freedBy?.text ?? "")
          < (second.producer.text, second.owner?.text ?? "", second.freedBy?.text ?? "")
      }
    }
    return OwnershipMap(modules: flows(modules), functions: flows(functions))
  }
}
