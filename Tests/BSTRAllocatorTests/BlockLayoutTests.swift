import Glibc
import TestSupport
import Testing
import TraceStore

@testable import BSTRAllocator

/// Damage to blocks against a byte-by-byte model, over all layouts.
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
    let bstr = block + layout.profile.payloadOffset
    (bstr - 4).storeBytes(of: UInt32(bytes), as: UInt32.self)
    layout.setGuard(of: bstr, bytes)
    body(
      bstr,
      BlockRecord(
        address: UInt64(UInt(bitPattern: bstr)),
        layout: layout.profile.stored.with(guard: layout.guardBytes > 0), serial: 1,
        byteLength: UInt32(bytes), stack: .none,
        thread: 1, milliseconds: 0))
  }

  @Test func onlyTheLayoutsThereAreAreKnown() {
    for profile in Profile.all {
      let known = Profile.known(
        olecharBytes: UInt32(profile.olecharBytes), payloadOffset: UInt32(profile.payloadOffset))
      #expect(known == profile)
    }
    // In the lowest bytes stand 2 and 8.
    #expect(Profile.known(olecharBytes: 0x102, payloadOffset: 8) == nil)
    #expect(Profile.known(olecharBytes: 2, payloadOffset: 0x8000_0008) == nil)
  }

  @Test(arguments: Profile.all) func everyByteBehindTheStringIsWatched(_ profile: Profile) {
    let layout = BlockLayout(profile: profile, hasGuard: true)
    for bytes in Self.sizes {
      withBlock(layout, bytes) { bstr, record in
        #expect(layout.damages(of: record).isEmpty)
        let end = layout.blockBytes(forPayload: bytes) - profile.payloadOffset
        for position in bytes..<end {
          let old = bstr.load(fromByteOffset: position, as: UInt8.self)
          bstr.storeBytes(of: old ^ 1, toByteOffset: position, as: UInt8.self)
          let damage = layout.damages(of: record).behind
          #expect(damage?.kind == .overrun)
          #expect(damage?.offset == position)
          #expect(damage?.count == 1)
          bstr.storeBytes(of: old, toByteOffset: position, as: UInt8.self)
        }
        // The string itself is the program's.
        memset(bstr, 0x41, bytes)
        #expect(layout.damages(of: record).isEmpty)
      }
    }
  }

  /// What is shown are eight bytes of memory, whichever part of the block they lie in.
  @Test(arguments: Profile.all) func foundBytesGoOnFromTheFirstChangedOne(_ profile: Profile) {
    let layout = BlockLayout(profile: profile, hasGuard: true)
    withBlock(layout, 8) { bstr, record in
      bstr.storeBytes(of: 0x41, toByteOffset: 8, as: UInt8.self)
      let end = layout.blockBytes(forPayload: 8) - profile.payloadOffset
      bstr.storeBytes(of: 0x42, toByteOffset: end - 1, as: UInt8.self)
      let damages = layout.damages(of: record)
      #expect(damages.prefix == nil)
      #expect(damages.behind?.count == 2)
      for position in 8..<min(16, end) {
        let found = (damages.behind?.found ?? 0) >> (8 * UInt64(position - 8)) & 0xFF
        #expect(found == UInt64(bstr.load(fromByteOffset: position, as: UInt8.self)))
      }
      layout.mendBehind(record)
      #expect(layout.damages(of: record).isEmpty)
    }
  }

  @Test(arguments: Profile.all) func aPrefixMayShrinkButNotGrow(_ profile: Profile) {
    let layout = BlockLayout(profile: profile, hasGuard: false)
    withBlock(layout, 24) { bstr, record in
      for length in 0...UInt32(24) {
        (bstr - 4).storeBytes(of: length, as: UInt32.self)
        #expect(layout.damages(of: record).isEmpty)
      }
      for length in [UInt32(25), 1000, .max] {
        (bstr - 4).storeBytes(of: length, as: UInt32.self)
        #expect(layout.damages(of: record).prefix?.kind == .prefixDamage)
        #expect(layout.damages(of: record).prefix?.found == UInt64(length))
      }
    }
  }

  @Test(arguments: Profile.all) func everyByteOfAReleasedStringIsWatched(_ profile: Profile) {
    let layout = BlockLayout(profile: profile, hasGuard: true)
    for bytes in Self.sizes {
      withBlock(layout, bytes) { bstr, record in
        memset(bstr, 0x41, bytes)
        layout.poison(record)
        #expect(layout.damage(ofPoisoned: FreedBlock(record: record)) == nil)
        // Who reads it now reads an empty string, and finds its end.
        #expect(BSTRFunctions.byteLength(of: bstr) == 0)
        let end = layout.blockBytes(forPayload: bytes) - profile.payloadOffset
        for position in -4..<end {
          let old = bstr.load(fromByteOffset: position, as: UInt8.self)
          bstr.storeBytes(of: old ^ 0x80, toByteOffset: position, as: UInt8.self)
          let damage = layout.damage(ofPoisoned: FreedBlock(record: record))
          #expect(damage?.kind == .writeAfterFree)
          #expect(damage?.offset == (position < 0 ? -4 : position))
          bstr.storeBytes(of: old, toByteOffset: position, as: UInt8.self)
        }
      }
    }
  }
}
