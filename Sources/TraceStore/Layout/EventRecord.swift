// The record of an event of one BSTR or pointer: of a fault above all.

/// The kind of an event.
///
/// The raw values are the store's.
public enum EventKind: UInt16, Sendable {
  /// A BSTR was freed that had been freed before.
  case doubleFree = 1
  /// A pointer was freed that is no live BSTR.
  case invalidFree = 2
  /// A BSTR was given to a function that does not free BSTRs.
  case wrongDeallocator = 3
  /// A freed BSTR's memory was written to.
  case writeAfterFree = 4
  /// Bytes behind a BSTR's terminator were written to.
  case overrun = 5
  /// A BSTR's length prefix is larger than the allocated length.
  case prefixDamage = 6
  /// A pointer that is no BSTR was used as one.
  case invalidUse = 7
  /// A pin that was never released: no fault, but the reason of a leak.
  case pin = 8
  /// A free that waits for pins: no fault, but part of a leak's history.
  case deferredFree = 9
  /// An allocation that was made to fail by an option: no fault of the program's.
  case failedAllocation = 10
  /// An operation contradicts the program's declarations.
  case ownership = 11
}

/// The kind of memory at an event's pointer, or the operation on it.
///
/// The raw values are the store's.
public enum EventDetail: UInt16, Sendable {
  /// No detail.
  case none = 0
  /// In the stack of a thread.
  case stack = 1
  /// In a loaded module: its data or its code.
  case `static` = 2
  /// Inside a live BSTR's block, not at its first character.
  case interior = 3
  /// A live heap block that is no BSTR.
  case heap = 4
  /// Not in mapped memory.
  case unmapped = 5
  /// A foreign BSTR: of another implementation of the functions.
  case foreignBSTR = 6
  /// Inside the block of a BSTR that was freed.
  case freedInterior = 7
  /// In mapped memory of no known kind.
  case unknown = 8
  /// Given to `free`.
  case free = 9
  /// Given to `realloc`.
  case realloc = 10
  /// A BSTR that was declared never to be freed.
  case immortal = 11
  /// A literal or other static characters, with no length in front of them.
  case literal = 12
  /// Characters elsewhere, with no length in front of them.
  case noPrefix = 13
  /// The address had been another BSTR's before: it is uncertain which of them was meant.
  case reused = 14
  /// A BSTR that had been freed.
  case freed = 15
  /// Freed while it was lent; `EventRecord.freed` is the stack at which it was lent.
  case freedOnLoan = 16
  /// Freed by the function that had handed it over; `EventRecord.freed` is the stack at which it
  /// did.
  case freedAfterHandOver = 17
  /// The variable of an `[out]` argument still owned it.
  case overwritten = 18
  /// A function that failed left it in an `[out]` argument.
  case leftByFailure = 19
  /// An `[in,out]` argument was replaced, and the old string not freed.
  case replaced = 20
  /// An `[in,out]` argument was freed, and not replaced.
  case notReplaced = 21
  /// The heap has allocated the address again since: it is uncertain which string was meant.
  case recycled = 22
  /// A variable that owned it was passed by reference, and holds another one afterwards.
  case lost = 23
  /// Given to `free` or `realloc` by an address in front of its characters that is not the block's
  /// start: the caller took it for a BSTR of another layout.
  case inFront = 24
  /// Freed through a copy of the functions with another layout.
  case otherLayout = 25
}

/// One event.
///
/// 96 bytes. Fields that do not apply are 0.
public struct EventRecord: BitwiseCopyable, Sendable {
  /// An `EventKind`.
  public var kind: UInt16 = 0
  /// An `EventDetail` in the lower 8 bits, and the `StoredLayout` of the BSTR concerned in the
  /// upper 8.
  public var detailAndLayout: UInt16 = 0
  /// The count of overwritten bytes; for a failed allocation its index among the attempted ones,
  /// from 1; for a pointer into a stack the kernel's id of that stack's thread, or 0.
  public var changed: UInt32 = 0
  /// The pointer that was passed.
  public var pointer: UInt64 = 0
  /// The pointer as a frame: with the module that it is in, for static memory.
  public var data: FrameWord = FrameWord(rawValue: 0)
  /// The serial number of the BSTR concerned.
  public var serial: UInt64 = 0
  /// The first changed bytes as they were found, at most eight; or the prefix that was found.
  ///
  /// With `redact` what was there before they were changed.
  public var found: UInt64 = 0
  /// The BSTR's payload in bytes.
  public var byteLength: UInt32 = 0
  /// Bytes from its first character to the pointer, or to the first changed byte.
  public var offset: Int32 = 0
  /// The stack at which it was allocated.
  public var allocated: StackID = .none
  /// The stack at which it was first freed.
  public var freed: StackID = .none
  /// The stack at which this event was detected.
  public var detected: StackID = .none
  /// The threads of the three stacks, by the kernel's ids.
  public var allocatedThread: UInt32 = 0
  /// See `allocatedThread`.
  public var freedThread: UInt32 = 0
  /// See `allocatedThread`.
  public var detectedThread: UInt32 = 0
  /// The times of the three stacks, in milliseconds since recording began.
  public var allocatedTime: UInt32 = 0
  /// See `allocatedTime`.
  public var freedTime: UInt32 = 0
  /// See `allocatedTime`.
  public var detectedTime: UInt32 = 0
  /// The beginning of the string, where it was still known.
  public var value: TextReference = .empty
  /// The scope in which it happened, or else the BSTR's.
  public var scope: ScopeID = .none

  /// Creates an event without kind and detail.
  public init() {}

  /// An `EventDetail`.
  public var detail: UInt16 {
    get { detailAndLayout & 0xFF }
    set { detailAndLayout = detailAndLayout & 0xFF00 | newValue & 0xFF }
  }

  /// The layout of the BSTR concerned.
  public var layout: StoredLayout {
    get { StoredLayout(rawValue: UInt8(truncatingIfNeeded: detailAndLayout >> 8)) }
    set { detailAndLayout = detailAndLayout & 0xFF | UInt16(newValue.rawValue) << 8 }
  }

  /// Whether the event is a fault.
  public var isFault: Bool {
    switch EventKind(rawValue: kind) {
    case .doubleFree, .invalidFree, .wrongDeallocator, .writeAfterFree, .overrun, .prefixDamage,
      .invalidUse, .ownership:
      true
    case .pin, .deferredFree, .failedAllocation, nil: false
    }
  }

  /// Creates an event of a kind and a detail.
  public init(_ kind: EventKind, _ detail: EventDetail = .none) {
    self.kind = kind.rawValue
    self.detail = detail.rawValue
  }
}
