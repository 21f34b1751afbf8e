// What holds the strings of a finding: chain by chain, and what several chains begin at.

/// What holds the strings of a finding that were looked for, a few of each stack.
public struct Holders: Sendable {
  /// A chain, and the count of the strings that it holds.
  public struct Entry: Sendable {
    /// The chain.
    public var chain: HolderChain
    /// The strings that were looked for and are held so.
    public var strings: Int
  }

  /// A variable, object or stack from which chains lead to strings.
  public struct Keeper: Sendable {
    /// The place, without where in it the words are.
    public var place: Holder
    /// The chains from there, the best first; never empty.
    public var chains: [HolderChain]
    /// The strings that were looked for and are held by any of them.
    public var strings: Int
  }

  /// The chains of each string that was looked for; none for a string that nobody holds.
  public private(set) var chains: [[HolderChain]] = []

  /// Whether nothing that is searched was left out (`HolderScan.complete`).
  var isWhole = false

  /// The limit of chains, and of keepers, that a report lists.
  static let maxListed = 4

  /// Creates holders of no string.
  init() {}

  /// Adds the chains of a string.
  mutating func add(_ chains: [HolderChain]) { self.chains.append(chains) }

  /// Adds those of other strings.
  mutating func add(_ other: Holders) {
    chains += other.chains
    isWhole = isWhole && other.isWhole
  }

  /// Returns the same strings with some of their chains.
  func only(_ isIncluded: (HolderChain) -> Bool) -> Holders {
    var holders = self
    holders.chains = chains.map { $0.filter(isIncluded) }
    return holders
  }

  /// The count of strings that were looked for.
  public var looked: Int { chains.count }
  /// The count of those that nothing refers to.
  public var unheld: Int { chains.count(where: \.isEmpty) }

  /// The chains, each once, the best first; none where nobody holds any of the strings.
  public var entries: [Entry] {
    groups { $0.container }.prefix(Self.maxListed)
      .map { Entry(chain: $0.chains[0], strings: $0.strings) }
  }

  /// The keepers, the one with the best chain first.
  ///
  /// What holds strings by weak chains is another one than what holds them for certain.
  public var keepers: [Keeper] {
    struct Key: Hashable {
      var place: Holder
      var isWeak: Bool
    }
    return groups { chain in chain.keeper.map { Key(place: $0, isWeak: chain.isWeak) } }
      .compactMap { group in
        guard let place = group.chains[0].keeper else { return nil }
        let chains = Self.distinct(group.chains)
        return Keeper(place: place, chains: chains, strings: group.strings)
      }
  }

  /// Returns chains with their containers once each.
  private static func distinct(_ chains: [HolderChain]) -> [HolderChain] {
    var seen: Set<HolderChain> = []
    return chains.filter { seen.insert($0.container).inserted }
  }

  /// Returns the chains by a key, the best first, and how many strings they hold: each counts once,
  /// by however many chains it is held.
  private func groups<Key: Hashable>(
    by key: (HolderChain) -> Key?
  ) -> [(chains: [HolderChain], strings: Int)] {
    var groups: [(chains: [HolderChain], strings: Int)] = []
    var known: [Key: Int] = [:]
    for string in chains {
      var counted: Set<Int> = []
      for chain in string {
        guard let key = key(chain) else { continue }
        let group = known[key] ?? groups.count
        if group == groups.count { groups.append(([], 0)) }
        known[key] = group
        groups[group].chains.append(chain)
        if counted.insert(group).inserted { groups[group].strings += 1 }
      }
    }
    for group in groups.indices { Self.sort(&groups[group].chains) { $0 } }
    Self.sort(&groups) { $0.chains[0] }
    return groups
  }

  /// Puts the best first, others in the order in which they came.
  private static func sort<Element>(
    _ elements: inout [Element], by chain: (Element) -> HolderChain
  ) {
    elements = elements.enumerated().sorted { one, other in
      if HolderChain.isBetter(chain(one.element), chain(other.element)) { return true }
      if HolderChain.isBetter(chain(other.element), chain(one.element)) { return false }
      return one.offset < other.offset
    }.map(\.element)
  }
}
