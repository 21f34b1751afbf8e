// Defines the ids of a store's records. Each is a type of its own, so that they cannot be confused.

/// The id of a distinct stack: the index of its first word in the stacks section.
///
/// 0 is no stack.
public struct StackID: BitwiseCopyable, Hashable, Sendable {
  /// The word's index.
  public var rawValue: UInt32

  /// The id of no stack: none was recorded.
  public static var none: StackID { StackID(rawValue: 0) }

  /// Creates the id of the stack whose record starts at the word.
  public init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// The id of a scope: from 1, in the order in which scopes began; 24 bits.
///
/// 0 is no scope. A forked child counts on from its parent.
public struct ScopeID: BitwiseCopyable, Hashable, Comparable, Sendable {
  /// The id as an integer.
  public var rawValue: UInt32

  /// The id of no scope.
  public static var none: ScopeID { ScopeID(rawValue: 0) }
  /// The id of a scope that is not checked: strings that are allocated in it are no leaks.
  public static var ignored: ScopeID { ScopeID(rawValue: 0xFF_FFFF) }

  /// Creates the id of a scope.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Returns whether `one` began first.
  public static func < (one: ScopeID, other: ScopeID) -> Bool { one.rawValue < other.rawValue }
}

/// The id of a loaded module: its index in the modules section plus 1.
///
/// 0 is no module.
public struct ModuleID: BitwiseCopyable, Hashable, Sendable {
  /// The index plus 1.
  public var rawValue: UInt16

  /// The id of no module: the address is in none that the loader knows.
  public static var none: ModuleID { ModuleID(rawValue: 0) }

  /// Creates the id of the module whose index plus 1 is given.
  public init(rawValue: UInt16) { self.rawValue = rawValue }
}

/// One frame of a recorded stack: a module in the upper 16 bits, a return address in the lower 48.
public struct FrameWord: BitwiseCopyable, Hashable, Sendable {
  /// Module and address as they are in the store.
  public var rawValue: UInt64

  /// The bits that hold the address; user space ends below them on the supported machines.
  public static let addressMask: UInt64 = 0x0000_FFFF_FFFF_FFFF

  /// Creates a frame from its word in a store.
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// Creates the frame that returns to `address` in `module`.
  public init(module: ModuleID, address: UInt64) {
    rawValue = UInt64(module.rawValue) << 48 | (address & Self.addressMask)
  }

  /// The module that the address is in.
  public var module: ModuleID { ModuleID(rawValue: UInt16(rawValue >> 48)) }

  /// The return address.
  public var address: UInt64 { rawValue & Self.addressMask }
}
