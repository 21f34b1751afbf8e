// All strings of a process by the stacks that allocated them, for flame graphs and profiles.

/// The strings of a process, by stack and owner.
public struct AllocationProfile: Sendable {
  /// Strings that were allocated at one stack, in one scope and thread, and had one owner.
  public struct Sample: Sendable {
    /// The frames, innermost first.
    public var frames: [Frame]
    /// The index of the owner's frame; `nil` where the owner is uncertain.
    public var owner: Int?
    /// The scope in which they were allocated; `nil` for none, and for those that were freed.
    public var scope: String?
    /// The kernel's id of the thread that allocated them; `nil` for those that were freed.
    public var thread: Int?
    /// The rule that was broken with those that are leaks.
    public var rule: Ownership.Rule?
    /// Those that are leaks.
    public var leaked = Amount()
    /// Those that were live at the end, leaks included.
    public var live = Amount()
    /// All that were allocated; where frees were not recorded, the same as `live`.
    public var allocated = Amount()
  }

  /// Strings and their payload.
  public struct Amount: Equatable, Sendable {
    /// The count of strings.
    public var count = 0
    /// Their payload in bytes.
    public var bytes = 0

    /// Adds an amount.
    ///
    /// Counts come from stores, which may be damaged: they wrap around.
    static func += (sum: inout Amount, other: Amount) {
      sum.count &+= other.count
      sum.bytes &+= other.bytes
    }
  }

  /// The samples, in the order of their frames.
  public var samples: [Sample]
  /// Whether frees were recorded: at level leaks they are not.
  public var knowsFreed: Bool
  /// The flow of the strings between producers, owners and functions that freed them.
  public var map: OwnershipMap
}
