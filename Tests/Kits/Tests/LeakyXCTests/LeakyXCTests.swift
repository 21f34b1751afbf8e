// The same for XCTest.
import BSTR
import BSTRXCTest
import CBSTR
import XCTest

@inline(never)
func makeTitle() -> BSTR? { SysAllocString(Array("Untitled".utf16) + [0]) }

final class LeakyXCTests: NoBSTRLeaksTestCase {
  private var held: BSTR?

  override func setUp() { held = makeTitle() }
  override func tearDown() { SysFreeString(held) }

  func testForgetsItsTitle() { XCTAssertEqual(SysStringLen(makeTitle()), 8) }

  func testIsClean() { SysFreeString(makeTitle()) }

  func testAsyncLeak() async { await Task { _ = makeTitle() }.value }

  func testAsyncClean() async { await Task { SysFreeString(makeTitle()) }.value }
}

final class BlockXCTests: XCTestCase {
  func testABlockLeaks() {
    let length = XCTAssertNoBSTRLeaks("a title is made") { SysStringLen(makeTitle()) }
    XCTAssertEqual(length, 8)
  }

  func testABlockWithoutAMessageLeaks() {
    XCTAssertNoBSTRLeaks { _ = makeTitle() }
  }

  func testABlockIsClean() {
    XCTAssertNoBSTRLeaks { SysFreeString(makeTitle()) }
    XCTAssertNoBSTRLeaks(allowing: .perStack(1)) { _ = makeTitle() }
  }
}
