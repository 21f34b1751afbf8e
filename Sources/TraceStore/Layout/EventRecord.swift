// What happened to one BSTR or pointer at one moment: above all, what went wrong.

/// What an event says.
///
/// The raw values are the store's.
public enum EventKind: UInt16, Sendable {
  /// A BSTR was released that had been released before.
  case doubleFree = 1
  /// Something was released that is no live BSTR.
  case invalidFree = 2
  /// A BSTR was given to a function that does not release BSTRs.
  case wrongDeallocator = 3
  /// A released BSTR's memory was written to.
  case writeAfterFree = 4
  /// Bytes behind a BSTR's terminator were written to.
  case overrun = 5
  /// A BSTR's length prefix says more than was allocated.
  case prefixDamage = 6
  /// Something that is no BSTR was used as one.
  case invalidUse = 7
  /// A pin that was never taken back: no fault, but the reason of a leak.
  case pin = 8
  /// A release that waits for pins: no fault, but part of a leak's story.
  case deferredFree = 9
  /// An allocation that was made to fail, as was asked for: no fault of the program's.
  case failedAllocation = 10
  /// Something was done that contradicts what the program declared.
  case ownership = 11
}

/// What the pointer of an event is, or what was done to it.
///
/// The raw values are the store's.
public enum EventDetail: UInt16, Sendable {
  /// Nothing more is to be said.
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
  /// A BSTR of another copy of the functions.
  case foreignBSTR = 6
  /// Inside the block of a BSTR that was released.
  case freedInterior = 7
  /// In mapped memory of no known kind.
  case unknown = 8
  /// Given to `free`.
  case free = 9
  /// Given to `realloc`.
  case realloc = 10
  /// A BSTR that was declared never to be released.
  case immortal = 11
  /// A literal or other static characters, with no length in front of them.
  case literal = 12
  /// Characters elsewhere, with no length in front of them.
  case noPrefix = 13
  /// The address had been another BSTR's before: which of them was meant is not certain.
  case reused = 14
  /// A BSTR that had been released.
  case freed = 15
  /// Released while it was lent; `EventRecord.freed` is where it was lent.
  case freedOnLoan = 16
  /// Released by the function that had handed it over; `EventRecord.freed` is where it did.
  case freedAfterHandOver = 17
  /// The variable of an `[out]` argument still owned it.
  case overwritten = 18
  /// A function that failed left it in an `[out]` argument.
  case leftByFailure = 19
  /// An `[in,out]` argument was replaced, and the old string not released.
  case replaced = 20
  /// An `[in,out]` argument was released, and not replaced.
  case notReplaced = 21
  /// The heap has given the address out again since: which string was meant is not certain.
  case recycled = 22
  /// A variable that owned it was passed by reference, and holds another one afterwards.
  case lost = 23
  /// Given to `free` or `realloc` by an address in front of its characters that is not where its
  /// block starts: who did took it for a BSTR of another layout.
  case inFront = 24
  /// Freed through a copy of the functions whose layout is another one.
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
  /// How many bytes were changed that should not have been; for a failed allocation its number; for
  /// a pointer into a stack the kernel's id of that stack's thread, or 0.
  public var changed: UInt32 = 0
  /// The pointer that was given.
  public var pointer: UInt64 = 0
  /// The pointer as a frame: the module it lies in, for what is static.
  public var place: FrameWord = FrameWord(rawValue: 0)
  /// The serial number of the BSTR concerned.
  public var serial: UInt64 = 0
  /// The first changed bytes as they were found, at most eight; the prefix that was found.
  public var found: UInt64 = 0
  /// The BSTR's payload in bytes.
  public var byteLength: UInt32 = 0
  /// Bytes from its first character to the pointer, or to the first changed byte.
  public var offset: Int32 = 0
  /// Where it was allocated.
  public var allocated: StackID = .none
  /// Where it was released first.
  public var freed: StackID = .none
  /// Where this event was seen.
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
  /// The scope it happened in, or else the BSTR's.
  public var scope: ScopeID = .none

  /// An event of which nothing is said yet.
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

  /// Whether it is something that went wrong.
  public var isFault: Bool {
    switch EventKind(rawValue: kind) {
    case .doubleFree, .invalidFree, .wrongDeallocator, .writeAfterFree, .overrun, .prefixDamage,
      .invalidUse, .ownership:
      true
    case .pin, .deferredFree, .failedAllocation, nil: false
    }
  }

  /// An event of which kind and detail are said.
  public init(_ kind: EventKind, _ detail: EventDetail = .none) {
    self.kind = kind.rawValue
    self.detail = detail.rawValue
  }
}
