// The record of a loaded module.

/// One loaded module.
///
/// 40 bytes.
public struct ModuleRecord: BitwiseCopyable, Sendable {
  /// First mapped address.
  public var start: UInt64
  /// One past the last mapped address.
  public var end: UInt64
  /// The load bias: the difference of mapped addresses to the file's virtual addresses.
  public var bias: UInt64
  /// The file's absolute path.
  public var path: TextReference
  /// Its build-id, empty when it has none.
  public var buildID: TextReference

  /// Creates the record of a module mapped at `start..<end`.
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
