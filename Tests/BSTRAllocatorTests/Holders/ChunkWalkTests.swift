import Testing

@testable import BSTRAllocator

/// The way through chunks of glibc's heap.
@Suite struct ChunkWalkTests {
  @Test func chunksFollowOneAnotherToTheLast() {
    var walk = ChunkWalk(from: 0x1000, to: 0x1200)
    #expect(walk.chunk == 0 && walk.next == 0x1000)
    var step = walk.advance(0x41)
    #expect(step.goesOn && walk.chunk == 0x1000 && walk.next == 0x1040)
    // Its last word is the first one of the next chunk.
    #expect(walk.block == 0x1010 && walk.blockEnd == 0x1048)
    step = walk.advance(0x20)
    #expect(step.goesOn && step.state == .free)
    step = walk.advance(0x1A1)
    #expect(step.goesOn && step.state == .used && walk.isTop)
  }

  @Test(arguments: [0, 0x11, 0x28, 0x43, 0x211, UInt.max])
  func whatIsNoSizeEndsIt(word: UInt) {
    var walk = ChunkWalk(from: 0x1000, to: 0x1200)
    let first = walk.advance(word)
    #expect(!first.goesOn && walk.chunk == 0)
  }
}
