// Looks for what refers to strings: pass by pass over the process's memory, first for the strings,
// then for the heap blocks that refer to them. Writes nothing; Tracker+Holders.swift does.

import CTracker
import Glibc
import TraceStore

/// A search for holders.
///
/// Each word whose value is an address of a target counts as a reference; types are not known. What
/// it says explains a leak, and makes none.
struct HolderSearch: ~Copyable {
  private(set) var targets: PrivateArray<ScanTarget>
  private(set) var references: PrivateArray<ScanReference>
  private var hits: ScanHits
  private var regions: ScanRegions
  private let memory: MemoryReader
  /// The targets that are heap blocks, by their starts.
  private var blocks = AddressMap()
  /// For each size of block, offset in it and stack of a string, the index of a string of which a
  /// block has a reference there, plus 2; 1 where there are several: copies of one say nothing.
  private var siblings = AddressMap()
  private let stringCount: Int
  private let tcacheKey: UInt
  /// The last chunk of the main heap; 0 where it is not known.
  private var mainTop: UInt = 0
  private var freeLists = HeapFreeLists()
  /// Whether the first pass was cut short, or there was no room: of what was not found nothing can
  /// be said then.
  private(set) var hasMissedHolders = false
  /// Whether time ran out.
  private(set) var isCutShort = false

  /// Whether there may be references that were not seen, though the search was made to its end.
  var isPartial: Bool { regions.areIncomplete || !memory.knowsPages || mainTop == 0 }

  /// The limit of heap blocks in a chain.
  static let maxBlocks = 4
  private static let maxHits = 1 << 17
  private static let maxReferences = 1 << 18
  private static let maxTargets = 1 << 17

  /// Prepares a search.
  ///
  /// - Parameters:
  ///   - strings: what is looked for.
  ///   - ownStack: the lowest address of the calling thread's stack that is the program's; 0 where
  ///     none is.
  ///   - deadline: when it ends, in nanoseconds of the monotonic clock.
  ///   - asksLoader: whether the loader may be asked, whose lock a forked child may find held.
  ///   - store: the tracker's store, which is passed over.
  /// - Returns: `nil` where memory cannot be read, or there is none.
  init?(
    for strings: consuming PrivateArray<ScanTarget>, ownStack: UInt, deadline: UInt64,
    asksLoader: Bool, store: Range<UInt>
  ) {
    guard let memory = MemoryReader(deadline: deadline),
      let hits = ScanHits(capacity: Self.maxHits),
      let references = PrivateArray<ScanReference>(capacity: Self.maxReferences),
      let regions = ScanRegions(ownStack: ownStack, asksLoader: asksLoader, store: store, memory)
    else { return nil }
    stringCount = strings.count
    targets = strings
    self.hits = hits
    self.references = references
    self.regions = regions
    self.memory = memory
    tcacheKey = ct_heap_is_glibc() ? UInt(ForeignBlock.keyOfFreedBlocks) : 0
  }

  /// The limit of strings that are looked for at once; the rest is for blocks.
  static let maxStrings = 30_000

  /// Returns room for the strings, and for the blocks that will be found.
  static func roomForTargets() -> PrivateArray<ScanTarget>? { PrivateArray(capacity: maxTargets) }

  /// Looks for all chains.
  mutating func run() {
    var first = 0
    for pass in 0...Self.maxBlocks {
      let last = targets.count
      guard first < last else { break }
      guard let index = TargetIndex(targets, from: first) else {
        hasMissedHolders = hasMissedHolders || pass == 0
        break
      }
      hits.removeAll()
      if !scan(index) { isCutShort = true }
      if pass == 0 {
        hasMissedHolders = isCutShort || hits.hasMissed
        // The scan has found the heap's last chunk.
        freeLists.find(in: regions, mainTop: mainTop, memory)
      }
      resolve(mayAddBlocks: pass < Self.maxBlocks)
      if isCutShort { break }
      first = last
    }
    noteSiblings()
    rankChains()
  }

  // MARK: scan

  /// Reads everything once.
  ///
  /// - Returns: false when time ran out.
  private mutating func scan(_ index: borrowing TargetIndex) -> Bool {
    for number in 0..<regions.regions.count {
      let isInTime =
        regions.regions[number].kind == .chunks
        ? scanChunks(number, index) : scanWords(number, index)
      if !isInTime { return false }
    }
    return true
  }

  /// Reads a region whose words are all alike.
  private mutating func scanWords(_ number: Int, _ index: borrowing TargetIndex) -> Bool {
    let region = regions.regions[number]
    guard region.start < region.end else { return true }
    return memory.forEachRun(in: region.start & ~7..<region.end & ~7) { run in
      hits.note(
        in: run, from: 0, to: run.count, region: number, block: region.start..<region.end, index,
        targets)
      return true
    }
  }

