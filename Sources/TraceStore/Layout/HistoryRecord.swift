// The record of a program's declarations about one string: a bounded list of entries.

/// A declaration of a program about a string, or an operation on a declared one.
///
/// The raw values are the store's and `bstrtrace.h`'s.
public enum DeclaredAction: UInt32, Sendable {
  /// It was lent to a function as an `[in]` argument.
  case lent = 1
  /// The function returned, and the loan ended.
  case givenBack = 2
  /// It came out of a function as an `[out]` value, and the receiver owns it.
  case received = 3
  /// Its owner handed it over.
  case handedOver = 4
  /// Another owner took it over.
  case adopted = 5
  /// A hint was left.
  case noted = 6
  /// It was freed.
  case freed = 7
}

/// One action of a history, with its event context.
///
/// 24 bytes.
public struct HistoryEntry: BitwiseCopyable, Sendable {
  /// A `DeclaredAction`; 0 in an unused slot.
  public var action: UInt32 = 0
  /// The stack of the action.
  public var stack: StackID = .none
  /// The thread, by the kernel's id.
  public var thread: UInt32 = 0
  /// The time in milliseconds since recording began.
  public var milliseconds: UInt32 = 0
  /// The hint of the program.
  public var note: TextReference = .empty

  /// Creates an unused entry.
  public init() {}
}

/// The declarations about one string.
///
/// 208 bytes. Of more entries than fit, the first and the latest are kept, and ever fewer of those
/// in between.
public struct HistoryRecord: BitwiseCopyable, Sendable {
  /// The string's serial number; 0 in a free record.
  public var serial: UInt64 = 0
  /// The count of entries in all.
  public var total: UInt32 = 0
  /// The count of loans that have not ended.
  public var loans: UInt32 = 0
  /// The entries that are kept, in order.
  public var entries = InlineArray<8, HistoryEntry>(repeating: HistoryEntry())

  /// Creates a free record.
  public init() {}

  /// The limit of the entries that are kept.
  public static let capacity = 8
}
