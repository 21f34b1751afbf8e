// The record of a loaded module.

/// One loaded module.
///
/// 40 bytes.
public struct ModuleRecord: BitwiseCopyable, Sendable {
  /// First mapped address.
  public var start: UInt64
  /// One past the last mapped address.
  public var end: UInt64
  /// The load bias, and in the 12 bits that a page's address does not have what became of the
  /// module's own functions: a `FunctionReplacement`.
  public var biasAndReplacement: UInt64
  /// The file's absolute path.
  public var path: TextReference
  /// Its build-id, empty when it has none.
  public var buildID: TextReference

  private static let replacementBits: UInt64 = 0xFFF

  /// The load bias: the difference of mapped addresses to the file's virtual addresses.
  public var bias: UInt64 { biasAndReplacement & ~Self.replacementBits }

  /// What became of the module's own functions.
  public var replacement: FunctionReplacement {
    get {
      FunctionReplacement(rawValue: UInt16(biasAndReplacement & Self.replacementBits)) ?? .none
    }
    set { biasAndReplacement = bias | UInt64(newValue.rawValue) }
  }

  /// Creates the record of a module mapped at `start..<end`.
  public init(
    start: UInt64, end: UInt64, bias: UInt64, path: TextReference, buildID: TextReference
  ) {
    self.start = start
    self.end = end
    biasAndReplacement = bias
    self.path = path
    self.buildID = buildID
  }
}

/// What became of the functions that a module has inside it: whether the tracker has replaced them,
/// and if not, the reason.
public enum FunctionReplacement: UInt16, Sendable, CaseIterable {
  /// They were not looked at, or it has none.
  case none = 0
  /// They were replaced.
  case replaced = 1
  /// One is shorter than a jump.
  case tooSmall = 2
  /// Another function has the address of one.
  case folded = 3
  /// One has clones with calling conventions of their own.
  case cloned = 4
  /// There are several of one name.
  case repeated = 5
  /// They are overloads.
  case overloaded = 6
  /// A compiler left only some.
  case inParts = 7
  /// The file is not what was loaded.
  case changed = 8
  /// When they were tried out, they did not do what a BSTR's functions do.
  case unanswered = 9
  /// There was no memory for jumps near the module.
  case outOfReach = 10
  /// The code could not be written to.
  case unwritable = 11
  /// The process had several threads.
  case threads = 12
  /// It was opened later, and there was no moment at which nothing ran in it.
  case noMoment = 13
  /// One was given at an address that is in no code.
  case noCode = 14
  /// One was given at an address where no function starts.
  case noStart = 15

  /// The reason why they were not replaced; `nil` where they were, or were not to be.
  public var refusal: FunctionReplacement? { self == .none || self == .replaced ? nil : self }
}
