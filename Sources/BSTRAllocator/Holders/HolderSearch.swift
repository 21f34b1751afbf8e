// Looks for what refers to strings: pass by pass over the process's memory, first for the strings,
// then for the heap blocks that refer to them. Writes nothing; Tracker+Holders.swift does.

import CTracker
import Glibc
import TraceStore

/// A search for holders.
///
/// It takes words for references that have the value of an address; it knows no types. What it says
/// explains a leak; no finding depends on it.
struct HolderSearch: ~Copyable {
  private(set) var targets: PrivateArray<ScanTarget>
  private(set) var references: PrivateArray<ScanReference>
  private var hits: PrivateArray<ScanHit>
  private var regions: ScanRegions
  private let memory: MemoryReader
  /// The targets that are heap blocks, by their starts.
  private var blocks = AddressMap()
  /// For each size of block, offset in it and stack of a string, the block that has a reference to
  /// such a string there, plus 2; 1 where there are several.
  private var siblings = AddressMap()
  private let stringCount: Int
  private let tcacheKey: UInt
  /// The last chunk of the main heap; 0 where it is not known.
  private var mainTop: UInt = 0
  /// Whether the free lists of small chunks are known.
  private var knowsFreeLists = false
  /// Whether time ran out in the first pass, so that nothing can be said of what was not found.
  private(set) var hasMissedHolders = false
  /// Whether time ran out.
  private(set) var isCutShort = false

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
      let hits = PrivateArray<ScanHit>(capacity: Self.maxHits),
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
      guard first < last, let index = TargetIndex(targets, from: first) else { break }
      hits.removeAll()
      if !scan(index) {
        isCutShort = true
        if pass == 0 { hasMissedHolders = true }
      }
      resolve(mayAddBlocks: pass < Self.maxBlocks)
      if isCutShort { break }
      first = last
    }
    if !isCutShort { markFreeBlocks() }
    noteSiblings()
    rankChains()
  }

  // MARK: scan

  /// Reads everything once.
  ///
  /// - Returns: false when time ran out.
  private mutating func scan(_ index: borrowing TargetIndex) -> Bool {
    var isInTime = true
    for number in 0..<regions.regions.count where isInTime {
      let region = regions.regions[number]
      switch region.kind {
      case .chunks: isInTime = scanChunks(region, index)
      case .data: isInTime = scan(region, .data, index)
      case .threadLocal: isInTime = scan(region, .threadLocal, index)
      case .mappedChunk: isInTime = scan(region, .heap, index)
      case .stack: isInTime = scan(region, .stack, index)
      }
    }
    return isInTime
  }

  /// Reads a region whose words are all alike.
  private mutating func scan(
    _ region: ScanRegion, _ kind: HolderPlace, _ index: borrowing TargetIndex
  ) -> Bool {
    guard region.start < region.end else { return true }
    return memory.forEachRun(in: region.start & ~7..<region.end & ~7) { run in
      var word = 0
      while true {
        word = unsafe index.nextCandidate(in: run.words, from: word, to: run.count)
        if word == run.count { return true }
        let slot = run.base + UInt(word) * 8
        if let (target, match) = unsafe index.find(run.words[word], in: targets) {
          let isBlock = kind == .heap
          let isNoted = hits.append(
            ScanHit(
              target: target, kind: kind, match: match, thread: region.thread, slot: slot,
              block: isBlock ? region.start : region.owner, blockEnd: isBlock ? region.end : 0))
          if !isNoted { hasMissedHolders = true }
        }
        word += 1
      }
    }
  }

  /// Reads chunks of the heap, as far as one follows another.
  private mutating func scanChunks(
    _ region: ScanRegion, _ index: borrowing TargetIndex
  ) -> Bool {
    var walk = ChunkWalk(from: (region.start + 15) & ~15, to: region.end)
    // Where the hits in the current chunk begin: they are dropped if it is free.
    var mark = hits.count
    let isInTime = memory.forEachRun(in: region.start & ~15..<region.end & ~7) { run in
      while true {
        if walk.chunk != 0 {
          var word = run.index(of: walk.block)
          let end = run.index(of: walk.blockEnd)
          while word < end {
            word = unsafe index.nextCandidate(in: run.words, from: word, to: end)
            if word >= end { break }
            if let (target, match) = unsafe index.find(run.words[word], in: targets) {
              let isNoted = hits.append(
                ScanHit(
                  target: target, kind: .heap, match: match, slot: run.base + UInt(word) * 8,
                  block: walk.block, blockEnd: walk.blockEnd))
              if !isNoted { hasMissedHolders = true }
            }
            word += 1
          }
        }
        // The next chunk's first two words are in one page.
        if walk.next + 16 > run.end { return !walk.isTop }
        guard walk.next >= run.base else { return false }
        let (state, goesOn) = walk.advance(run.word(at: walk.next + 8))
        if state == .free { hits.removeAll(from: mark) }
        mark = hits.count
        if !goesOn { return false }
        if walk.isTop { return false }
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
      switch hit.kind {
      case .heap:
        // A block that refers to itself holds nothing.
        guard targets[target].blocks < 4,
          !(hit.block..<hit.blockEnd).contains(targets[target].start),
          !isCached(hit), let block = block(of: hit, mayAddBlocks)
        else { continue }
        if add(
          ScanReference(kind: .heap, match: hit.match, block: block, slot: hit.slot), to: target)
        {
          targets[target].blocks += 1
        }
      case .stack:
        guard targets[target].stacks < 1 else { continue }
        let code = function(around: hit.slot)
        if add(
          ScanReference(
            kind: .stack, match: hit.match, thread: hit.thread, slot: hit.slot, code: code),
          to: target)
        {
          targets[target].stacks += 1
        }
      case .data, .threadLocal:
        guard targets[target].roots < 2 else { continue }
        var reference = ScanReference(
          kind: hit.kind, match: hit.match, thread: hit.thread, slot: hit.slot, code: hit.block)
        if hit.kind == .threadLocal {
          guard let start = threadLocalStart(of: hit) else { continue }
          reference.offset = hit.slot - start
        }
        if add(reference, to: target) { targets[target].roots += 1 }
      case .nobody: break
      }
    }
  }

  private func threadLocalStart(of hit: ScanHit) -> UInt? {
    for index in 0..<regions.regions.count {
      let region = regions.regions[index]
      if region.kind == .threadLocal, region.owner == hit.block,
        region.start <= hit.slot, hit.slot < region.end
      {
        return region.start
      }
    }
    return nil
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
    guard references.append(reference) else { return false }
    targets[target].firstReference = UInt32(references.count)
    return true
  }

  /// The limit in bytes of blocks that threads keep in their caches (tcache), and of blocks that
  /// are kept in lists without a mark (fastbins).
  private static let (maxCached, maxListed): (UInt, UInt) = (1032, 120)

  /// Returns whether a block is in a thread's cache of free ones, which are marked with a key.
  private func isCached(_ hit: ScanHit) -> Bool {
    tcacheKey != 0 && hit.blockEnd - hit.block <= Self.maxCached
      && memory.word(at: hit.block + 8) == tcacheKey
  }

  /// Returns the block of a hit as a target; `nil` where there is no room, or it was found in the
  /// last pass.
  private mutating func block(of hit: ScanHit, _ mayAdd: Bool) -> UInt32? {
    if let known = blocks.value(of: hit.block) { return known }
    // The last pass only looks for roots.
    guard mayAdd, blocks.set(hit.block, to: UInt32(targets.count)),
      targets.append(ScanTarget(start: hit.block, end: hit.blockEnd))
    else { return nil }
    return UInt32(targets.count - 1)
  }

  /// Returns an address of the code in whose frame a word of a stack is; 0 where the stack cannot
  /// be unwound.
  private func function(around slot: UInt) -> UInt {
    guard let stack = stack(around: slot), stack.owner != 0 else { return 0 }
    // The function that ends the process has saved its caller's. Of another thread it is unknown.
    let isOwn = unsafe stack.thread == ct_thread().pointee.tid
    let frame = Frame(
      code: stack.owner, stackPointer: stack.start,
      framePointer: isOwn ? memory.word(at: stack.start - 16) : nil)
    return unwind(frame, to: slot, in: stack) ?? 0
  }

  /// Where an unwind is.
  private struct Frame {
    var code: UInt
    var stackPointer: UInt
    var framePointer: UInt?
  }

  /// Unwinds a stack to its end, by the rules of its frames.
  ///
  /// - Returns: an address of the code in whose frame a word is; `nil` where it is in none, or the
  ///   unwind does not come to the end.
  private func unwind(_ first: Frame, to slot: UInt, in stack: ScanRegion) -> UInt? {
    var frame = first
    var found: UInt?
    for _ in 0..<StackCapture.maxDepth {
      guard let rule = CFARule.of(frame.code) else { return nil }
      if rule.isOutermost { return found }
      guard let base = rule.isFromFramePointer ? frame.framePointer : frame.stackPointer else {
        return unwindWithoutFramePointer(frame, to: slot, in: stack)
      }
      let end = base &+ UInt(bitPattern: rule.offset)
      guard end > frame.stackPointer, end <= stack.end else { return nil }
      if found == nil, slot < end { found = frame.code }
      if let offset = rule.framePointerOffset {
        frame.framePointer = memory.word(at: end &+ UInt(bitPattern: offset))
      }
      guard let caller = memory.word(at: end - 8) else { return nil }
      if caller == 0 { return found }
      frame.stackPointer = end
      frame.code = caller
    }
    return nil
  }

  /// Goes on where the frame pointer is needed and is in a register of the thread: it is the first
  /// address from which the unwind comes to the end.
  private func unwindWithoutFramePointer(
    _ frame: Frame, to slot: UInt, in stack: ScanRegion
  ) -> UInt? {
    var frame = frame
    for word in 0..<1024 {
      let address = frame.stackPointer + UInt(word) * 8
      guard address + 16 < stack.end, let code = memory.word(at: address + 8) else { return nil }
      guard ct_is_return_address(code) else { continue }
      frame.framePointer = address
      if let found = unwind(frame, to: slot, in: stack) { return found }
    }
    return nil
  }

  private func stack(around slot: UInt) -> ScanRegion? {
    for index in 0..<regions.regions.count {
      let region = regions.regions[index]
      if region.kind == .stack, region.start <= slot, slot < region.end { return region }
    }
    return nil
  }

  // MARK: free lists

  /// Marks the blocks that are in the lists of small free chunks.
  private mutating func markFreeBlocks() {
    guard blocks.count > 0 else { return }
    knowsFreeLists = true
    var lastArena: UInt = 1
    for index in 0..<regions.regions.count {
      let region = regions.regions[index]
      guard region.kind == .chunks, region.owner != lastArena else { continue }
      lastArena = region.owner
      let arena = region.owner == 0 ? mainArena() : region.owner
      if arena == 0 || !markFree(inArena: arena) { knowsFreeLists = false }
    }
  }

  /// Where the lists of small chunks and the last chunk are in an arena (malloc_state of glibc's
  /// malloc/malloc.c), in bytes, and the count of lists.
  private static let (listsOffset, topOffset, lists): (UInt, UInt, Int) = (16, 96, 10)

  /// Returns the address of the main arena: it has the last chunk's address; 0 where it is not
  /// found.
  private func mainArena() -> UInt {
    guard mainTop != 0 else { return 0 }
    for index in 0..<regions.libcData.count {
      let region = regions.libcData[index]
      var found: UInt = 0
      _ = memory.forEachRun(in: region.start..<region.end & ~7) { run in
        for word in 0..<run.count where unsafe run.words[word] == mainTop {
          found = run.base + UInt(word) * 8
          return false
        }
        return true
      }
      if found != 0 { return found - Self.topOffset }
    }
    return 0
  }

  /// Marks the targets in the lists of an arena.
  ///
  /// - Returns: false where these are not as expected.
  private mutating func markFree(inArena arena: UInt) -> Bool {
    var left = 20_000
    for list in 0..<Self.lists {
      guard var chunk = memory.word(at: arena + Self.listsOffset + UInt(list) * 8) else {
        return false
      }
      while chunk != 0 {
        left -= 1
        guard left > 0, chunk % 16 == 0, let (_, size) = memory.words(at: chunk),
          size & ~7 == UInt(32 + 16 * list), let link = memory.word(at: chunk + 16)
        else { return false }
        if let target = blocks.value(of: chunk + 16) { targets[Int(target)].isFree = true }
        // PROTECT_PTR of glibc 2.32 and later.
        chunk = link ^ (chunk + 16) >> 12
      }
    }
    return true
  }

  // MARK: chains

  /// Notes which sizes of blocks have references to strings of which stacks at which offsets.
  private mutating func noteSiblings() {
    for index in 0..<stringCount {
      var number = targets[index].firstReference
      while number != 0 {
        let reference = references[Int(number) - 1]
        number = reference.next
        guard reference.kind == .heap, !targets[Int(reference.block)].isFree else { continue }
        let key = siblingKey(reference, targets[index].stack)
        switch siblings.value(of: key) {
        case nil: _ = siblings.set(key, to: reference.block + 2)
        case 1, reference.block + 2: break
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
      if block.isFree { return nil }
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

  /// Returns what speaks for or against a word of a heap block.
  ///
  /// - Parameter stack: the stack of the string that the word refers to; none for other blocks.
  private func facts(
    _ reference: ScanReference, _ block: ScanTarget, heldBy outer: ScanReference?,
    _ stack: StackID
  ) -> HolderFacts {
    guard reference.kind == .heap else { return [] }
    var facts: HolderFacts = []
    let maxUnknown = tcacheKey == 0 ? Self.maxCached : Self.maxListed
    if block.byteCount <= maxUnknown, tcacheKey == 0 || !knowsFreeLists {
      facts.insert(.maybeFreed)
    }
    if stack != .none, siblings.value(of: siblingKey(reference, stack)) == 1 {
      facts.insert(.hasSiblings)
    }
    if let isElement = self.isElement(reference.slot, of: block, outer) {
      facts.insert(isElement ? .isElement : .isSpare)
    }
    return facts
  }

  /// Returns whether a word is among the elements of a vector or array, not behind them; `nil`
  /// where the block is neither.
  ///
  /// A `std::vector` is three pointers: to the first element, behind the last, and behind the room
  /// for them. A Swift array's block has a count at 16, twice the room at 24, and elements from 32
  /// on (ContiguousArrayBuffer.swift, SwiftShims/GlobalObjects.h).
  private func isElement(
    _ slot: UInt, of block: ScanTarget, _ outer: ScanReference?
  ) -> Bool? {
    if let outer, let (start, end) = memory.words(at: outer.slot), start == block.start,
      let room = memory.word(at: outer.slot + 16), start <= end, end <= room, room > start,
      room <= block.end
    {
      return slot < end
    }
    guard let (type, _) = memory.words(at: block.start), type % 8 == 0, !Page.isFirst(type),
      let descriptor = memory.word(at: type &+ 40), unsafe ct_find_module(descriptor).end != 0,
      let (count, room) = memory.words(at: block.start + 16), room >> 1 > 0,
      slot >= block.start + 32,
      count <= room >> 1, room >> 1 <= block.byteCount / 8
    else { return nil }
    let stride = (block.byteCount - 32) / (room >> 1) & ~7
    guard stride >= 8, block.byteCount - 32 - stride * (room >> 1) < max(stride, 16) else {
      return nil
    }
    return (slot - block.start - 32) / stride < count
  }

  /// Returns a block's class or type: an address in a module, and whether it is a descriptor's.
  ///
  /// The first word of an object of a class with virtual functions points to these. That of a Swift
  /// object points to metadata, of which the first word is 0 for a class, and the one at 40 the
  /// address of the type's descriptor: metadata of generic types is made at run time (Metadata.h
  /// and MetadataKind.def of the Swift run-time).
  func objectType(of block: ScanTarget) -> (address: UInt, isDescriptor: Bool)? {
    guard let word = memory.word(at: block.start), word % 8 == 0, !Page.isFirst(word),
      let kind = memory.word(at: word)
    else { return nil }
    if kind == 0, let descriptor = memory.word(at: word + 40), descriptor % 4 == 0,
      unsafe ct_find_module(descriptor).end != 0
    {
      return (descriptor, true)
    }
    let isInModule = unsafe ct_find_module(word).end != 0
    return isInModule && !ct_is_system_module(word) ? (word, false) : nil
  }
}
