// What holds leaked strings, as a report shows it.

/// A place that refers to a string or to a block on the way to it.
public struct Holder: Hashable, Sendable {
  /// The kind of place; the raw values are those of the JSON report.
  public enum Place: String, Sendable {
    /// The data of a module.
    case data = "static"
    /// A thread-local variable.
    case threadLocal = "tls"
    /// A block of the heap.
    case heap
    /// The stack of a thread.
    case stack
  }

  /// What the word there is; the raw values are those of the JSON report.
  public enum Certainty: String, Sendable {
    /// The address of the first character, or of an object.
    case exact
    /// The start of the string's block.
    case start
    /// An address inside.
    case interior
    /// The address of an object, with other bits beside it.
    case tagged
  }

  /// The kind of place.
  public var place: Place
  /// What the word there is.
  public var certainty = Certainty.exact
  /// The module of a variable; `nil` for other places.
  public var module: String?
  /// The variable's name, where it is known.
  public var symbol: String?
  /// The section of the module's file.
  public var section: String?
  /// Bytes from the start of the variable or block to the word; of an unnamed variable, its address
  /// in the module's file.
  public var offset = 0
  /// The class or type of a block, where its first word says so.
  public var type: String?
  /// Usable bytes of a block.
  public var bytes: Int?
  /// The thread of a stack or thread-local variable, by the kernel's id.
  public var thread: Int?
  /// Whether that is the main thread.
  public var isMainThread = false
  /// The function in whose frame the word is.
  public var function: String?
}

/// The way from a holder to a string.
public struct HolderChain: Hashable, Sendable {
  /// The places, from the outermost to the one that has the string; never empty.
  public var steps: [Holder]
  /// Whether a word on the way may be out of use: on a stack, or in a block of which nothing says
  /// that the word is.
  public var isWeak: Bool

  /// The rank among the chains of a string.
  private var rank: Int {
    switch steps.first?.place {
    case .data, .threadLocal: 0
    case .heap: 1
    case .stack, nil: 2
    }
  }

  /// Returns whether it says more than another one.
  static func isBetter(_ one: HolderChain, _ other: HolderChain) -> Bool {
    (one.isWeak ? 1 : 0, one.rank, one.steps.count)
      < (other.isWeak ? 1 : 0, other.rank, other.steps.count)
  }

  /// The chain without where in the last block the word is: the elements of one array have one
  /// holder.
  fileprivate var container: HolderChain {
    var chain = self
    if let last = steps.last, last.place == .heap {
      chain.steps[steps.count - 1].offset = 0
      chain.steps[steps.count - 1].certainty = .exact
    }
    return chain
  }
}

/// What holds the strings of a finding that were looked for.
public struct Holders: Sendable {
  /// A chain, and the count of the strings that it holds.
  public struct Entry: Sendable {
    /// The chain.
    public var chain: HolderChain
    /// The strings that were looked for and are held so.
    public var strings: Int
  }

  /// The chains, each once; none where nobody holds any of the strings.
  public private(set) var entries: [Entry] = []
  /// The strings that were looked for.
  public private(set) var looked = 0
  /// Those of them that nothing refers to.
  public private(set) var unheld = 0

  /// The limit of chains.
  private static let maxEntries = 4

  /// Creates holders of no string.
  init() {}

  /// Adds the chains of a string.
  mutating func add(_ chains: [HolderChain]) {
    looked += 1
    if chains.isEmpty { unheld += 1 }
    // Two words of blocks that look alike are one holder of it.
    var containers: Set<HolderChain> = []
    for chain in chains where containers.insert(chain.container).inserted {
      add(Entry(chain: chain, strings: 1))
    }
    sort()
  }

  /// Adds those of other strings.
  mutating func add(_ other: Holders) {
    looked += other.looked
    unheld += other.unheld
    for entry in other.entries { add(entry) }
    sort()
  }

  private mutating func add(_ entry: Entry) {
    let container = entry.chain.container
    if let known = entries.firstIndex(where: { $0.chain.container == container }) {
      entries[known].strings += entry.strings
    } else {
      entries.append(entry)
    }
  }

  /// Puts the best first, in the order in which they came, and keeps a few.
  private mutating func sort() {
    entries = entries.enumerated().sorted { one, other in
      if HolderChain.isBetter(one.element.chain, other.element.chain) { return true }
      if HolderChain.isBetter(other.element.chain, one.element.chain) { return false }
      return one.offset < other.offset
    }.prefix(Self.maxEntries).map(\.element)
  }
}
