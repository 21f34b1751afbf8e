import CTrackerTesting
import CTracker
import FoundationEssentials
import Glibc
import TestSupport
import Testing
import TraceStore

@testable import BSTRAllocator

/// The unwind cache on stacks that are made for it, against libunwind.
@Suite struct UnwindCacheTests {
  private typealias Activation = SyntheticStack.Activation

  /// A cache, the stack it is asked about, and the ids of stacks that were met.
  private final class Setting {
    let stack = SyntheticStack()
    var ids: [[UInt]: StackID] = [:]
    /// How often libunwind had to be asked.
    var unwound = 0
    var hits = 0
    var unloads: UInt32 = 0
    private var insertions = 0
    private var noise: UInt = 0x6666_0000_0000

    /// Makes a call from a stack as the tracker handles it: asks the cache, and else unwinds and
    /// inserts.
    ///
    /// - Returns: whether the cache knew the stack. It is then the right one.
    @discardableResult
    func call(from activations: [Activation]) -> Bool {
      noise &+= 0x1_0000
      stack.write(activations, noise: noise)
      let found = UnwindCache.stack(at: stack.call(activations), unloads: unloads)
      let addresses = Self.unwind(activations, stack)
      #expect(addresses == activations.map(\.address), "libunwind reads another stack")
      #expect(byRules(activations) == addresses, "by rules it is another stack")
      let id = ids[addresses] ?? StackID(rawValue: UInt32(ids.count + 1))
      ids[addresses] = id
      if found != .none {
        #expect(found == id, "the cache took one stack for another")
        hits += 1
      } else {
        unwound += 1
        insert(activations, id)
      }
      return found != .none
    }

    /// The stack's frames by the rules that the cache's memory keeps.
    private func byRules(_ activations: [Activation]) -> [UInt]? {
      UnwindCache.rules(unloads: unloads).flatMap {
        StackCapture.captureByRules(
          from: stack.call(activations), depth: StackCapture.maxDepth, $0)
      }.map { Array($0.addresses) }
    }

    /// Inserts a stack as it was unwound.
    func insert(_ activations: [Activation], _ id: StackID, truncated: Bool = false) {
      var addresses = activations.map(\.address)
      addresses.withUnsafeMutableBufferPointer { buffer in
        let captured = StackCapture.Stack(
          addresses: buffer, words: ct_scratch(), truncated: truncated)
        UnwindCache.insert(id, captured, at: stack.call(activations), unloads: unloads)
      }
      check()
    }

    func check() {
      #if BSTRTRACE_CHECK_INVARIANTS
        // A whole cache is looked at: not each time.
        insertions += 1
        if insertions < 30 || insertions % 100 == 0 { #expect(UnwindCache.violations() == []) }
      #endif
    }

    private static func unwind(_ activations: [Activation], _ stack: SyntheticStack) -> [UInt] {
      var frame = ctt_frame(
        address: activations[0].address, stack_pointer: stack.frame + 16,
        frame_pointer: UnsafePointer<UInt>(bitPattern: stack.frame)!.pointee)
      var addresses = [frame.address]
      while addresses.count < 300, ctt_unwind(&frame) > 0, frame.address != 0 {
        addresses.append(frame.address)
      }
      return addresses
    }
  }

  /// Calls `body` with an empty cache, inside the tracker.
  private func withCache(_ body: (Setting) throws -> Void) throws {
    let thread = try #require(ct_enter())
    let (outer, outerBytes) = (thread.pointee.unwind_cache, thread.pointee.unwind_cache_bytes)
    thread.pointee.unwind_cache = nil
    defer {
      if let memory = thread.pointee.unwind_cache {
        munmap(memory, thread.pointee.unwind_cache_bytes)
      }
      thread.pointee.unwind_cache = outer
      thread.pointee.unwind_cache_bytes = outerBytes
      ct_leave(thread)
    }
    try body(Setting())
  }

  private let pool = SyntheticStack.Pool.shared

  /// Functions with frame pointers, then the end of the stack.
  private func chained(_ range: Range<Int>) -> [Activation] {
    Array(pool.chained[range]) + [pool.outermost[0]]
  }

  @Test func thePoolHasFramesOfEachShape() {
    #expect(pool.chained.count > 100)
    #expect(pool.saving.count > 100)
    #expect(pool.plain.count > 100)
    #expect(!pool.outermost.isEmpty)
  }

