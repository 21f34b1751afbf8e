// The first bytes of a store.

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
  /// The payload offset that a release taught, where it was not the one that strings had until
  /// then; else 0.
  public var learntOffset: UInt32 = 0
  /// The executable's path.
  public var executable: TextReference = .empty
  /// The arguments, each ended by a zero byte.
  public var arguments: TextReference = .empty
  /// 1 where strings that are given to `free` are not seen: the library was opened behind libc.
  public var isFreeUnwatched: UInt32 = 0
  /// How long the machine had been suspended when recording began, since it started: hundredths of
  /// a second, which the monotonic clock does not count.
  public var suspended: UInt32 = 0

  /// 1 where the modules are all that were loaded, but for what was closed in a way that is not
  /// seen; written when the process ends.
  public var areModulesNamed: UInt32 = 0

  /// A header in which nothing is known yet.
  public init() {}

  /// The process as the kernel's functions take it; a number that is no process's in a damaged
  /// store.
  public var processID: Int32 { Int32(clamping: pid) }
}
