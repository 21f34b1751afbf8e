// The program's call of an exported function.

/// The program's call of one of the library's exported functions.
public struct CallSite: Sendable {
  /// The address that the call returns to.
  var returnAddress: UInt
  /// The frame of the exported function: the caller's frame pointer is saved there, and the return
  /// address behind it.
  ///
  /// 0 where it is not known.
  var frame: UInt

  /// Creates the call that returns to an address, with a frame.
  @_transparent
  init(_ returnAddress: UInt, _ frame: UInt) {
    self.returnAddress = returnAddress
    self.frame = frame
  }
}