  @Test func aStackIsKnownFromItsThirdCallOn() throws {
    try withCache { setting in
      let stack = chained(0..<20)
      let known = (0..<4).map { _ in setting.call(from: stack) }
      #expect(known == [false, false, true, true])
      #if BSTRTRACE_CHECK_INVARIANTS
        #expect(UnwindCache.usage().known == 1)
      #endif
    }
  }

  @Test func aFrameThatIsNotKnownIsNeverCached() throws {
    try withCache { setting in
      let stack = chained(0..<5)
      setting.call(from: stack)
      let id = UnwindCache.stack(at: CallSite(stack[0].address, 0), unloads: 0)
      #expect(id == .none)
      UnwindCache.insert(
        StackID(rawValue: 7),
        StackCapture.Stack(
          addresses: UnsafeMutableBufferPointer(start: nil, count: 0), words: ct_scratch(),
          truncated: false),
        at: CallSite(stack[0].address, 0), unloads: 0)
    }
  }

  @Test(arguments: [1, 7, 19]) func stacksDivergeWhereOneFrameDiffers(frame: Int) throws {
    try withCache { setting in
      let one = chained(0..<20)
      var other = one
      other[frame] = pool.chained[50]
      for _ in 0..<3 { setting.call(from: one) }
      // The first two calls insert it behind the divergence point; the first stack stays known.
      let known = (0..<3).map { _ in setting.call(from: other) }
      #expect(known == [false, false, true])
      let stillKnown = setting.call(from: one)
      #expect(stillKnown)
    }
  }

  @Test func aStackThatEndsEarlierOrLaterIsAnotherOne() throws {
    try withCache { setting in
      let long = chained(0..<20)
      let short = Array(long.prefix(10)) + [pool.outermost[0]]
      for stack in [long, short, long, short, long, short] { setting.call(from: stack) }
      let known = [long, short].map { setting.call(from: $0) }
      #expect(known == [true, true])
    }
  }

  /// A stack that was cut at the depth is known only while what cuts it is there.
  @Test func aTruncatedStackIsKnownWhileItGoesOn() throws {
    try withCache { setting in
      let whole = chained(0..<20)
      let cut = Array(whole.prefix(8))
      setting.stack.write(whole, noise: 1)
      for _ in 0..<2 { setting.insert(cut, StackID(rawValue: 9), truncated: true) }
      let found = UnwindCache.stack(at: setting.stack.call(whole), unloads: 0)
      #expect(found == StackID(rawValue: 9))
      setting.stack.write(cut + [pool.outermost[0]], noise: 2)
      let other = UnwindCache.stack(at: setting.stack.call(whole), unloads: 0)
      #expect(other == .none)
    }
  }

  #if BSTRTRACE_CHECK_INVARIANTS
    /// Call sites at the end of the same frames keep these once.
    @Test func stacksShareTheirOuterFrames() throws {
      // In the table by which stacks find each other's slots two of one stack may meet, which then
      // shares less: addresses decide that, and not of several stacks each time.
      let slots = try (0..<4).map { try slotsOfTwenty(over: 40 * $0 + 1..<40 * $0 + 40) }
      #expect(slots.contains { $0 <= 20 * 2 }, "\(slots)")
    }

    /// The slots that twenty stacks take over the same outer frames, beside those of the first
    /// stack.
    private func slotsOfTwenty(over frames: Range<Int>) throws -> Int {
      var added = 0
      try withCache { setting in
        // Of one shape, so that the outer frames are at the same addresses.
        let outer = chained(frames)
        for _ in 0..<2 { setting.call(from: [pool.chained[0]] + outer) }
        let one = UnwindCache.usage().slots
        #expect(one > 30)
        for site in 200..<220 {
          for _ in 0..<2 { setting.call(from: [pool.chained[site]] + outer) }
          let known = setting.call(from: [pool.chained[site]] + outer)
          #expect(known)
        }
        let usage = UnwindCache.usage()
        #expect(usage.known == 21)
        added = usage.slots - one
      }
      return added
    }
  #endif

