// The borrowed string: a caller's BSTR, to be read. Never frees and never outlives its lender.

public import CBSTR

/// A BSTR that another owner lends: an `[in]` argument.
///
/// The compiler keeps it from outliving its lender. To keep the string, make a `copy()`: the first
/// rule asks that of a function that expects a BSTR.
@safe
public struct BorrowedBSTR: ~Escapable {
  let bstr: CBSTR.BSTR?

  /// Creates a loan whose lifetime the caller has to limit.
  @_lifetime(immortal)
  init(unowned bstr: CBSTR.BSTR?) {
    unsafe self.bstr = unsafe bstr
  }

  /// Whether this is NULL rather than an allocated string, which may be empty, too.
  public var isNull: Bool { unsafe bstr == nil }

  /// Bytes of the string, without its terminator.
  public var byteCount: Int { unsafe Int(SysStringByteLen(bstr)) }

  /// Characters (OLECHARs) of the string, without its terminator; half a character does not count.
  public var characterCount: Int { unsafe Int(SysStringLen(bstr)) }

  /// Returns a string with the same bytes that the caller owns; NULL for NULL.
  ///
  /// - Throws: `BSTRError.outOfMemory`.
  public func copy() throws(BSTRError) -> OwnedBSTR {
    guard let bstr = unsafe bstr else { return OwnedBSTR() }
    let copy = unsafe bstr.withMemoryRebound(to: CChar.self, capacity: byteCount) {
      unsafe SysAllocStringByteLen($0, UINT(byteCount))
    }
    guard let copy = unsafe copy else { throw .outOfMemory }
    return unsafe OwnedBSTR(owning: copy)
  }

  /// Calls `body` with the string's bytes, without its terminator; none for NULL.
  public func withUnsafeBytes<Result: ~Copyable, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try unsafe body(UnsafeRawBufferPointer(start: bstr, count: byteCount))
  }

  /// Lends the string on to C as an `[in]` argument, for the time of a call.
  ///
  /// The loan is declared to bstrtrace: a function that frees what it borrowed is reported.
  ///
  /// - Parameter body: is given the BSTR, NULL included, and may not keep it.
  public func withUnsafeBSTR<Result: ~Copyable, Failure: Error>(
    _ body: (CBSTR.BSTR?) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    unsafe bstrtrace_lend(bstr)
    defer { unsafe bstrtrace_give_back(bstr) }
    return try unsafe body(bstr)
  }
}

/// Borrows an `[in]` argument that C has passed, for the time of `body`.
///
/// - Parameters:
///   - bstr: a BSTR that stays alive meanwhile; NULL is one.
///   - body: may read and copy the string.
public func withBorrowed<Result: ~Copyable, Failure: Error>(
  _ bstr: CBSTR.BSTR?, _ body: (BorrowedBSTR) throws(Failure) -> Result
) throws(Failure) -> Result {
  try unsafe body(BorrowedBSTR(unowned: bstr))
}
