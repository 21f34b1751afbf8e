// The first bytes of a store.

import Glibc

/// The first bytes of a store.
///
/// Little-endian; each field at its natural alignment.
///
/// Fields that change all the time are apart, in the counters.
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
  /// The id of the process.
  public var pid: UInt32 = 0
  /// The id of the process that started it.
  public var parentPid: UInt32 = 0
  /// The id of the first scope of this process; smaller ids were the parent's.
  public var firstScope: UInt32 = 0
  /// The time at which recording began, in nanoseconds of the monotonic clock.
  public var startTime: UInt64 = 0
  /// Bytes of one OLECHAR; 0 before the string layout is known.
  public var olecharBytes: UInt32 = 0
  /// Bytes from a block's start to its first character.
  public var payloadOffset: UInt32 = 0
  /// An `EndState`.
  public var endState: UInt32 = 0
  /// The exit status of a process that ended by itself.
  public var exitStatus: Int32 = 0
  /// The limit of the frames of a stack.
  public var depth: UInt32 = 0
  /// The payload offset that was detected at a free, where it was not the one that strings had
  /// until then; else 0.
  public var adoptedOffset: UInt32 = 0
  /// The executable's path.
  public var executable: TextReference = .empty
  /// The arguments, each ended by a zero byte.
  public var arguments: TextReference = .empty
  /// 1 where strings that are given to `free` are not seen: the library was loaded after libc.
  public var isFreeUnwatched: UInt32 = 0
  /// The time for which the machine had been suspended when recording began, in hundredths of a
  /// second since it started: the monotonic clock does not count it.
  public var suspended: UInt32 = 0

  /// 1 where the modules are all that were loaded, except those that were closed unseen; written
  /// when the process ends.
  public var areModulesNamed: UInt32 = 0

  /// The namespace that the process's id is of, by its inode; 0 where that is not known.
  public var pidNamespace: UInt32 = 0

  /// 1 where functions inside of modules are replaced, and modules that the process opens are not
  /// looked at for them.
  public var areOpenedUnseen: UInt32 = 0

  /// A `HolderScan`: what became of the search for holders.
  public var holderScan: UInt32 = 0

  /// What the limit was for a process that was too large for the search, in MiB; else 0.
  public var holdersLimit: UInt32 = 0

  /// Creates an empty header.
  public init() {}

  /// The id of the process as the kernel's functions take it; an id of no process in a corrupted
  /// store.
  public var processID: Int32 { Int32(clamping: pid) }

  /// The namespace of this process's id, as the header has it.
  ///
  /// Safe in a forked child.
  public static var pidNamespaceOfProcess: UInt32 {
    var status = stat()
    return unsafe stat("/proc/self/ns/pid", &status) == 0
      ? UInt32(truncatingIfNeeded: status.st_ino) : 0
  }
}
