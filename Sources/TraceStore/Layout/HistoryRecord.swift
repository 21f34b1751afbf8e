// What a program declared about one string: a bounded list of moments.

/// Something that a program declared about a string, or that happened to a declared one.
///
/// The raw values are the store's and `bstrtrace.h`'s.
public enum DeclaredAction: UInt32, Sendable {
  /// It was lent to a function as an `[in]` argument.
  case lent = 1
  /// The function returned, and the loan ended.
  case givenBack = 2
  /// It came out of a function as an `[out]` value, and the receiver owns it.
  case received = 3
  /// Its owner gave it away.
  case handedOver = 4
  /// Somebody took it over.
  case adopted = 5
  /// A hint was left.
  case noted = 6
  /// It was freed.
  case freed = 7
}

/// One moment of a history.
///
/// 24 bytes.
public struct HistoryMoment: BitwiseCopyable, Sendable {
  /// A `DeclaredAction`; 0 in an unused place.
  public var action: UInt32 = 0
  /// Where.
  public var stack: StackID = .none
  /// The thread, by the kernel's id.
  public var thread: UInt32 = 0
  /// When, in milliseconds since recording began.
  public var milliseconds: UInt32 = 0
  /// A hint.
  public var note: TextReference = .empty

  /// A moment of which nothing is said yet.
  public init() {}
}

/// What was declared of one string.
///
/// 208 bytes. Of more moments than fit, the first and the latest are kept, and of those between
/// ever fewer.
public struct HistoryRecord: BitwiseCopyable, Sendable {
  /// The string's serial number; 0 in a free place.
  public var serial: UInt64 = 0
  /// Moments there were in all.
  public var total: UInt32 = 0
  /// Loans that have not ended.
  public var loans: UInt32 = 0
  /// The moments that are kept, in order.
  public var moments = InlineArray<8, HistoryMoment>(repeating: HistoryMoment())

  /// A free place.
  public init() {}

  /// How many moments can be kept.
  public static let capacity = 8
}