  /// Reads chunks of the heap, as far as one follows another.
  private mutating func scanChunks(_ number: Int, _ index: borrowing TargetIndex) -> Bool {
    let region = regions.regions[number]
    var walk = ChunkWalk(from: (region.start + 15) & ~15, to: region.end)
    // Where the hits in the current chunk begin: they are dropped if it is free.
    var mark = hits.count
    let isInTime = memory.forEachRun(in: region.start & ~15..<region.end & ~7) { run in
      while true {
        if walk.chunk != 0 {
          hits.note(
            in: run, from: run.index(of: walk.block), to: run.index(of: walk.blockEnd),
            region: number, block: walk.block..<walk.blockEnd, index, targets)
        }
        // The next chunk's first two words are in one page.
        if walk.next + 16 > run.end { return !walk.isTop }
        guard walk.next >= run.base else { return false }
        let (state, goesOn) = walk.advance(run.word(at: walk.next + 8))
        if state == .free { hits.removeAll(from: mark) }
        mark = hits.count
        if !goesOn || walk.isTop { return false }
      }
    }
    hits.removeAll(from: mark)
    if walk.isTop, region.owner == 0 { mainTop = walk.chunk }
    return isInTime
  }

  // MARK: references

  /// Makes references of the hits of a pass, and targets of the blocks that they are in.
  private mutating func resolve(mayAddBlocks: Bool) {
    for index in 0..<hits.count {
      let hit = hits[index]
      let target = Int(hit.target)
      let region = regions.regions[Int(hit.region)]
      var reference = ScanReference(
        kind: region.place, match: hit.match, thread: region.thread, slot: hit.slot,
        code: region.owner)
      switch region.place {
      case .heap:
        // A block that refers to itself holds nothing, and neither does a free one.
        guard targets[target].blocks < 4, !hit.block.contains(targets[target].start),
          !isCached(hit), !freeLists.contains(hit.block.lowerBound),
          let block = block(of: hit, mayAddBlocks)
        else { continue }
        reference.block = block
        if add(reference, to: target) { targets[target].blocks += 1 }
      case .stack:
        guard targets[target].stacks < 1 else { continue }
        reference.code = StackFrames(region).code(around: hit.slot, memory)
        if add(reference, to: target) { targets[target].stacks += 1 }
      case .data, .threadLocal:
        guard targets[target].roots < 2 else { continue }
        reference.offset = hit.slot - region.start
        if add(reference, to: target) { targets[target].roots += 1 }
      case .nobody: break
      }
    }
  }

  private mutating func add(_ reference: ScanReference, to target: Int) -> Bool {
    var reference = reference
    // Another word in the same block says nothing more.
    var other = targets[target].firstReference
    while other != 0 {
      let known = references[Int(other) - 1]
      if known.kind == .heap, reference.kind == .heap, known.block == reference.block {
        return false
      }
      other = known.next
    }
    reference.next = targets[target].firstReference
    guard references.append(reference) else {
      hasMissedHolders = true
      return false
    }
    targets[target].firstReference = UInt32(references.count)
    return true
  }

  /// The limit in bytes of blocks that threads keep in their caches of free ones (tcache).
  private static let maxCached: UInt = 1032

  /// Returns whether a block is in a thread's cache of free ones, which are marked with a key.
  private func isCached(_ hit: ScanHit) -> Bool {
    tcacheKey != 0 && UInt(hit.block.count) <= Self.maxCached
      && memory.word(at: hit.block.lowerBound + 8) == tcacheKey
  }

  /// Returns the block of a hit as a target; `nil` where there is no room, or it was found in the
  /// last pass.
  private mutating func block(of hit: ScanHit, _ mayAdd: Bool) -> UInt32? {
    if let known = blocks.value(of: hit.block.lowerBound) { return known }
    // The last pass only looks for roots.
    guard mayAdd else { return nil }
    guard blocks.set(hit.block.lowerBound, to: UInt32(targets.count)),
      targets.append(ScanTarget(start: hit.block.lowerBound, end: hit.block.upperBound))
    else {
      hasMissedHolders = true
      return nil
    }
    return UInt32(targets.count - 1)
  }

  // MARK: chains

  /// Notes which sizes of blocks have references to strings of which stacks at which offsets.
  private mutating func noteSiblings() {
    for index in 0..<stringCount {
      var number = targets[index].firstReference
      while number != 0 {
        let reference = references[Int(number) - 1]
        number = reference.next
        guard reference.kind == .heap else { continue }
        let key = siblingKey(reference, targets[index].stack)
        switch siblings.value(of: key) {
        case nil: _ = siblings.set(key, to: UInt32(index) + 2)
        case 1, UInt32(index) + 2: break
        default: _ = siblings.set(key, to: 1)
        }
      }
    }
  }

