import CTracker
import Glibc
import TestSupport
import Testing
import TraceStore

@testable import BSTRAllocator

/// The registry against a dictionary, and its store against the registry.
@Suite struct RegistryTests {
  private static let layout = BlockLayout(stringLayout: .windows, hasGuard: true)

  private func record(_ block: UInt, _ serial: UInt64, bytes: UInt32 = 2) -> BlockRecord {
    BlockRecord(
      address: UInt64(block + 8),
      layout: StoredLayout(olecharBytes: 2, payloadOffset: 8, hasGuard: serial != 0),
      serial: serial, byteLength: bytes, stack: .none, thread: 1,
      milliseconds: 0)
  }

  private func release(
    _ block: UInt, from registry: borrowing Registry, in store: borrowing StoreWriter
  ) -> String {
    var evicted: UInt?
    return release(block, from: registry, in: store, evicting: &evicted)
  }

  private func release(
    _ block: UInt, from registry: borrowing Registry, in store: borrowing StoreWriter,
    evicting evicted: inout UInt?
  ) -> String {
    let thread = ct_enter()
    defer { ct_leave(thread) }
    var result = Registry.FreeResult()
    let outcome = registry.free(
      block, by: EventContext(), Self.layout, alwaysReport: false, &result, in: store)
    if result.slowPath.contains(.rebalance) {
      registry.evictFromAnotherShard(nextTo: block, &result)
    }
    evicted = result.evicted == 0 ? nil : result.evicted
    return switch outcome {
    case .own(let isHeld):
      result.slowPath.contains(.report) ? "corrupted" : isHeld ? "held" : "own"
    case .unrecorded: "unrecorded"
    case .inherited: "inherited"
    case .unknown, .unwatched: "unknown"
    }
  }

  /// Blocks of 64 bytes each, as the functions fill them: prefix, guard and all.
  private func withBlocks(_ count: Int, bytes: Int = 2, _ body: ([UInt]) throws -> Void) throws {
    let blocks = (0..<count).compactMap { _ in malloc(64) }
    defer { for block in blocks { free(block) } }
    for block in blocks { Self.fill(block, bytes) }
    try body(blocks.map { UInt(bitPattern: $0) })
  }

  private static func fill(_ block: UnsafeMutableRawPointer, _ bytes: Int) {
    memset(block, 0, 64)
    (block + 4).storeBytes(of: UInt32(bytes), as: UInt32.self)
    layout.setGuard(of: block + 8, bytes)
  }

  @Test func storeShowsExactlyTheLiveBlocks() throws {
    let registry = Registry(.none)
    let writer = StoreWriter(in: try Region.anonymous())
    writer.publish()
    var generator = SeededGenerator(seed: 7)
    var model: [UInt: UInt64] = [:]
    try withBlocks(5000) { blocks in
      for serial in 1...UInt64(30_000) {
        guard let block = blocks.randomElement(using: &generator) else { return }
        if model[block] != nil {
          expectEachTime(release(block, from: registry, in: writer) == "own", "\(serial)")
          model[block] = nil
        } else {
          let isRecorded = registry.insert(block, record(block, serial), in: writer)
          expectEachTime(isRecorded, "\(serial)")
          model[block] = serial
        }
      }
      #expect(release(64, from: registry, in: writer) == "unknown")
    }
    var live: [UInt: UInt64] = [:]
    try StoreImage(bytes: writer.bytes).forEachLiveBlock { block in
      live[UInt(block.address - 8)] = block.serial
    }
    #expect(live == model)
    // A small live set needs few records, however long it goes on.
    #expect(writer.used(of: .blocks) <= (5000 * 3 / 2) * MemoryLayout<BlockRecord>.stride)
    for block in model.keys {
      expectEachTime(registry.owns(block), "\(block)")
    }
  }

