// The layout of a store, byte for byte, as Docs/StoreFormat.md describes it. Defines no access.

/// What a section of a store holds.
public enum SectionKind: Int, CaseIterable, Sendable {
  /// Bytes of paths, arguments and build-ids, addressed by `TextReference`.
  case text
  /// `ModuleRecord`s.
  case modules
  /// Stacks: a `StackHead` word followed by `FrameWord`s.
  case stacks
  /// `BlockRecord`s.
  case blocks
  /// Characters of strings that were live at the end, each behind a `ValueHead`.
  case values
  /// `EventRecord`s: what happened when.
  case events
  /// `PairRecord`s: how many strings of one stack were freed at another.
  case pairs
  /// `HistoryRecord`s: what the program declared of single strings.
  case histories
  /// `ScopeRecord`s: spans of the program that were named.
  case scopes
}

/// Constants of the layout.
public enum StoreLayout {
  /// "BSTRTRC" and a zero, as a little-endian number.
  public static let magic: UInt64 = 0x0043_5254_5254_5342
  /// The version this code reads and writes.
  public static let version: UInt32 = 4
  /// Bytes in front of the first section.
  public static let headerBytes = 4096
  /// The most bytes that a store can have.
  public static let maxBytes = 1 << 36
  /// Where the section table stands in the header.
  public static let sectionTableOffset = 512
  /// Where the counters stand in the header.
  public static let countersOffset = 1024
  /// Bytes from one counter to the next: a cache line each, so that threads do not fight for one.
  public static let counterStride = 64
  /// Where allocations and releases are counted, two numbers for each part of the registry.
  public static let partCountsOffset = 2048
  /// The parts of the registry.
  public static let parts = 64
  /// Where a counter stands, in bytes from the store's start.
  public static func offset(of counter: StoreCounter) -> Int {
    countersOffset + counter.rawValue * counterStride
  }
  /// The most bytes of one string that are kept.
  public static let valueBytes = 64
  /// What stands behind a live block's terminator.
  public static let guardByte: UInt8 = 0xFB
  /// How many bytes of it.
  public static let guardBytes = 8
  /// What stands in place of a released string's characters.
  public static let poisonByte: UInt8 = 0xFD
}

/// A range of bytes in the text section.
public struct TextReference: BitwiseCopyable, Equatable, Sendable {
  /// Where the range starts, in bytes from the section's start.
  public var offset: UInt32
  /// The range's length in bytes.
  public var length: UInt32

  /// A range of no bytes.
  public static let empty = TextReference(offset: 0, length: 0)

  /// The range of `length` bytes from `offset`.
  public init(offset: UInt32, length: UInt32) {
    self.offset = offset
    self.length = length
  }
}

/// Where a section lies.
///
/// 24 bytes.
public struct SectionEntry: BitwiseCopyable, Sendable {
  /// Bytes from the store's start to the section's.
  public var offset: UInt64
  /// Bytes set aside for the section.
  public var capacity: UInt64
  /// Bytes that hold data; raised only after they were written.
  public var used: UInt64

  /// The section at `offset` with `capacity` bytes of which `used` are filled.
  public init(offset: UInt64, capacity: UInt64, used: UInt64) {
    self.offset = offset
    self.capacity = capacity
    self.used = used
  }
}

/// A number in the header that is only ever raised, atomically, while the process runs.
public enum StoreCounter: Int, CaseIterable, Sendable {
  /// Numbers of allocations that were set aside for threads. What is counted of them stands by the parts of
  /// the registry, as do releases; the reader adds them up.
  case allocations
  /// Releases of own blocks that had no record.
  case frees
  /// The most blocks that were live at once, to within what threads have set aside.
  case peakLive
  /// Releases, through our functions, of BSTRs that another copy of the functions had allocated.
  case foreignFrees
  /// Releases of blocks that a forked child inherited.
  case inheritedFrees
  /// Allocations whose record did not fit.
  case unrecordedBlocks
  /// Stacks whose record did not fit.
  case unrecordedStacks
  /// Events that did not fit.
  case unrecordedEvents
  /// Allocations that were made to fail, as was asked for.
  case injectedFailures
  /// Live blocks that were declared never to be released.
  case immortals
  /// Stacks that were recognised and then walked, to check that they are the same.
  case verifiedStacks
  /// Of those, the ones that were not the same.
  case wrongStacks
}

