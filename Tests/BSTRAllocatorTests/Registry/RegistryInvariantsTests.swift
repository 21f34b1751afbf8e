#if BSTRTRACE_CHECK_INVARIANTS
  import CTracker
  import CTrackerTesting
  import Glibc
  import TestSupport
  import Testing
  import TraceStore

  @testable import BSTRAllocator

  /// A registry under all that can happen to it, whose structure is checked after each step.
  @Suite struct RegistryInvariantsTests {
    private static let layout = BlockLayout(stringLayout: .windows, hasGuard: true)
    private static let blockBytes = 600

    private static func record(_ block: UInt, _ serial: UInt64, bytes: Int) -> BlockRecord {
      BlockRecord(
        address: UInt64(block + 8),
        layout: StoredLayout(olecharBytes: 2, payloadOffset: 8, hasGuard: serial != 0),
        serial: serial, byteLength: UInt32(bytes), stack: .none, thread: 1, milliseconds: 0)
    }

    private static func fill(_ block: UInt, bytes: Int) {
      let memory = UnsafeMutableRawPointer(bitPattern: block)!
      memset(memory, 0, blockBytes)
      (memory + 4).storeBytes(of: UInt32(bytes), as: UInt32.self)
      layout.setGuard(of: memory + 8, bytes)
    }

    /// Frees, as the tracker does, and lets go of what is over the limits.
    private static func release(
      _ block: UInt, from registry: borrowing Registry, in store: borrowing StoreWriter
    ) {
      var result = Registry.FreeResult()
      _ = registry.free(
        block, by: EventContext(), layout, alwaysReport: false, &result, in: store)
      if result.slowPath.contains(.rebalance) {
        registry.evictFromAnotherShard(nextTo: block, &result)
      }
      if result.slowPath.contains(.overBudget) {
        while registry.takeOldest(nextTo: block) != nil {}
      }
    }

    /// Runs random steps over a few blocks.
    ///
    /// - Parameter check: is given the block of each step.
    private static func run(
      steps: Int, _ generator: inout SeededGenerator, _ registry: borrowing Registry,
      check: (UInt, borrowing StoreWriter, String) -> Void
    ) throws {
      var store = StoreWriter(in: try Region.anonymous())
      let thread = try #require(ct_enter())
      defer { ct_leave(thread) }
      let blocks = (0..<300).compactMap { _ in malloc(blockBytes).map { UInt(bitPattern: $0) } }
      defer { for block in blocks { free(UnsafeMutableRawPointer(bitPattern: block)) } }
      for step in 1...steps {
        let block = blocks.randomElement(using: &generator)!
        let bytes = 2 * Int.random(in: 0...250, using: &generator)
        let name: String
        switch (registry.owns(block), Int.random(in: 0..<100, using: &generator)) {
        case (_, 0):
          name = "fork"
          registry.renewInForkedChild()
          store = StoreWriter(in: try Region.anonymous())
        case (_, 1):
          name = "empty the quarantine"
          registry.emptyQuarantine { _ in }
        case (true, 2...20):
          name = "shorten"
          registry.shorten(block, to: 0, in: store)
        case (true, 21...30):
          name = "take"
          _ = registry.take(block, in: store)
        case (true, 31...40):
          name = "forget"
          _ = registry.forget(block, in: store)
        case (true, _):
          name = "free"
          release(block, from: registry, in: store)
        case (false, 2...20):
          name = "hold a foreign block"
          fill(block, bytes: bytes)
          _ = registry.quarantine(
            foreign: block, record(block, 0, bytes: bytes), by: EventContext())
        case (false, _):
          name = "insert"
          fill(block, bytes: bytes)
          _ = registry.insert(block, record(block, UInt64(step), bytes: bytes), in: store)
        }
        check(block, store, "step \(step): \(name)")
      }
      registry.emptyQuarantine { _ in }
      for block in blocks { _ = registry.take(block, in: store) }
      check(blocks[0], store, "at the end")
    }

    private static var limits: [QuarantineLimits] {
      [
        .none,
        // A few blocks in each shard, and large ones in the pool.
        QuarantineLimits(processBytes: 64 * 2 * 400, processBlocks: 64 * 3, shards: 64),
        QuarantineLimits(processBytes: 64 << 20, processBlocks: 64 * 255, shards: 64),
      ]
    }

    @Test(arguments: 0..<3) func structureHoldsAfterEachStep(limits: Int) throws {
      var generator = SeededGenerator.printingSeed("\(#function) \(limits)")
      let registry = Registry(Self.limits[limits])
      var steps = 0
      try Self.run(steps: 2500, &generator, registry) { block, store, step in
        steps += 1
        let here = registry.violations(around: block, in: store)
        #expect(here == [], "\(step)")
        if steps % 100 == 0 || step == "at the end" {
          let all = registry.violations(in: store)
          #expect(all == [], "\(step)")
        }
      }
    }

    /// In a process of its own, for the filter is the process's.
    @Test func theFilterCountsWhatThereIs() async {
      await #expect(processExitsWith: .success) {
        var generator = SeededGenerator.printingSeed()
        for limits in RegistryInvariantsTests.limits {
          let registry = Registry(limits)
          var steps = 0
          try RegistryInvariantsTests.run(steps: 1200, &generator, registry) { _, _, step in
            let blocks = registry.filteredBlocks()
            // A million cells are not summed up each time.
            steps += 1
            if steps % 100 == 0 { precondition(ctt_filter_total() == blocks.count, step) }
            precondition(blocks.allSatisfy { ct_filter_count($0) > 0 }, step)
          }
          precondition(ctt_filter_total() == 0)
        }
      }
    }
  }
#endif
