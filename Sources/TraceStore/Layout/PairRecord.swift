// The record of a pair of stacks: the count of strings that were allocated at one and freed at the
// other.

/// The count of strings that were allocated at one stack and freed at another.
///
/// 32 bytes. The same pair may have several records: their counts add up.
public struct PairRecord: BitwiseCopyable, Sendable {
  /// The stack at which they were allocated.
  public var allocated: StackID
  /// The stack at which they were freed.
  public var freed: StackID
  /// 1 when they were freed by another thread than the one that allocated them, else 0.
  public var crossedThreads: UInt32
  /// 0.
  public var reserved: UInt32 = 0
  /// The count of strings.
  public var count: UInt64
  /// The sum of their payloads in bytes.
  public var bytes: UInt64

  /// Creates the record of `count` strings of `bytes` bytes in all.
  public init(
    allocated: StackID, freed: StackID, crossedThreads: Bool, count: UInt64, bytes: UInt64
  ) {
    self.allocated = allocated
    self.freed = freed
    self.crossedThreads = crossedThreads ? 1 : 0
    self.count = count
    self.bytes = bytes
  }
}
