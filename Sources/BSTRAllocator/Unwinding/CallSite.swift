// Where the program called an exported function.

/// Where the program called one of our exported functions.
public struct CallSite: Sendable {
  /// Where that returns to.
  var returnAddress: UInt
  /// Its frame: the caller's frame pointer stands there, and behind it the return address.
  ///
  /// 0 where it is not known.
  var frame: UInt

  /// A call that returns to an address.
  @_transparent
  init(_ returnAddress: UInt, _ frame: UInt) {
    self.returnAddress = returnAddress
    self.frame = frame
  }
}
