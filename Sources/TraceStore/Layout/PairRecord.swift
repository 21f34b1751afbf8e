// The record of how many strings of one stack were freed at another.

/// How many strings that were allocated at one stack were freed at another.
///
/// 32 bytes. The same pair may have several records: their counts add up.
public struct PairRecord: BitwiseCopyable, Sendable {
  /// Where they were allocated.
  public var allocated: StackID
  /// Where they were freed.
  public var freed: StackID
  /// 1 when another thread freed them than had allocated them, 0 when the same did.
  public var crossedThreads: UInt32
  /// 0.
  public var reserved: UInt32 = 0
  /// How many.
  public var count: UInt64
  /// Their payload in bytes.
  public var bytes: UInt64

  /// So many strings of so many bytes.
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
