// The owned string: a BSTR that is freed when its value ends. The three rules for BSTRs between
// functions are its signatures. OwnedBSTR+C.swift converts it to and from C.

public import CBSTR

/// A BSTR that this value owns.
///
/// Microsoft's rules ("Allocating and Releasing Memory for a BSTR") become signatures, so that code
/// which breaks one does not compile:
///
/// | parameter or result | rule |
/// |---|---|
/// | `borrowing OwnedBSTR` or `BorrowedBSTR` | 1: a function that expects a BSTR does not free it |
/// | a result `OwnedBSTR` | 2 and 3: the receiver frees it, and the function that returned it
/// cannot |
/// | `consuming OwnedBSTR` | a hand-over: the caller has it no more |
/// | `inout OwnedBSTR` | by reference: what is replaced is freed, and nothing else |
///
/// It is never copied unless `copy()` says so. Like a BSTR, it may be NULL, which means the empty
/// string and owns nothing.
@safe
public struct OwnedBSTR: ~Copyable {
  /// The string; only this value frees it.
  var bstr: CBSTR.BSTR?

  /// NULL: the empty string, for which nothing is allocated.
  public init() {
    unsafe bstr = nil
  }

  /// Creates a string of this library's functions that has no other owner.
  init(owning bstr: CBSTR.BSTR) {
    unsafe self.bstr = unsafe bstr
  }

  deinit {
    unsafe SysFreeString(bstr)
  }

  /// Returns the string, valid until this value is changed or ends.
  public var borrowed: BorrowedBSTR {
    @_lifetime(borrow self)
    get {
      unsafe _overrideLifetime(BorrowedBSTR(unowned: bstr), borrowing: self)
    }
  }

  /// Whether this is NULL rather than an allocated string, which may be empty, too.
  public var isNull: Bool { unsafe bstr == nil }

  /// Bytes of the string, without its terminator.
  public var byteCount: Int { borrowed.byteCount }

  /// Characters (OLECHARs) of the string, without its terminator; half a character does not count.
  public var characterCount: Int { borrowed.characterCount }

  /// The string's UTF-16, unpaired surrogates included.
  ///
  /// - Complexity: O(n).
  public var utf16: [UInt16] { borrowed.utf16 }

  /// Returns a second string with the same bytes; NULL for NULL.
  ///
  /// - Throws: `BSTRError.outOfMemory`.
  public func copy() throws(BSTRError) -> OwnedBSTR { try borrowed.copy() }

  /// Replaces this string by another one, and frees it.
  ///
  /// - Throws: `BSTRError.outOfMemory`; this value is then as it was.
  public mutating func replace(with text: String) throws(BSTRError) {
    self = try OwnedBSTR(text)
  }

  /// Returns whether both have the same bytes; NULL equals the empty string, as for `VarBstrCmp`.
  public static func == (one: borrowing OwnedBSTR, other: borrowing OwnedBSTR) -> Bool {
    unsafe VarBstrCmp(one.bstr, other.bstr, 0, 0) == VARCMP_EQ
  }

  /// Returns whether their bytes or lengths differ.
  public static func != (one: borrowing OwnedBSTR, other: borrowing OwnedBSTR) -> Bool {
    !(one == other)
  }
}

/// Only one value owns the string, so that it may be sent to another thread.
extension OwnedBSTR: @unchecked Sendable {}

/// The reason why there is no BSTR.
public enum BSTRError: Error, Equatable, Sendable {
  /// Memory is exhausted, or the string would be longer than a BSTR can be.
  case outOfMemory
  /// A function that was to return one failed with this HRESULT.
  case failed(HRESULT)
}