  @Test(arguments: [4, 255, 256, 100_000])
  func quarantineStaysWithinItsLimitsAndGivesBackEachBlockOnce(blocksInShard: Int) throws {
    let limits = QuarantineLimits(
      processBytes: 64 << 20, processBlocks: 64 * blocksInShard, shards: 64)
    let registry = Registry(limits)
    let writer = StoreWriter(in: try Region.anonymous())
    var generator = SeededGenerator(seed: 11)
    try withBlocks(24_000, bytes: 14) { blocks in
      var held: Set<UInt> = []
      var given: [UInt: Int] = [:]
      for (index, block) in blocks.enumerated() {
        _ = registry.insert(block, record(block, UInt64(index + 1), bytes: 14), in: writer)
        if Bool.random(using: &generator) {
          Self.layout.setGuard(of: UnsafeMutableRawPointer(bitPattern: block + 8)!, 14)
        }
        var evicted: UInt?
        let outcome = release(block, from: registry, in: writer, evicting: &evicted)
        expectEachTime(outcome == "held", "\(index): \(outcome)")
        held.insert(block)
        expectEachTime(registry.owns(block), "\(index) is not owned")
        while let oldest = evicted ?? registry.takeOldest(nextTo: block)?.block {
          evicted = nil
          expectEachTime(held.remove(oldest) != nil, "\(index): evicted, and was not held")
          given[oldest, default: 0] += 1
          expectEachTime(!registry.owns(oldest), "\(index): evicted, and owned")
        }
      }
      #expect(held.count <= 64 * blocksInShard)
      #expect(held.count >= 64 * min(blocksInShard, 255) / 2)
      registry.emptyQuarantine { freed in
        expectEachTime(held.remove(freed.block) != nil, "evicted, and was not held")
        given[freed.block, default: 0] += 1
      }
      #expect(held.isEmpty)
      #expect(given.count == 24_000)
      #expect(given.values.allSatisfy { $0 == 1 })
    }
  }

  @Test func whoMovesTakesFromOtherShardsAndNothingTwice() throws {
    let limits = QuarantineLimits(processBytes: 64 << 20, processBlocks: 64 * 8, shards: 64)
    let registry = Registry(limits)
    let writer = StoreWriter(in: try Region.anonymous())
    let thread = ct_enter()
    defer { ct_leave(thread) }
    try withBlocks(4000) { blocks in
      var held: Set<UInt> = []
      for (index, block) in blocks.enumerated() {
        _ = registry.insert(block, record(block, UInt64(index + 1)), in: writer)
        var evicted: UInt?
        #expect(release(block, from: registry, in: writer, evicting: &evicted) == "held")
        held.insert(block)
        if let evicted { held.remove(evicted) }
      }
      #expect(held.count > 64 * 7)
      // Half of each shard's can be taken, and then what is over the limit of the block's own:
      // nothing.
      var taken = 0
      for _ in 0..<2000 {
        var result = Registry.FreeResult()
        registry.evictFromAnotherShard(nextTo: blocks[0], &result)
        if result.evicted == 0 { continue }
        #expect(held.remove(result.evicted) != nil)
        #expect(result.slowPath.isEmpty)
        taken += 1
      }
      #expect(taken > 64 * 3)
      #expect(held.count == 64 * 4)
    }
  }

  @Test func aBlocksHistoryOutlivesItsMemoryUntilTheAddressIsGivenOutAgain() throws {
    let registry = Registry(.none)
    let writer = StoreWriter(in: try Region.anonymous())
    try withBlocks(1) { blocks in
      let block = blocks[0]
      _ = registry.insert(block, record(block, 1), in: writer)
      #expect(release(block, from: registry, in: writer) == "own")
      guard case .freed(let freed, isReused: false) = registry.state(of: block) else {
        Issue.record("forgotten")
        return
      }
      #expect(freed.record.serial == 1)
      _ = registry.insert(block, record(block, 2), in: writer)
      guard case .live = registry.state(of: block) else {
        Issue.record("not live")
        return
      }
      #expect(release(block, from: registry, in: writer) == "own")
      guard case .freed(let again, isReused: true) = registry.state(of: block) else {
        Issue.record("the earlier life is forgotten")
        return
      }
      #expect(again.record.serial == 2)
    }
  }

