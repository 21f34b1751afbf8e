import CTracker
import Testing
import TraceStore

@testable import BSTRAllocator

/// Captured stacks over a grid of recursion depth and skipped frames.
@Suite struct StackCaptureTests {
  /// Recurses `levels` times and then captures.
  @inline(never)
  private func recurse(
    _ levels: Int, skip: Int, depth: Int, _ result: inout (frames: [UInt], truncated: Bool)
  ) -> Int {
    if levels > 0 {
      // The addition keeps this from becoming a jump.
      return recurse(levels - 1, skip: skip, depth: depth, &result) + 1
    }
    let thread = ct_enter()
    defer { ct_leave(thread) }
    let stack = StackCapture.capture(skip: skip, depth: depth)
    result = (Array(stack.addresses), stack.truncated)
    return 0
  }

  private func captured(levels: Int, skip: Int, depth: Int) -> (frames: [UInt], truncated: Bool) {
    var result: (frames: [UInt], truncated: Bool) = ([], false)
    #expect(recurse(levels, skip: skip, depth: depth, &result) == levels)
    return result
  }

  @Test(arguments: [0, 1, 5, 30, 100], [0, 1, 3, 17])
  func framesAreThoseOfTheFullStackButTheSkipped(levels: Int, skip: Int) {
    let whole = captured(levels: levels, skip: 0, depth: StackCapture.maxDepth)
    let part = captured(levels: levels, skip: skip, depth: StackCapture.maxDepth)
    #expect(!whole.truncated)
    #expect(whole.frames.count >= levels)
    // The callers' frames differ by the two call sites above; what lies below them is the same.
    #expect(part.frames.count == max(0, whole.frames.count - skip))
    // A recursion shows as one return address, `levels` times, whatever was skipped of it.
    let repeated = Dictionary(grouping: whole.frames, by: { $0 }).mapValues(\.count).values.max()
    if levels > 1 { #expect(repeated == levels) }
  }

  @Test(arguments: [1, 2, 7, 64, 256])
  func depthCutsAndSaysSo(depth: Int) {
    let cut = captured(levels: 300, skip: 0, depth: depth)
    #expect(cut.frames.count == depth)
    #expect(cut.truncated)
  }

  @Test func aFrameThatIsNotFoundIsTheOnlyOne() throws {
    let thread = ct_enter()
    defer { ct_leave(thread) }
    let stack = StackCapture.capture(from: CallSite(0x1234, 0), depth: 64)
    #expect(Array(stack.addresses) == [0x1234])
    #expect(stack.truncated)
  }

  @Test func depotKeepsEachStackOnce() throws {
    let writer = StoreWriter(in: try Region.anonymous())
    writer.publish()
    var depot = StackDepot()
    var ids: Set<StackID> = []
    for round in 0..<200 {
      // One stack per recursion depth, five of them, forty times.
      var result: (frames: [UInt], truncated: Bool) = ([], false)
      _ = recurse(round % 5, skip: 0, depth: 64, &result)
      let thread = ct_enter()
      defer { ct_leave(thread) }
      let addresses = UnsafeMutableRawPointer(ct_scratch()).assumingMemoryBound(to: UInt.self)
      for (index, frame) in result.frames.enumerated() { addresses[index] = frame }
      ids.insert(
        depot.intern(
          StackCapture.Stack(
            addresses: UnsafeMutableBufferPointer(start: addresses, count: result.frames.count),
            words: ct_scratch() + StackCapture.capacity, truncated: false), in: writer))
    }
    #expect(ids.count == 5)
    let image = try StoreImage(bytes: writer.bytes)
    for id in ids {
      let frames = image.stack(id).frames
      #expect(!frames.isEmpty)
      for frame in frames {
        let module = try #require(image.module(frame.module))
        #expect(module.start <= frame.address && frame.address <= module.end)
        #expect(image.text(module.path).hasPrefix("/"))
      }
    }
  }
}
