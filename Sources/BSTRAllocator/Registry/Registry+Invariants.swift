// The invariants of a registry, which tests check after each of their steps. Not part of release
// builds.

#if BSTRTRACE_CHECK_INVARIANTS
  import CTracker
  import Synchronization
  import TraceStore

  extension Registry {
    /// Returns the violated invariants as sentences; none when all hold.
    ///
    /// No other thread uses the registry.
    func violations(in store: borrowing StoreWriter) -> [String] {
      var violations: [String] = []
      var pooledBytes = 0
      for index in 0..<Self.shardCount {
        violations += shardViolations(index, in: store)
        pooledBytes += unsafe shards[index].freed.sumOfQuarantinedBytes(isPooled: true)
      }
      if pooledBytes != pool.load(ordering: .relaxed) {
        violations.append("the pool's bytes are not the sum of its blocks'")
      }
      return violations
    }

    /// Returns the violated invariants of the shard that a block belongs to.
    func violations(around block: UInt, in store: borrowing StoreWriter) -> [String] {
      shardViolations(Self.index(for: ct_hash(block)), in: store)
    }

    /// Returns the blocks that the filter is to count: live or quarantined.
    func filteredBlocks() -> [UInt] {
      var blocks: [UInt] = []
      for index in 0..<Self.shardCount {
        unsafe shards[index].blocks.forEach { block, entry, _ in
          if entry.isLive { blocks.append(block) }
        }
        unsafe shards[index].freed.forEachQuarantined { blocks.append($0.block) }
      }
      return blocks
    }

    private func shardViolations(_ index: Int, in store: borrowing StoreWriter) -> [String] {
      let shard = unsafe shards + index
      var violations = unsafe shard.pointee.blocks.violations()
      violations += unsafe shard.pointee.freed.violations()
      func check(_ holds: Bool, _ what: @autoclosure () -> String) {
        if !holds { violations.append(what()) }
      }
      // The taken records, each with its block.
      var owners: [UInt32: UInt] = [:]
      unsafe shard.pointee.blocks.forEach { block, entry, _ in
        check(Self.index(for: ct_hash(block)) == index, "\(block) is in another shard's table")
        if entry.isLive {
          check(ct_filter_may_hold(block), "\(block) is live, and the filter does not know it")
        }
        if let freedIndex = entry.freedIndex {
          let freed = unsafe shard.pointee.freed[freedIndex]
          check(freed?.block == block, "\(block) is remembered where another block is")
        }
        guard let recordIndex = unsafe recordIndex(of: entry, in: shard) else { return }
        check(
          owners.updateValue(block, forKey: recordIndex) == nil,
          "record \(recordIndex) has two blocks")
        let record = unsafe self.recordPointer(at: recordIndex, shard).pointee
        check(record.identity != 0, "\(block) has a record that is free")
        let layout = BlockLayout(record.layout)
        check(
          UInt(record.address) - UInt(layout.stringLayout.payloadOffset) == block,
          "\(block) has another block's record")
      }
      unsafe shard.pointee.freed.forEachQuarantined { freed in
        check(
          ct_filter_may_hold(freed.block),
          "\(freed.block) is in quarantine, and the filter does not know it")
      }
      // The free list has each of the other records once.
      var free: Set<UInt32> = []
      var next = unsafe shard.pointee.free
      let recordCount = unsafe shard.pointee.recordCount
      while next != 0 {
        let freeIndex = next - 1
        guard freeIndex < recordCount, free.insert(freeIndex).inserted else {
          violations.append("the free list names \(freeIndex) twice, or what is no record")
          break
        }
        check(owners[freeIndex] == nil, "record \(freeIndex) is free, and a block's")
        let record = unsafe self.recordPointer(at: freeIndex, shard).pointee
        check(record.identity == 0, "record \(freeIndex) is free, and shows as a block")
        next = UInt32(truncatingIfNeeded: record.addressAndLayout)
      }
      check(
        free.count + owners.count == Int(recordCount),
        "\(Int(recordCount) - free.count - owners.count) records are neither free nor a block's")
      return violations.map { "shard \(index): \($0)" }
    }
  }

  extension BlockTable {
    /// Calls `body` with each block, its entry and its slot.
    func forEach(_ body: (UInt, BlockEntry, Int) -> Void) {
      guard let words = unsafe words else { return }
      for slot in 0...mask where unsafe words[slot] != 0 {
        body(UInt(unsafe words[slot] >> Self.entryBits) << 3, self[slot], slot)
      }
    }

    /// Returns the violated invariants of the table.
    func violations() -> [String] {
      var violations: [String] = []
      func check(_ holds: Bool, _ what: @autoclosure () -> String) {
        if !holds { violations.append(what()) }
      }
      var found = 0
      forEach { block, _, slot in
        found += 1
        // It is the only entry of its block, and no gap is before it.
        check(self.slot(of: block, ct_hash(block)) == slot, "\(block) is not found where it is")
      }
      check(found == count, "\(found) entries are counted as \(count)")
      check(count <= max(limit, 0) && limit < max(mask + 1, 1), "the table is too full")
      check((mask + 1) & mask == 0, "the slots are no power of two")
      return violations
    }
  }

  extension FreedBlocks {
    /// Calls `body` with each quarantined block.
    func forEachQuarantined(_ body: (FreedBlock) -> Void) {
      guard let blocks = unsafe blocks else { return }
      for index in 0..<Self.capacity where unsafe blocks[index].quarantinedBytes > 0 {
        body(unsafe blocks[index])
      }
    }

    /// Returns the bytes of the quarantined blocks that count against the pool, or of the others.
    func sumOfQuarantinedBytes(isPooled: Bool) -> Int {
      var sum = 0
      forEachQuarantined { if $0.isPooled == isPooled { sum += $0.quarantinedBytes } }
      return sum
    }

    /// Returns the violated invariants of the quarantine.
    func violations() -> [String] {
      var violations: [String] = []
      func check(_ holds: Bool, _ what: @autoclosure () -> String) {
        if !holds { violations.append(what()) }
      }
      check(
        sumOfQuarantinedBytes(isPooled: false) == quarantinedBytes,
        "the bytes are not the sum of the blocks'")
      check(oldestQuarantined <= added, "the oldest block is one that is not there")
      check(added - oldestQuarantined <= Self.capacity, "more blocks are quarantined than fit")
      guard let blocks = unsafe blocks else {
        check(added == 0, "blocks are counted without memory")
        return violations
      }
      // Blocks before the oldest quarantined one were evicted.
      let span = max(oldestQuarantined, added - Self.capacity)..<added
      var indices: Set<Int> = []
      for position in span { indices.insert(Self.index(position)) }
      for index in 0..<Self.capacity where !indices.contains(index) {
        check(
          unsafe blocks[index].quarantinedBytes == 0, "a block is quarantined that is out of turn")
      }
      return violations
    }
  }
#endif