/// How the recorder came into the process.
public enum RecorderRole: UInt32, Sendable {
  /// It was preloaded by `bstrtrace run`.
  case preloaded = 1
  /// The program was linked with it.
  case linked = 2
}

/// How a process ended, as far as it could say so itself or its collector saw.
public enum EndState: UInt32, Sendable {
  /// It has not said anything: it still runs, was killed, or became another program.
  case none = 0
  /// It called `exit` or returned from `main`.
  case exit = 1
  /// It called `_exit`.
  case immediateExit = 2
  /// A signal ended it, which whoever waited for it has added.
  case signal = 3
  /// It was still running when its store was collected.
  case running = 4
}

/// The first bytes of a store.
///
/// Little-endian; each field at its natural alignment.
///
/// What changes all the time stands apart, in the counters.
public struct StoreHeader: BitwiseCopyable, Sendable {
  /// `StoreLayout.magic`, written last when a store is made.
  public var magic: UInt64 = 0
  /// `StoreLayout.version`.
  public var version: UInt32 = StoreLayout.version
  /// `StoreLayout.headerBytes`.
  public var headerBytes: UInt32 = UInt32(StoreLayout.headerBytes)
  /// Bytes from this store's start to its end, where another may start.
  public var storeBytes: UInt64 = 0
  /// A `RecorderRole`.
  public var role: UInt32 = 0
  /// The process.
  public var pid: UInt32 = 0
  /// The process that started it.
  public var parentPid: UInt32 = 0
  /// The number of the first own scope; smaller ones were the parent's.
  public var firstScope: UInt32 = 0
  /// When recording began: nanoseconds of the monotonic clock.
  public var startTime: UInt64 = 0
  /// Bytes of one OLECHAR; 0 before the profile is known.
  public var olecharBytes: UInt32 = 0
  /// Bytes from a block's start to its first character.
  public var payloadOffset: UInt32 = 0
  /// An `EndState`.
  public var endState: UInt32 = 0
  /// The exit status the process gave itself, when it has ended by itself.
  public var exitStatus: Int32 = 0
  /// The most frames a stack may have.
  public var depth: UInt32 = 0
  /// The payload offset that a release taught, where it was not the one that strings had until then; else 0.
  public var learntOffset: UInt32 = 0
  /// The executable's path.
  public var executable: TextReference = .empty
  /// The arguments, each ended by a zero byte.
  public var arguments: TextReference = .empty
  /// 1 where strings that are given to `free` are not seen: the library was opened behind libc.
  public var isFreeUnwatched: UInt32 = 0
  /// How long the machine had been suspended when recording began, since it started: hundredths of a second, which
  /// the monotonic clock does not count.
  public var suspended: UInt32 = 0

  /// 1 where the modules are all that were loaded, but for what was closed in a way that is not seen; written when
  /// the process ends.
  public var areModulesNamed: UInt32 = 0

  /// A header in which nothing is known yet.
  public init() {}

  /// The process as the kernel's functions take it; a number that is no process's in a damaged store.
  public var processID: Int32 { Int32(clamping: pid) }
}

/// One loaded module.
///
/// 40 bytes.
public struct ModuleRecord: BitwiseCopyable, Sendable {
  /// First mapped address.
  public var start: UInt64
  /// One past the last mapped address.
  public var end: UInt64
  /// What the loader added to the file's virtual addresses.
  public var bias: UInt64
  /// The file's absolute path.
  public var path: TextReference
  /// Its build-id, empty when it has none.
  public var buildID: TextReference

