// A way from a holder to a leaked string, as a report shows it.

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
  /// The variable's address in the module's file: two may have one name.
  var symbolAddress: UInt64?
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
  var container: HolderChain {
    var chain = self
    if let last = steps.last, last.place == .heap {
      chain.steps[steps.count - 1].offset = 0
      chain.steps[steps.count - 1].certainty = .exact
    }
    return chain
  }

  /// The outermost place without where in it the word is.
  ///
  /// What a variable or object holds by whichever ways has one keeper; a thread-local variable is
  /// one for all threads.
  var keeper: Holder? {
    guard var keeper = steps.first else { return nil }
    keeper.certainty = .exact
    switch keeper.place {
    // A variable without a name is known by its address.
    case .data, .threadLocal: if keeper.symbol != nil { keeper.offset = 0 }
    case .heap: keeper.offset = 0
    case .stack: break
    }
    if keeper.place == .threadLocal { (keeper.thread, keeper.isMainThread) = (nil, false) }
    return keeper
  }
}