  /// What is forgotten of an old release must not touch what lives at its address meanwhile.
  @Test func whatLivesStaysKnownWhenItsEarlierLifeIsForgotten() throws {
    let registry = Registry(.none)
    let writer = StoreWriter(in: try Region.anonymous())
    // Of 64 shards, so that each has more of them than it remembers.
    try withBlocks(64 * FreedBlocks.capacity * 2) { blocks in
      let (reused, others) = (blocks.prefix(1000), blocks.dropFirst(1000))
      for block in reused {
        _ = registry.insert(block, record(block, 1), in: writer)
        #expect(release(block, from: registry, in: writer) == "own")
        _ = registry.insert(block, record(block, 2), in: writer)
      }
      for block in others {
        _ = registry.insert(block, record(block, 3), in: writer)
        expectEachTime(release(block, from: registry, in: writer) == "own", "\(block)")
      }
      // Those at the front are forgotten, those at the end are not, and all that lives is known.
      let first = registry.owns(others.first!)
      let last = registry.state(of: others.last!)
      #expect(!first)
      guard case .freed = last else {
        Issue.record("forgotten too early")
        return
      }
      #expect(reused.allSatisfy { registry.owns($0) })
      #expect(reused.allSatisfy { release($0, from: registry, in: writer) == "own" })
    }
  }

  /// Of a foreign block that is released again at the same address, the latest release is
  /// remembered.
  @Test func aForeignBlockMayBeReleasedAgain() throws {
    let registry = Registry(.none)
    let writer = StoreWriter(in: try Region.anonymous())
    try withBlocks(64 * FreedBlocks.capacity) { blocks in
      for round: UInt32 in 1...3 {
        let moment = EventContext(thread: round)
        let isHeld = registry.quarantine(
          foreign: blocks[0], record(blocks[0], 0), by: moment)
        #expect(!isHeld)
        guard case .freed(let freed, _) = registry.state(of: blocks[0]) else {
          Issue.record("forgotten")
          return
        }
        #expect(freed.freeing.thread == round)
      }
      // It is forgotten as others are, each of its lives once.
      for block in blocks.dropFirst() {
        _ = registry.insert(block, record(block, 1), in: writer)
        expectEachTime(release(block, from: registry, in: writer) == "own", "\(block)")
      }
      let isKnown = registry.owns(blocks[0])
      #expect(!isKnown)
    }
  }

  /// What stands behind a foreign string is made good when it is taken in, so that it is not told
  /// as written later.
  @Test func aForeignBlockThatCameDamagedIsNotWrittenToAfterItsRelease() throws {
    let registry = Registry(Self.room)
    try withBlocks(1) { blocks in
      UnsafeMutablePointer<UInt16>(bitPattern: blocks[0] + 8)![1] = 0x41
      let isHeld = registry.quarantine(
        foreign: blocks[0], record(blocks[0], 0), by: EventContext())
      #expect(isHeld)
      #expect(damagedBlocks(in: registry) == 0)
      UnsafeMutablePointer<UInt16>(bitPattern: blocks[0] + 8)![1] = 0x41
      #expect(damagedBlocks(in: registry) == 1)
    }
  }

  @Test func whatIsWrittenInQuarantineIsToldOnce() throws {
    let registry = Registry(Self.room)
    let writer = StoreWriter(in: try Region.anonymous())
    try withBlocks(1) { blocks in
      _ = registry.insert(blocks[0], record(blocks[0], 1), in: writer)
      #expect(release(blocks[0], from: registry, in: writer) == "held")
      #expect(damagedBlocks(in: registry) == 0)
      // Characters, terminator and guard.
      memset(UnsafeMutableRawPointer(bitPattern: blocks[0] + 8)!, 0x41, 12)
      #expect(damagedBlocks(in: registry) == 1)
      #expect(damagedBlocks(in: registry) == 0)
    }
  }