  /// Where one stack has taken another's place for long, the cache begins with it.
  @Test func aStackThatStaysIsMadeTheRoot() throws {
    try withCache { setting in
      let old = chained(0..<20)
      var new = old
      new[10] = pool.chained[50]
      for _ in 0..<3 { setting.call(from: old) }
      for _ in 0..<2 { setting.call(from: new) }
      let hits = Int(UnwindCache.longStreak)
      setting.stack.write(new, noise: 1)
      let id = setting.ids[new.map(\.address)]
      // One before, the stack is known as ever; then it is not, once.
      var missed: [Int] = []
      for index in 1...hits
      where UnwindCache.stack(at: setting.stack.call(new), unloads: 0) != id {
        missed.append(index)
      }
      #expect(missed == [hits])
      #if BSTRTRACE_CHECK_INVARIANTS
        let slots = UnwindCache.usage()
        #expect(slots.probation == 1)
      #endif
      let known = (0..<3).map { _ in setting.call(from: new) }
      #expect(known == [false, true, true])
      // The one that it took the place of branches from it now.
      let oldKnown = (0..<3).map { _ in setting.call(from: old) }
      #expect(oldKnown == [false, false, true])
    }
  }

  /// As many entries as one place has ways, and one more: the newest is known, and nothing is taken
  /// for another.
  @Test func anEntryIsEvictedByOneTooMany() throws {
    try withCache { setting in
      // Calls from different depths of the stack that have one home.
      var sites: [(activation: Activation, room: Int)] = []
      for room in 64..<512 {
        setting.stack.room = room
        for activation in pool.chained + pool.plain + pool.saving
        where home(activation.address, setting.stack.frame) == 4711 {
          sites.append((activation, room))
        }
      }
      try #require(sites.count >= 2 * UnwindCache.ways)
      for _ in 0..<3 {
        for (activation, room) in sites.prefix(2 * UnwindCache.ways) {
          setting.stack.room = room
          let stack = [activation] + chained(0..<5)
          for _ in 0..<2 { setting.call(from: stack) }
          let known = setting.call(from: stack)
          #expect(known)
        }
      }
      #if BSTRTRACE_CHECK_INVARIANTS
        // It has grown as far as it can in the meantime.
        #expect(UnwindCache.usage().entryBits == UnwindCache.Geometry.largest.entryBits)
        #expect(UnwindCache.usage().known == UnwindCache.ways)
      #endif
    }
  }

  #if BSTRTRACE_CHECK_INVARIANTS
    /// Many call sites make it grow, and each is known from its third call on at every
    /// size.
    @Test func itGrowsWithUse() throws {
      try withCache { setting in
        let first = chained(0..<20)
        for _ in 0..<3 { setting.call(from: first) }
        #expect(UnwindCache.usage().entryBits == UnwindCache.Geometry.smallest.entryBits)
        var sizes: [Int] = []
        for room in stride(from: 64, to: 12_000, by: 8) {
          setting.stack.room = room
          let stack = [pool.chained[room % 100]] + chained(30..<34)
          var misses = 0
          while !setting.call(from: stack) { misses += 1 }
          let size = UnwindCache.usage().entryBits
          let hasGrown = !sizes.isEmpty && size != sizes.last
          if sizes.last != size { sizes.append(size) }
          // One that makes it grow is the first in the new memory.
          #expect(misses == 2, "at 2^\(size), \(hasGrown ? "" : "not ")grown")
        }
        // The one from before has been forgotten, and is known again.
        setting.stack.room = 64
        let known = (0..<3).map { _ in setting.call(from: first) }
        #expect(known == [false, false, true])
        #expect(sizes.starts(with: [8, 10, 12]), "\(sizes)")
        #expect(UnwindCache.violations() == [])
      }
    }

    /// Its memory is what is in use: a few stacks take a few pages.
    @Test func aFewStacksTakeAFewPages() throws {
      try withCache { setting in
        for site in 0..<10 {
          for _ in 0..<3 { setting.call(from: [pool.chained[site]] + chained(30..<48)) }
        }
        let thread = ct_thread()
        let memory = try #require(thread.pointee.unwind_cache)
        var pages = [UInt8](repeating: 0, count: thread.pointee.unwind_cache_bytes / 4096 + 1)
        #expect(mincore(memory, thread.pointee.unwind_cache_bytes, &pages) == 0)
        let resident = pages.count { $0 & 1 != 0 }
        #expect(resident <= 10, "\(resident) pages")
      }
    }
  #endif

