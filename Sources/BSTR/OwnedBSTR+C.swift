// Conversions of owned strings to and from C. Each is declared to bstrtrace, so that the C side is
// held to the contract that the compiler holds Swift to.

public import CBSTR

extension OwnedBSTR {
  /// Takes over a BSTR that the caller owned (Attach).
  ///
  /// - Parameter bstr: a live BSTR, or NULL. No other code may free it from now on.
  @unsafe public init(attaching bstr: CBSTR.BSTR?) {
    self.init()
    unsafe bstrtrace_adopt(bstr)
    unsafe self.bstr = unsafe bstr
  }

  /// Hands the string over (Detach): the receiver of the result frees it.
  public consuming func detach() -> CBSTR.BSTR? {
    let bstr = unsafe bstr
    unsafe self.bstr = nil
    unsafe bstrtrace_disown(bstr)
    return unsafe bstr
  }

  /// Declares that the string is no leak, wherever it was allocated: it outlives its scope on
  /// purpose.
  public func ignoreLeaks() { unsafe bstrtrace_ignore(bstr) }

  /// Lends the string to C as an `[in]` argument, for the time of a call.
  ///
  /// ```swift
  /// text.withUnsafeBSTR { browser_put_StatusText(browser, $0) }
  /// ```
  ///
  /// - Parameter body: is given the BSTR, NULL included, and may neither keep nor free it.
  public func withUnsafeBSTR<Result: ~Copyable, Failure: Error>(
    _ body: (CBSTR.BSTR?) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try unsafe borrowed.withUnsafeBSTR(body)
  }

  /// Receives the `[out]` argument of a call to C.
  ///
  /// ```swift
  /// let text = try OwnedBSTR.receiving { browser_get_StatusText(browser, $0) }
  /// ```
  ///
  /// - Parameter body: is given a variable that is NULL, and returns the call's HRESULT.
  /// - Throws: `BSTRError.failed` when that is negative; a string that the call has then left in
  ///   the variable, against the rules, is reported and not freed.
  public static func receiving(
    _ body: (UnsafeMutablePointer<CBSTR.BSTR?>) -> HRESULT
  ) throws(BSTRError) -> OwnedBSTR {
    var variable: CBSTR.BSTR?
    let result = unsafe body(&variable)
    unsafe bstrtrace_after_out(&variable, result)
    guard result >= 0 else { throw .failed(result) }
    var owned = OwnedBSTR()
    unsafe owned.bstr = unsafe variable
    return owned
  }

  /// Passes the string to C as an `[in,out]` argument: the call may free it and store another one.
  public mutating func withUnsafeMutableBSTR<Result: ~Copyable, Failure: Error>(
    _ body: (UnsafeMutablePointer<CBSTR.BSTR?>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let old = unsafe bstr
    defer { unsafe bstrtrace_after_in_out(&bstr, old) }
    return try unsafe body(&bstr)
  }
}
