// Defines the layout of one BSTR in its block, as a byte that records, events and the allocator's
// tables keep.

/// The string layout of one BSTR.
///
/// Two layouts in one process are usual: a managed host's beside a plug-in's. 0 is unknown: the
/// layout in the store's header applies.
public struct StoredLayout: BitwiseCopyable, Hashable, Sendable {
  /// The layout as it is in a store.
  ///
  /// Bit 0 is set in a known layout. Bit 1 means characters of 4 bytes, bit 2 a payload 4 bytes
  /// behind the block's start, bit 3 a guard behind the terminator, bit 4 a layout that was probed
  /// or set by an option, so that it is certain. Bit 7 is the allocator's alone, and in no store:
  /// it means a guess.
  public var rawValue: UInt8

  /// Creates a layout from its byte in a store.
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Creates a layout; other values than these count as 2 and 8.
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

  /// Returns the same layout with another width of a character.
  @inlinable public func with(olecharBytes: Int) -> StoredLayout {
    StoredLayout(rawValue: olecharBytes == 4 ? rawValue | 2 : rawValue & ~2)
  }

  /// Returns the same layout with another payload offset.
  @inlinable public func with(payloadOffset: Int) -> StoredLayout {
    StoredLayout(rawValue: payloadOffset == 4 ? rawValue | 4 : rawValue & ~4)
  }

  /// Returns the same layout with or without a guard.
  @inlinable public func with(guard hasGuard: Bool) -> StoredLayout {
    StoredLayout(rawValue: hasGuard ? rawValue | 8 : rawValue & ~8)
  }

  /// The same layout, as one that was neither probed nor set.
  @inlinable public var uncertain: StoredLayout { StoredLayout(rawValue: rawValue & ~16) }

  /// The same layout, as a guess at that of a caller.
  @inlinable public var guess: StoredLayout {
    StoredLayout(rawValue: uncertain.rawValue | 0x80)
  }

  /// Whether the layout is a guess, which will do for a string that is looked up.
  @inlinable public var isGuess: Bool { rawValue & 0x80 != 0 }

  /// The unknown layout.
  @inlinable public static var unknown: StoredLayout { StoredLayout(rawValue: 0) }

  /// Whether the layout is known.
  @inlinable public var isKnown: Bool { rawValue != 0 }

  /// Bytes of one OLECHAR, 2 or 4.
  @inlinable public var olecharBytes: Int { 2 &+ Int(rawValue & 2) }

  /// Bytes from the block's start to the first character, 4 or 8.
  @inlinable public var payloadOffset: Int { 8 &- Int(rawValue & 4) }

  /// Returns the payload offset that is not the given one.
  @inlinable public static func otherOffset(_ payloadOffset: Int) -> Int { 12 &- payloadOffset }

  /// Whether a guard follows the terminator.
  @inlinable public var hasGuard: Bool { rawValue & 8 != 0 }

  /// Whether the layout was probed or set by an option.
  @inlinable public var isCertain: Bool { rawValue & 16 != 0 }
}
