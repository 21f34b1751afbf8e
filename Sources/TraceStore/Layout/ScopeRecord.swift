// The record of a scope: a named span of a program, whose BSTRs must all be gone when it ends.

/// One scope.
///
/// 32 bytes.
public struct ScopeRecord: BitwiseCopyable, Sendable {
  /// The name that the program gave it.
  public var name: TextReference
  /// The scope that it began in.
  public var parent: ScopeID
  /// 0 while it is open, 1 when it has ended.
  public var hasEnded: UInt32 = 0
  /// The stack at which it began.
  public var stack: StackID
  /// The thread that began it, by the kernel's id.
  public var thread: UInt32
  /// The time at which it began, in milliseconds since recording began.
  public var milliseconds: UInt32
  /// 0.
  public var reserved: UInt32 = 0

  /// Creates the record of an open scope.
  public init(
    name: TextReference, parent: ScopeID, stack: StackID, thread: UInt32, milliseconds: UInt32
  ) {
    self.name = name
    self.parent = parent
    self.stack = stack
    self.thread = thread
    self.milliseconds = milliseconds
  }
}
