// How one BSTR lies in its block, in a byte that records, events and the allocator's tables keep.

/// The layout of one BSTR.
///
/// Two layouts in one process are usual: a managed host's beside a plug-in's. 0 says nothing: the
/// layout in the store's header holds.
public struct StoredLayout: BitwiseCopyable, Hashable, Sendable {
  /// As it stands in a store.
  ///
  /// Bit 0 is set in what is known. Bit 1 stands for characters of 4 bytes, bit 2 for a payload 4
  /// bytes behind the block's start, bit 3 for a guard behind the terminator, bit 4 for a layout
  /// that was probed or set by an option, so that it is certain.
  public var rawValue: UInt8

  /// The layout as it stands in a store.
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// A layout; of other numbers than these a default is taken.
  ///
  /// - Parameters:
  ///   - olecharBytes: 2 or 4.
  ///   - payloadOffset: 4 or 8.
  @inlinable public init(
    olecharBytes: Int, payloadOffset: Int, hasGuard: Bool = false, isCertain: Bool = false
  ) {
    rawValue =
      1 | (olecharBytes == 4 ? 2 : 0) | (payloadOffset == 4 ? 4 : 0) | (hasGuard ? 8 : 0)
      | (isCertain ? 16 : 0)
  }

  /// The same with another payload offset.
  @inlinable public func with(payloadOffset: Int) -> StoredLayout {
    StoredLayout(rawValue: payloadOffset == 4 ? rawValue | 4 : rawValue & ~4)
  }

  /// The same with or without a guard.
  @inlinable public func with(guard hasGuard: Bool) -> StoredLayout {
    StoredLayout(rawValue: hasGuard ? rawValue | 8 : rawValue & ~8)
  }

  /// The same, as one that was neither probed nor set.
  @inlinable public var uncertain: StoredLayout { StoredLayout(rawValue: rawValue & ~16) }

  /// Nothing is known.
  @inlinable public static var unknown: StoredLayout { StoredLayout(rawValue: 0) }

  /// Whether anything is known.
  @inlinable public var isKnown: Bool { rawValue != 0 }

  /// Bytes of one OLECHAR, 2 or 4.
  @inlinable public var olecharBytes: Int { 2 &+ Int(rawValue & 2) }

  /// Bytes from the block's start to the first character, 4 or 8.
  @inlinable public var payloadOffset: Int { 8 &- Int(rawValue & 4) }

  /// The payload offset that is not the given one.
  @inlinable public static func otherOffset(_ payloadOffset: Int) -> Int { 12 &- payloadOffset }

  /// Whether a guard stands behind the terminator.
  @inlinable public var hasGuard: Bool { rawValue & 8 != 0 }

  /// Whether the layout was probed or set by an option.
  @inlinable public var isCertain: Bool { rawValue & 16 != 0 }
}