  private static let room = QuarantineLimits(
    processBytes: 64 << 20, processBlocks: 64 * 8, shards: 64)

  private func damagedBlocks(in registry: borrowing Registry) -> Int {
    var place = Registry.QuarantinePosition()
    var count = 0
    while registry.nextCorrupted(from: &place, in: nil) != nil { count += 1 }
    return count
  }

  @Test func whatIsToBeToldFitsIntoAThreadsScratchMemory() {
    #expect(MemoryLayout<Registry.Details>.stride <= Int(CT_SCRATCH_WORDS) * 8)
  }

  /// The limits are for memory, of which a string that was shortened takes as much as before.
  @Test func aShortenedStringIsHeldForAllOfItsMemory() throws {
    // Room for one block in each shard.
    let limits = QuarantineLimits(processBytes: 2 * 64 * 1000, processBlocks: 64 * 100, shards: 64)
    let registry = Registry(limits)
    let writer = StoreWriter(in: try Region.anonymous())
    let blocks = (0..<1000).compactMap { _ in malloc(600) }
    defer { for block in blocks { free(block) } }
    var held = 0
    for (index, memory) in blocks.enumerated() {
      memset(memory, 0, 600)
      let block = UInt(bitPattern: memory)
      Self.layout.setGuard(of: memory + 8, 500)
      _ = registry.insert(block, record(block, UInt64(index + 1), bytes: 500), in: writer)
      registry.shorten(block, to: 2, in: writer)
      var evicted: UInt?
      if release(block, from: registry, in: writer, evicting: &evicted) == "held" { held += 1 }
      if evicted != nil { held -= 1 }
      while registry.takeOldest(nextTo: block) != nil { held -= 1 }
    }
    #expect(held <= 64)
    #expect(held > 32)
    registry.emptyQuarantine { _ in held -= 1 }
    #expect(held == 0)
  }

  @Test func damageIsSeenAtReleaseAndOnlyOnceByInspection() throws {
    let registry = Registry(.none)
    let writer = StoreWriter(in: try Region.anonymous())
    try withBlocks(2) { blocks in
      for (index, block) in blocks.enumerated() {
        _ = registry.insert(block, record(block, UInt64(index + 1)), in: writer)
        // One character behind the terminator.
        UnsafeMutablePointer<UInt16>(bitPattern: block + 8)![2] = 0x41
      }
      #expect(release(blocks[0], from: registry, in: writer) == "corrupted")
      let first = registry.inspect(blocks[1], in: writer)?.corruption.trailer
      #expect(first?.kind == .overrun)
      #expect(first?.offset == 4)
      #expect(first?.count == 2)
      #expect(first?.found ?? 0 == 0xFBFB_FBFB_FBFB_0041)
      let second = registry.inspect(blocks[1], in: writer)?.corruption.trailer
      #expect(second == nil)
    }
  }

  @Test func aForkedChildKnowsItsInheritanceAndStartsAnew() throws {
    let registry = Registry(.none)
    let parents = StoreWriter(in: try Region.anonymous())
    try withBlocks(2) { blocks in
      let inserted = blocks.map { registry.insert($0, record($0, 1), in: parents) }
      #expect(inserted == [true, true])
      registry.renewInForkedChild()
      let childs = StoreWriter(in: try Region.anonymous())
      childs.publish()
      #expect(release(blocks[0], from: registry, in: childs) == "inherited")
      // The same address, given out again by the child's heap.
      let isRecorded = registry.insert(blocks[0], record(blocks[0], 1), in: childs)
      #expect(isRecorded)
      #expect(release(blocks[0], from: registry, in: childs) == "own")
      let isStillKnown = registry.owns(blocks[1])
      #expect(isStillKnown)
      var live = 0
      try StoreImage(bytes: childs.bytes).forEachLiveBlock { _ in live += 1 }
      #expect(live == 0)
    }
  }
}