  private func siblingKey(_ reference: ScanReference, _ stack: StackID) -> UInt {
    let block = targets[Int(reference.block)]
    let place = block.byteCount << 20 ^ (reference.slot - block.start)
    // The map's keys differ in the bits above the lowest four, and none is 0.
    return ((place ^ UInt(stack.rawValue) &* 0x9E37_79B9_7F4A_7C15) << 4) | 1
  }

  /// Finds the best way outwards of each target.
  ///
  /// Each round makes the ways one step longer, so that none goes in a circle.
  private mutating func rankChains() {
    for _ in 0...Self.maxBlocks {
      for index in stride(from: targets.count - 1, through: 0, by: -1) {
        guard let best = ranked(index).first else { continue }
        targets[index].best = best.number
        targets[index].rank = best.rank
        targets[index].steps = best.steps
      }
    }
  }

  private struct Way {
    var number: UInt32
    var rank: ScanTarget.Rank
    var steps: UInt8
  }

  /// Returns the two best ways outwards of a target.
  private func ranked(_ index: Int) -> (first: Way?, second: Way?) {
    var ways: (first: Way?, second: Way?) = (nil, nil)
    var number = targets[index].firstReference
    while number != 0 {
      let reference = references[Int(number) - 1]
      // The latest come first: of equal ones the one that was found first is taken.
      if let way = way(reference, number) {
        if let first = ways.first, Self.isBetter(first, way) {
          if ways.second.map({ !Self.isBetter($0, way) }) ?? true { ways.second = way }
        } else {
          ways.second = ways.first
          ways.first = way
        }
      }
      number = reference.next
    }
    return ways
  }

  private func way(_ reference: ScanReference, _ number: UInt32) -> Way? {
    switch reference.kind {
    case .data, .threadLocal: return Way(number: number, rank: .root, steps: 1)
    case .stack: return Way(number: number, rank: .stack, steps: 1)
    case .heap:
      let block = targets[Int(reference.block)]
      // Nothing is known of what holds it, or it is held by blocks alone: the way ends there.
      if block.rank == .none || block.rank == .block || block.steps > UInt8(Self.maxBlocks) {
        return Way(number: number, rank: .block, steps: 1)
      }
      return Way(number: number, rank: block.rank, steps: block.steps + 1)
    case .nobody: return nil
    }
  }

  private static func isBetter(_ one: Way, _ other: Way) -> Bool {
    (one.rank.rawValue, one.steps) < (other.rank.rawValue, other.steps)
  }

  /// Calls `body` with each step of the chains of a string, from the string outwards.
  ///
  /// - Parameter string: the index of its target.
  /// - Returns: the count of chains.
  func forEachStep(
    of string: Int, _ body: (_ chain: Int, ScanReference, ScanTarget, HolderFacts) -> Void
  ) -> Int {
    let (first, second) = ranked(string)
    let stack = targets[string].stack
    var count = 0
    for way in [first, second] {
      guard let way else { continue }
      var reference = references[Int(way.number) - 1]
      let direct = reference.slot
      var left = Self.maxBlocks
      var rank = way.rank
      while true {
        let block = reference.kind == .heap ? targets[Int(reference.block)] : targets[string]
        let goesOn = reference.kind == .heap && rank != .block && block.best != 0 && left > 0
        let outer = goesOn ? references[Int(block.best) - 1] : nil
        body(
          count, reference, block,
          facts(reference, block, heldBy: outer, reference.slot == direct ? stack : .none))
        guard let outer else { break }
        rank = block.rank
        reference = outer
        left -= 1
      }
      count += 1
    }
    return count
  }

  // MARK: facts

  /// Returns a block's class or type, as `MemoryReader` does.
  func objectType(of block: ScanTarget) -> (address: UInt, isDescriptor: Bool)? {
    memory.objectType(of: block)
  }

  /// Returns what speaks for or against a word of a heap block.
  ///
  /// - Parameter stack: the stack of the string that the word refers to; none for other blocks.
  private func facts(
    _ reference: ScanReference, _ block: ScanTarget, heldBy outer: ScanReference?,
    _ stack: StackID
  ) -> HolderFacts {
    guard reference.kind == .heap else { return [] }
    var facts: HolderFacts = []
    let maxUnknown = tcacheKey == 0 ? Self.maxCached : HeapFreeLists.maxBlockBytes
    if block.byteCount <= maxUnknown, tcacheKey == 0 || !freeLists.areComplete {
      facts.insert(.maybeFreed)
    }
    if stack != .none, siblings.value(of: siblingKey(reference, stack)) == 1 {
      facts.insert(.hasSiblings)
    }
    if let isElement = memory.isElement(reference.slot, of: block, heldBy: outer?.slot) {
      facts.insert(isElement ? .isElement : .isSpare)
    }
    return facts
  }
}
