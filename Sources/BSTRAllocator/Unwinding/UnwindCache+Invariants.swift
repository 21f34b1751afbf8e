// Checks the invariants of an unwind cache's memory, for tests, after each of their steps. Not part
// of release builds.

#if BSTRTRACE_CHECK_INVARIANTS
  import CTracker
  import TraceStore

  extension UnwindCache {
    /// The counts of entries and slots in use of the calling thread's cache.
    struct Usage: Equatable {
      /// Entries whose slots are known.
      var known = 0
      /// Entries on probation: of stacks that were unwound once.
      var probation = 0
      /// Entries with unsupported call frame information.
      var unsupported = 0
      /// Slots outside of entries.
      var slots = 0
      /// The count of entries that there are, as a power of two.
      var entryBits = 0
    }

    /// Counts the entries and slots in use of the calling thread's cache.
    static func usage() -> Usage {
      var usage = Usage()
      guard let memory = unsafe ct_thread().pointee.unwind_cache else { return usage }
      usage.entryBits = unsafe geometry(of: memory).entryBits
      usage.slots = unsafe Int(memory.assumingMemoryBound(to: Cache.self).pointee.slotsUsed)
      unsafe forEachEntry(in: memory) { entry, _ in
        if entry.isKnown {
          usage.known += 1
        } else if entry.id == Entry.uncacheable {
          usage.unsupported += 1
        } else {
          usage.probation += 1
        }
      }
      return usage
    }

    /// Returns the violated invariants of the calling thread's cache, in sentences; none where all
    /// hold.
    static func violations() -> [String] {
      var violations: [String] = []
      func check(_ holds: Bool, _ what: @autoclosure () -> String) {
        if !holds { violations.append(what()) }
      }
      // `branchKey` combines an entry's id and twice a slot's index, which must not overlap.
      check(MemoryLayout<Entry>.stride == 64, "an entry is no cache line")
      check(MemoryLayout<Slot>.stride == 16, "a slot is not 16 bytes")
      check(2 * (Geometry.largest.bytes / 16) < 1 << 20, "a slot's index does not fit an origin")
      guard let memory = unsafe ct_thread().pointee.unwind_cache else { return violations }
      let cache = unsafe memory.assumingMemoryBound(to: Cache.self).pointee
      let geometry = unsafe geometry(of: memory)
      check(geometry.slotOffset % 16 == 0, "slots are not aligned")
      check(
        Int(cache.entryMask) == (1 << geometry.entryBits - 1) * 64,
        "the mask does not fit the count of entries")
      let firstSlot = UInt32(geometry.slotOffset / 16)
      let endSlot = firstSlot + cache.slotsUsed
      check(Int(cache.slotsUsed) <= geometry.slotCount, "more slots are used than there are")

      var ids: Set<UInt32> = []
      var keys: Set<[UInt]> = []
      unsafe forEachEntry(in: memory) { entry, index in
        let home = unsafe homeSlot(entry.word, entry.origin, in: memory)
        let distance = unsafe entries(in: memory) + index - home
        check((0..<ways).contains(distance), "entry \(index) is \(distance) from its home")
        check(
          keys.insert([entry.word, entry.origin]).inserted, "entry \(index) is there twice")
        check(entry.stack != .none, "entry \(index) has no stack")
        guard entry.isKnown else { return }
        check(entry.id <= cache.idsUsed, "entry \(index) has an id that was not given out")
        check(ids.insert(entry.id).inserted, "entry \(index) has the id of another")
        let (own, shared) = (entry.slots.runs[0], entry.slots.runs[1])
        let inEntry = unsafe Self.index(
          of: UnsafeRawPointer(entries(in: memory) + index + 1).assumingMemoryBound(to: Slot.self),
          memory)
        let isInEntry = own.first == inEntry - 1 && own.links + own.words == 1
        check(
          isInEntry || own.first >= firstSlot && own.end <= endSlot,
          "entry \(index) has slots of its own that are not in use")
        check(
          shared.first == 0 ? shared.end == 0 : shared.first >= firstSlot && shared.end <= endSlot,
          "entry \(index) shares slots that are not in use")
        check(
          Int(own.links + own.words + shared.links + shared.words) <= maxSlotsOfStack,
          "entry \(index) has more slots than a stack")
        check(own.words == 0 || shared.links == 0, "entry \(index) has a plain slot before a link")
        for run in [own, shared] {
          for offset in 0..<UInt32(run.links) + UInt32(run.words) {
            let slot = unsafe slot(run.first + offset, memory).pointee
            let tag: UInt = offset < run.links ? 0 : Slot.isWord
            check(slot.first % 8 == tag, "entry \(index) has a slot of the wrong kind")
          }
        }
        checkChain(of: entry, index, own, shared)
      }

      /// Checks that callers are at higher addresses: the comparison of several links at once
      /// relies on it.
      func checkChain(of entry: Entry, _ index: Int, _ own: Run, _ shared: Run) {
        // The frame of a branch's first link is not known.
        var frame = entry.origin >> 63 == 0 ? entry.origin : 0
        for run in [own, shared] {
          for offset in 0..<UInt32(run.links) {
            let next = unsafe slot(run.first + offset, memory).pointee.first
            check(next > frame, "entry \(index) has a chain that goes down")
            frame = next
          }
        }
      }

      let index = unsafe (memory + geometry.indexOffset).assumingMemoryBound(to: UInt32.self)
      for cell in 0..<1 << geometry.indexBits {
        let slot = unsafe index[cell]
        check(slot == 0 || (firstSlot..<endSlot).contains(slot), "an unused slot is shared")
      }
      return violations
    }

    private static func entries(
      in memory: UnsafeMutableRawPointer
    ) -> UnsafeMutablePointer<Entry> {
      unsafe (memory + Geometry.entryOffset).assumingMemoryBound(to: Entry.self)
    }

    private static func forEachEntry(
      in memory: UnsafeMutableRawPointer, _ body: (Entry, Int) -> Void
    ) {
      let entries = unsafe entries(in: memory)
      for index in unsafe 0..<geometry(of: memory).entryCount
      where unsafe entries[index].origin != 0 {
        unsafe body(entries[index], index)
      }
    }
  }

  extension UnwindCache.Run {
    /// One past the last slot's index.
    fileprivate var end: UInt32 { first + UInt32(links) + UInt32(words) }
  }
#endif