  /// In a process of its own, whose address space is limited: without memory for a larger one the
  /// cache stays as it is, and makes room for what is new.
  @Test func itStaysSmallWithoutMemory() async {
    await #expect(processExitsWith: .success) {
      let tests = UnwindCacheTests()
      try tests.withCache { setting in
        let first = tests.chained(0..<20)
        for _ in 0..<3 { setting.call(from: first) }
        let memory = ct_thread().pointee.unwind_cache
        // Room for the test, and none for the cache.
        free(malloc(100_000))
        let pages = try #require(
          String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ").first
            .flatMap { Int($0) })
        var limit = rlimit()
        limit.rlim_cur = rlim_t(pages) * 4096 + 131_072
        limit.rlim_max = limit.rlim_cur
        precondition(setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0)
        for room in stride(from: 64, to: 4000, by: 8) {
          setting.stack.room = room
          let stack = [tests.pool.chained[room % 100]] + tests.chained(30..<34)
          let known = (0..<3).map { _ in setting.call(from: stack) }
          precondition(known == [false, false, true])
        }
        precondition(ct_thread().pointee.unwind_cache == memory)
      }
    }
  }

  /// The entry at which the cache begins to look; `itNeverTakesOneStackForAnother` does not depend
  /// on it.
  private func home(_ address: UInt, _ frame: UInt) -> UInt {
    let mixed = (address &* 0x9E37_79B9_7F4A_7C15 ^ frame) &* 0xD6E8_FEB8_6659_FD93
    return mixed >> UInt(64 - UnwindCache.Geometry.largest.entryBits)
  }

  @Test func aFullCacheStartsAnew() throws {
    try withCache { setting in
      var random = SeededGenerator.printingSeed()
      // Stacks that share nothing, each with as many plain slots as fit.
      let stack = setting.stack
      var slots = 0
      var wasReset = false
      for round in 0..<1500 {
        let activations =
          (0..<120).map { _ in pool.plain.randomElement(using: &random)! } + [pool.outermost[0]]
        stack.write(activations, noise: UInt(round) << 20)
        for _ in 0..<2 { setting.insert(activations, StackID(rawValue: UInt32(round + 1))) }
        let found = UnwindCache.stack(at: stack.call(activations), unloads: 0)
        #expect(found == StackID(rawValue: UInt32(round + 1)))
        #if BSTRTRACE_CHECK_INVARIANTS
          if round % 50 != 0 { continue }
          let now = UnwindCache.usage().slots
          if now < slots { wasReset = true }
          slots = now
        #endif
      }
      #if BSTRTRACE_CHECK_INVARIANTS
        #expect(wasReset)
        #expect(UnwindCache.violations() == [])
      #endif
    }
  }

  @Test func unloadingEmptiesIt() throws {
    try withCache { setting in
      let stack = chained(0..<20)
      for _ in 0..<3 { setting.call(from: stack) }
      setting.unloads = 1
      let known = (0..<3).map { _ in setting.call(from: stack) }
      #expect(known == [false, false, true])
    }
  }

  /// Frames of all shapes, ever changed a little: whatever the cache says is what libunwind says.
  @Test func itNeverTakesOneStackForAnother() throws {
    try withCache { setting in
      var random = SeededGenerator.printingSeed()
      func activation() -> Activation {
        switch Int.random(in: 0..<4, using: &random) {
        case 0, 1: pool.chained.prefix(30).randomElement(using: &random)!
        case 2: pool.saving.prefix(20).randomElement(using: &random)!
        default: pool.plain.prefix(20).randomElement(using: &random)!
        }
      }
      func fresh() -> [Activation] {
        (0..<Int.random(in: 1...30, using: &random)).map { _ in activation() }
          + [pool.outermost[0]]
      }
      var known = (0..<8).map { _ in fresh() }
      for _ in 0..<4000 {
        let index = Int.random(in: 0..<known.count, using: &random)
        switch Int.random(in: 0..<60, using: &random) {
        case 0: known[index] = fresh()
        case 1:
          let frame = Int.random(in: 0..<known[index].count - 1, using: &random)
          known[index][frame] = activation()
        case 2 where known[index].count > 2:
          known[index].remove(at: Int.random(in: 0..<known[index].count - 1, using: &random))
        case 3: setting.unloads += Bool.random(using: &random) ? 0 : 1
        default: break
        }
        setting.call(from: known[index])
      }
      // It is a cache, after all.
      #expect(setting.hits > setting.unwound)
      print("\(setting.hits) hits, \(setting.unwound) unwound, \(setting.ids.count) stacks")
    }
  }
}