  /// A module mapped at `start..<end`.
  public init(
    start: UInt64, end: UInt64, bias: UInt64, path: TextReference, buildID: TextReference
  ) {
    self.start = start
    self.end = end
    self.bias = bias
    self.path = path
    self.buildID = buildID
  }
}

/// The word in front of a stack's frames.
public struct StackHead: BitwiseCopyable, Sendable {
  /// Hash, flag and count as they stand in the store.
  public var rawValue: UInt64

  /// The head as it stands in a store.
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// The head of a stack of `count` frames.
  public init(hash: UInt32, count: Int, truncated: Bool) {
    rawValue = UInt64(hash) << 32 | (truncated ? 1 << 16 : 0) | UInt64(count)
  }

  /// The hash of the frames' addresses.
  public var hash: UInt32 { UInt32(rawValue >> 32) }
  /// Frames that follow.
  public var count: Int { Int(rawValue & 0xFFFF) }
  /// Whether the stack was deeper than what was kept.
  public var truncated: Bool { rawValue & 1 << 16 != 0 }
}

/// One live block, or a free place for one.
///
/// 32 bytes.
public struct BlockRecord: BitwiseCopyable, Sendable {
  /// The BSTR's address in the lower 56 bits, and its `StoredLayout` in the upper 8.
  ///
  /// In a free place, the next free place plus 1.
  public var addressAndLayout: UInt64
  /// The number of the allocation, from 1, in the lower 40 bits, and the scope in the upper 24.
  ///
  /// 0 marks a free place, and is written first on release and last on allocation, so that a store
  /// cut off in between reads true.
  public var identity: UInt64
  /// Payload bytes when it was allocated, or when our functions shortened it last.
  public var byteLength: UInt32
  /// Where it was allocated.
  public var stack: StackID
  /// The kernel's id of the thread that allocated it.
  public var thread: UInt32
  /// When: milliseconds since recording began, or `noTime`.
  public var milliseconds: UInt32

  /// A time that was not recorded.
  public static let noTime = UInt32.max

  /// The number of the allocation; 0 in a free place.
  public var serial: UInt64 { identity & Self.serialMask }
  /// The scope it was made in.
  public var scope: ScopeID {
    get { ScopeID(rawValue: UInt32(truncatingIfNeeded: identity >> 40)) }
    set { identity = serial | UInt64(newValue.rawValue) << 40 }
  }

  private static let serialMask: UInt64 = 1 << 40 - 1

  /// The bits of `addressAndLayout` that are the address.
  @inlinable public static var addressMask: UInt64 { 1 << 56 - 1 }

  /// The BSTR: the address of its first character.
  @inlinable public var address: UInt64 { addressAndLayout & Self.addressMask }

  /// How it lies in its block.
  @inlinable public var layout: StoredLayout {
    StoredLayout(rawValue: UInt8(truncatingIfNeeded: addressAndLayout >> 56))
  }

  /// A block's record.
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

/// What stands in front of the characters of a string that was live at the end.
///
/// 16 bytes; the bytes that follow are padded to a multiple of 8.
public struct ValueHead: BitwiseCopyable, Sendable {
  /// The block it is the value of.
  public var serial: UInt64
  /// Bytes of the string by its prefix.
  public var byteLength: UInt32
  /// Bytes that follow, at most `StoreLayout.valueBytes`.
  public var kept: UInt16
  /// How the string lies in its block.
  public var layout: StoredLayout
  /// 0.
  public var reserved: UInt8 = 0

  /// The head of `kept` bytes out of `byteLength`.
  public init(serial: UInt64, byteLength: UInt32, kept: UInt16, layout: StoredLayout = .unknown) {
    self.serial = serial
    self.byteLength = byteLength
    self.kept = kept
    self.layout = layout
  }
}
