// The record of one step on the way from a leaked string to what holds it.

/// What holds a string, or a block on the way to it; or that nothing does.
///
/// 48 bytes. Records of one string follow one another: chain by chain, and in a chain from the
/// string outwards.
public struct HolderRecord: BitwiseCopyable, Sendable {
  /// The serial number of the string's block.
  public var serial: UInt64
  /// The place of the word that refers to the string or block: of static data its module and
  /// address, of a thread-local variable its module and the offset in the module's block; of a
  /// stack the return address by which the function around it was found, or 0; of a heap block its
  /// address.
  public var place: FrameWord
  /// The first word of a heap block, if it points into a module: a class's table of virtual
  /// functions, or a Swift type's metadata; else 0.
  public var type: FrameWord
  /// Usable bytes of a heap block.
  public var blockBytes: UInt64
  /// Bytes from the start of a heap block to the word.
  public var offset: UInt32
  /// The thread of a stack or thread-local variable, by the kernel's id.
  public var thread: UInt32
  /// A `HolderPlace`.
  public var kind: UInt8
  /// A `HolderMatch`.
  public var match: UInt8
  /// The number of the chain, from 0.
  public var chain: UInt8
  /// `HolderFacts`.
  public var facts: UInt8
  /// 0.
  public var reserved: UInt32 = 0

  /// Creates the record of a place.
  public init(serial: UInt64, kind: HolderPlace, match: HolderMatch = .text, chain: Int = 0) {
    self.serial = serial
    place = FrameWord(rawValue: 0)
    type = FrameWord(rawValue: 0)
    blockBytes = 0
    offset = 0
    thread = 0
    self.kind = kind.rawValue
    self.match = match.rawValue
    self.chain = UInt8(truncatingIfNeeded: chain)
    facts = 0
  }
}

/// The kind of memory that a holder is in.
public enum HolderPlace: UInt8, BitwiseCopyable, Sendable, CaseIterable {
  /// None: the string was looked for and nothing refers to it.
  case nobody = 0
  /// The data of a module.
  case data = 1
  /// A thread-local variable.
  case threadLocal = 2
  /// A block of the heap.
  case heap = 3
  /// The stack of a thread.
  case stack = 4
}

/// The part of a string or block that a word refers to.
public enum HolderMatch: UInt8, BitwiseCopyable, Sendable, CaseIterable {
  /// A string's first character.
  case text = 1
  /// The start of a block.
  case start = 2
  /// An address inside.
  case interior = 3
  /// The start of a block, with bits in the word that are no part of the address.
  case tagged = 4
}

/// What speaks for or against a heap block's word being in use.
public struct HolderFacts: OptionSet, Sendable {
  /// The facts as they are in the store.
  public let rawValue: UInt8

  /// Creates facts from their bits.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The block may have been freed: the heap does not tell for blocks as small.
  public static let maybeFreed = HolderFacts(rawValue: 1)
  /// The word is in the part of a vector or array that has elements.
  public static let isElement = HolderFacts(rawValue: 2)
  /// The word is behind the last element of a vector or array.
  public static let isSpare = HolderFacts(rawValue: 4)
  /// Another block of the same size refers to another string of the same stack at the same offset.
  public static let hasSiblings = HolderFacts(rawValue: 8)
  /// The type is found by a Swift type's descriptor, since its metadata was made at run time.
  public static let isDescriptor = HolderFacts(rawValue: 16)
}

/// What became of the search for holders; the raw values are the header's.
public enum HolderScan: UInt32, Sendable, CaseIterable {
  /// None was asked for.
  case none = 0
  /// One was asked for, and the process has not begun to end by `exit`.
  case awaited = 1
  /// It was made, to its end.
  case complete = 2
  /// It took too long: chains end where they are.
  case cutShort = 3
  /// The process was larger than it is made for.
  case tooLarge = 4
  /// The process's memory could not be read.
  case unreadable = 5
  /// There was nothing to look for.
  case needless = 6
  /// It was made to its end, and there may be references that it did not see: registers of other
  /// threads, thread-local variables of a forked child, blocks of another heap than glibc's, or of
  /// a heap whose end was not found.
  case partial = 7
}
