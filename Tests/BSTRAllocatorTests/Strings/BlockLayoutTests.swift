import Glibc
import TestSupport
import Testing
import TraceStore

@testable import BSTRAllocator

/// Corruption to blocks against a byte-by-byte model, over all layouts.
@Suite struct BlockLayoutTests {
  private static let sizes = Array(0...72) + [255, 256, 1000]

  private func withBlock(
    _ layout: BlockLayout, _ bytes: Int, _ body: (UnsafeMutableRawPointer, BlockRecord) -> Void
  ) {
    // Exactly as long as it says, so that a sanitizer sees every step too far.
    let size = layout.blockBytes(forPayload: bytes)
    guard let block = malloc(size) else { return }
    defer { free(block) }
    memset(block, 0, size)
    let bstr = block + layout.stringLayout.payloadOffset
    (bstr - 4).storeBytes(of: UInt32(bytes), as: UInt32.self)
    layout.setGuard(of: bstr, bytes)
    body(
      bstr,
      BlockRecord(
        address: UInt64(UInt(bitPattern: bstr)),
        layout: layout.stringLayout.stored.with(guard: layout.guardBytes > 0), serial: 1,
        byteLength: UInt32(bytes), stack: .none,
        thread: 1, milliseconds: 0))
  }

  @Test func onlyTheLayoutsThereAreAreKnown() {
    for stringLayout in StringLayout.all {
      let known = StringLayout.known(
        olecharBytes: UInt32(stringLayout.olecharBytes),
        payloadOffset: UInt32(stringLayout.payloadOffset))
      #expect(known == stringLayout)
    }
    // In the lowest bytes stand 2 and 8.
    #expect(StringLayout.known(olecharBytes: 0x102, payloadOffset: 8) == nil)
    #expect(StringLayout.known(olecharBytes: 2, payloadOffset: 0x8000_0008) == nil)
  }

  @Test(arguments: StringLayout.all) func everyByteBehindTheStringIsWatched(
    _ stringLayout: StringLayout
  ) {
    let layout = BlockLayout(stringLayout: stringLayout, hasGuard: true)
    for bytes in Self.sizes {
      withBlock(layout, bytes) { bstr, record in
        #expect(layout.corruption(of: record).isEmpty)
        let end = layout.blockBytes(forPayload: bytes) - stringLayout.payloadOffset
        for position in bytes..<end {
          let old = bstr.load(fromByteOffset: position, as: UInt8.self)
          bstr.storeBytes(of: old ^ 1, toByteOffset: position, as: UInt8.self)
          let corruption = layout.corruption(of: record).trailer
          #expect(corruption?.kind == .overrun)
          #expect(corruption?.offset == position)
          #expect(corruption?.count == 1)
          bstr.storeBytes(of: old, toByteOffset: position, as: UInt8.self)
        }
        // The string itself is the program's.
        memset(bstr, 0x41, bytes)
        #expect(layout.corruption(of: record).isEmpty)
      }
    }
  }

  /// What is shown are eight bytes of memory, whichever part of the block they lie in.
  @Test(arguments: StringLayout.all) func foundBytesGoOnFromTheFirstChangedOne(
    _ stringLayout: StringLayout
  ) {
    let layout = BlockLayout(stringLayout: stringLayout, hasGuard: true)
    withBlock(layout, 8) { bstr, record in
      bstr.storeBytes(of: 0x41, toByteOffset: 8, as: UInt8.self)
      let end = layout.blockBytes(forPayload: 8) - stringLayout.payloadOffset
      bstr.storeBytes(of: 0x42, toByteOffset: end - 1, as: UInt8.self)
      let corruption = layout.corruption(of: record)
      #expect(corruption.prefix == nil)
      #expect(corruption.trailer?.count == 2)
      for position in 8..<min(16, end) {
        let found = (corruption.trailer?.found ?? 0) >> (8 * UInt64(position - 8)) & 0xFF
        #expect(found == UInt64(bstr.load(fromByteOffset: position, as: UInt8.self)))
      }
      layout.restoreTrailer(record)
      #expect(layout.corruption(of: record).isEmpty)
    }
  }

  @Test(arguments: StringLayout.all) func aPrefixMayShrinkButNotGrow(_ stringLayout: StringLayout) {
    let layout = BlockLayout(stringLayout: stringLayout, hasGuard: false)
    withBlock(layout, 24) { bstr, record in
      for length in 0...UInt32(24) {
        (bstr - 4).storeBytes(of: length, as: UInt32.self)
        #expect(layout.corruption(of: record).isEmpty)
      }
      for length in [UInt32(25), 1000, .max] {
        (bstr - 4).storeBytes(of: length, as: UInt32.self)
        #expect(layout.corruption(of: record).prefix?.kind == .prefixDamage)
        #expect(layout.corruption(of: record).prefix?.found == UInt64(length))
      }
    }
  }

  @Test(arguments: StringLayout.all) func everyByteOfAReleasedStringIsWatched(
    _ stringLayout: StringLayout
  ) {
    let layout = BlockLayout(stringLayout: stringLayout, hasGuard: true)
    for bytes in Self.sizes {
      withBlock(layout, bytes) { bstr, record in
        memset(bstr, 0x41, bytes)
        layout.poison(record)
        #expect(layout.corruption(ofPoisoned: FreedBlock(record: record)) == nil)
        // Who reads it now reads an empty string, and finds its end.
        #expect(BSTRFunctions.byteLength(of: bstr) == 0)
        let end = layout.blockBytes(forPayload: bytes) - stringLayout.payloadOffset
        for position in -4..<end {
          let old = bstr.load(fromByteOffset: position, as: UInt8.self)
          bstr.storeBytes(of: old ^ 0x80, toByteOffset: position, as: UInt8.self)
          let corruption = layout.corruption(ofPoisoned: FreedBlock(record: record))
          #expect(corruption?.kind == .writeAfterFree)
          #expect(corruption?.offset == (position < 0 ? -4 : position))
          bstr.storeBytes(of: old, toByteOffset: position, as: UInt8.self)
        }
      }
    }
  }
}
