import CBSTR
import Testing

@testable import BSTR

/// Conversion, ownership and passing of owned strings, where a character has 2 bytes;
/// `owned_wide_swift` is the same for 4.
@Suite struct OwnedBSTRTests {
  // MARK: conversion

  @Test(arguments: [
    "", "Ready", "a\0b\0", "grün 🎈 \u{10FFFF}", String(repeating: "x", count: 70_000),
  ])
  func textComesBack(_ text: String) throws {
    let string = try OwnedBSTR(text)
    let isNull = string.isNull
    #expect(!isNull)
    #expect(string.characterCount == text.utf16.count)
    #expect(string.byteCount == 2 * text.utf16.count)
    #expect(String(string) == text)
    #expect(String(validating: string) == text)
    #expect(string.utf16 == Array(text.utf16))
  }

  @Test func unpairedSurrogatesAreKept() throws {
    let units: [UInt16] = [0x61, 0xDC00, 0xD83C, 0x62, 0xD83C]
    let string = try OwnedBSTR(utf16: units)
    #expect(string.utf16 == units)
    #expect(String(validating: string) == nil)
    #expect(String(string) == "a\u{FFFD}\u{FFFD}b\u{FFFD}")
  }

  @Test func halfACharacterIsNoCharacter() throws {
    let string = try OwnedBSTR.receiving { variable in
      variable.pointee = SysAllocStringByteLen("abc", 3)
      return 0
    }
    #expect(string.byteCount == 3)
    #expect(string.characterCount == 1)
    #expect(string.utf16 == [0x6261])
    #expect(String(validating: string) == nil)
    let copy = try string.copy()
    #expect(copy.byteCount == 3)
  }

  @Test func nullIsTheEmptyStringAndOwnsNothing() throws {
    let null = OwnedBSTR()
    let empty = try OwnedBSTR("")
    let copy = try null.copy()
    let facts = [null.isNull, copy.isNull, null == empty, !empty.isNull]
    #expect(facts == [true, true, true, true])
    #expect(null.characterCount == 0)
    #expect(String(null) == "")
    let detached = null.detach()
    #expect(detached == nil)
  }

  @Test func whatIsTooLongIsAnErrorAndNoTrap() {
    #expect(throws: BSTRError.outOfMemory) {
      _ = try OwnedBSTR(utf16: repeatElement(0x61, count: 0x7FFF_FFFC))
    }
    #expect(throws: BSTRError.outOfMemory) {
      _ = try OwnedBSTR(utf16: repeatElement(0x61, count: 1 << 40))
    }
  }

  // MARK: ownership

  @Test func aStringIsFreedWhenItsOwnerEnds() throws {
    let address = try Self.address { text in
      #expect(bstrtrace_is_live(text) == 1)
    }
    #expect(bstrtrace_is_live(BSTR(bitPattern: address)) == 0)
  }

  private static func address(_ look: (BSTR?) -> Void) throws -> UInt {
    let string = try OwnedBSTR("ends here")
    return string.withUnsafeBSTR { text in
      look(text)
      return UInt(bitPattern: text)
    }
  }

  @Test func whatIsReplacedIsFreed() throws {
    var string = try OwnedBSTR("old")
    let old = string.withUnsafeBSTR { UInt(bitPattern: $0) }
    try string.replace(with: "new")
    #expect(String(string) == "new")
    #expect(bstrtrace_is_live(BSTR(bitPattern: old)) == 0)
  }

  @Test func copiesAreApart() throws {
    var string = try OwnedBSTR("one")
    let copy = try string.copy()
    let wereSame = string == copy
    #expect(wereSame)
    string.withUnsafeMutableBSTR { $0.pointee?[0] = 0x4F }
    #expect(String(string) == "One")
    #expect(String(copy) == "one")
    let areDifferent = string != copy
    #expect(areDifferent)
  }

  // MARK: passing to C

  @Test func aDetachedStringIsTheReceivers() throws {
    let string = try OwnedBSTR("given away")
    let raw = string.detach()
    #expect(bstrtrace_is_live(raw) == 1)
    let attached = OwnedBSTR(attaching: raw)
    #expect(String(attached) == "given away")
  }

  @Test func whatIsReceivedIsOwned() throws {
    let string = try OwnedBSTR.receiving { variable in
      #expect(variable.pointee == nil)
      variable.pointee = SysAllocStringLen([0x52, 0x64, 0x79], 3)
      return 0
    }
    #expect(String(string) == "Rdy")
    #expect(throws: BSTRError.failed(-5)) { _ = try OwnedBSTR.receiving { _ in -5 } }
    // S_FALSE is a success, and NULL a string.
    let isNull = try OwnedBSTR.receiving { _ in 1 }.isNull
    #expect(isNull)
  }

  @Test func whatACallReplacesIsTheNewOne() throws {
    var string = try OwnedBSTR("old")
    let result = string.withUnsafeMutableBSTR { variable in
      SysReAllocStringLen(variable, [0x6E, 0x65, 0x77], 3)
    }
    #expect(result == 1)
    #expect(String(string) == "new")
  }

  @Test func anArgumentOfCIsBorrowedAndCopied() throws {
    let raw = SysAllocStringLen([0x61, 0x62], 2)
    let copy = try withBorrowed(raw) { text throws(BSTRError) in
      #expect(String(text) == "ab")
      return try text.copy()
    }
    SysFreeString(raw)
    #expect(String(copy) == "ab")
    #expect(withBorrowed(nil) { $0.characterCount } == 0)
  }

  @Test func errorsPassThrough() throws {
    struct Stop: Error {}
    let string = try OwnedBSTR("text")
    #expect(throws: Stop.self) {
      try string.withUnsafeBSTR { _ throws(Stop) in throw Stop() }
    }
    #expect(string.borrowed.withUnsafeBytes { $0.count } == 8)
  }
}
