// The record of a live block.

/// One live block, or a free record.
///
/// 32 bytes.
public struct BlockRecord: BitwiseCopyable, Sendable {
  /// The BSTR's address in the lower 56 bits, and its `StoredLayout` in the upper 8.
  ///
  /// In a free record, the index of the next free record plus 1.
  public var addressAndLayout: UInt64
  /// The serial number of the allocation, from 1, in the lower 40 bits, and the scope in the upper
  /// 24.
  ///
  /// 0 marks a free record, and is written first on a free and last on an allocation, so that a
  /// store cut off in between is valid.
  public var identity: UInt64
  /// Payload bytes when it was allocated, or when the BSTR functions shortened it last.
  public var byteLength: UInt32
  /// The stack at which it was allocated.
  public var stack: StackID
  /// The kernel's id of the thread that allocated it.
  public var thread: UInt32
  /// The time of the allocation in milliseconds since recording began, or `noTime`.
  public var milliseconds: UInt32

  /// The value of a time that was not recorded.
  public static let noTime = UInt32.max

  /// The serial number of the allocation; 0 in a free record.
  public var serial: UInt64 { identity & Self.serialMask }
  /// The scope in which it was allocated.
  public var scope: ScopeID {
    get { ScopeID(rawValue: UInt32(truncatingIfNeeded: identity >> 40)) }
    set { identity = serial | UInt64(newValue.rawValue) << 40 }
  }

  private static let serialMask: UInt64 = 1 << 40 - 1

  /// The bits of `addressAndLayout` that are the address.
  @inlinable public static var addressMask: UInt64 { 1 << 56 - 1 }

  /// The BSTR: the address of its first character.
  @inlinable public var address: UInt64 { addressAndLayout & Self.addressMask }

  /// The string's layout.
  @inlinable public var layout: StoredLayout {
    StoredLayout(rawValue: UInt8(truncatingIfNeeded: addressAndLayout >> 56))
  }

  /// Creates a block's record.
  public init(
    address: UInt64, layout: StoredLayout = .unknown, serial: UInt64, scope: ScopeID = .none,
    byteLength: UInt32, stack: StackID, thread: UInt32, milliseconds: UInt32
  ) {
    addressAndLayout = address & Self.addressMask | UInt64(layout.rawValue) << 56
    identity = serial & Self.serialMask | UInt64(scope.rawValue) << 40
    self.byteLength = byteLength
    self.stack = stack
    self.thread = thread
    self.milliseconds = milliseconds
  }
}
