// Appends to a store. The caller holds the lock that guards the section it appends to. Reads
// nothing back.

public import Synchronization

/// The writing side of a store: a header, and sections that only grow.
@safe
public struct StoreWriter: ~Copyable {
  // Two words, so that it is passed in registers.
  private let base: UnsafeMutableRawPointer
  private let state: UnsafeMutablePointer<State>

  /// The region and its bounds: in private memory, not in the store, which must be valid even if
  /// the program corrupts memory.
  @safe private struct State: ~Copyable {
    let region: Region
    /// Each section's bounds in the region: never changed, so that any thread reads it.
    let bounds: UnsafeMutablePointer<Range<Int>>
    /// The end of the part of each section that is known to be writable, guarded by the sections'
    /// locks.
    let ready: UnsafeMutablePointer<Int>

    init(_ region: consuming Region) {
      unsafe bounds = .allocate(capacity: SectionKind.allCases.count)
      unsafe ready = .allocate(capacity: SectionKind.allCases.count)
      self.region = region
    }

    consuming func unmap() {
      unsafe bounds.deallocate()
      unsafe ready.deallocate()
      region.unmap()
    }
  }

  /// Each section's share of the region, in 64ths.
  private static let shares: [(SectionKind, Int)] = [
    (.text, 1), (.modules, 1), (.stacks, 16), (.blocks, 37), (.values, 2), (.events, 1),
    (.pairs, 2), (.histories, 1), (.scopes, 1), (.holders, 1),
  ]

  /// Creates a store in `region`.
  ///
  /// The caller fills the header's fields, and then calls `publish`.
  public init(in region: consuming Region) {
    unsafe base = region.base
    let byteCount = region.byteCount
    let unit = byteCount / 64
    unsafe state = .allocate(capacity: 1)
    unsafe state.initialize(to: State(region))
    let table = unsafe (base + StoreLayout.sectionTableOffset)
      .bindMemory(to: SectionEntry.self, capacity: SectionKind.allCases.count)
    unsafe base.bindMemory(to: StoreHeader.self, capacity: 1).initialize(to: StoreHeader())
    // The first share starts behind the header; 63 shares leave it room.
    var offset = StoreLayout.headerBytes
    for (kind, share) in Self.shares {
      let capacity = unit * share
      unsafe table[kind.rawValue] = SectionEntry(
        offset: UInt64(offset), capacity: UInt64(capacity), used: 0)
      unsafe (state.pointee.bounds + kind.rawValue).initialize(to: offset..<offset + capacity)
      unsafe (state.pointee.ready + kind.rawValue).initialize(to: offset)
      offset += capacity
    }
    unsafe base.assumingMemoryBound(to: StoreHeader.self).pointee.storeBytes = UInt64(byteCount)
    for counter in StoreCounter.allCases {
      unsafe (base + StoreLayout.offset(of: counter)).bindMemory(
        to: Atomic<UInt64>.self, capacity: 1
      ).initialize(to: Atomic(0))
    }
  }

  /// The header.
  ///
  /// Counters in it are changed atomically while the process runs.
  public var header: UnsafeMutablePointer<StoreHeader> {
    unsafe base.assumingMemoryBound(to: StoreHeader.self)
  }

  /// The bytes of the store, from which an in-process report is made.
  public var bytes: UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(start: base, count: state.pointee.region.byteCount)
  }

  /// The addresses of the store's region.
  public var addresses: Range<UInt> {
    let start = unsafe UInt(bitPattern: base)
    return unsafe start..<start + UInt(state.pointee.region.byteCount)
  }

  /// Makes the store valid by writing its magic number.
  public func publish() {
    atomicMemoryFence(ordering: .releasing)
    unsafe header.pointee.magic = StoreLayout.magic
  }

  /// Returns the address of a section's first byte.
  public func start(of kind: SectionKind) -> UnsafeMutableRawPointer {
    unsafe base + state.pointee.bounds[kind.rawValue].lowerBound
  }

  /// Returns the count of a section's filled bytes.
  public func used(of kind: SectionKind) -> Int {
    unsafe Int(usedBytes(of: kind).pointee.load(ordering: .acquiring))
  }

  /// Returns the `used` of the section's entry in the table, which other threads read meanwhile.
  private func usedBytes(of kind: SectionKind) -> UnsafeMutablePointer<Atomic<UInt64>> {
    let entry =
      StoreLayout.sectionTableOffset + kind.rawValue * MemoryLayout<SectionEntry>.stride
    // `used` is the last of three words.
    return unsafe (base + entry + 16).assumingMemoryBound(to: Atomic<UInt64>.self)
  }

  /// Finds room for `byteCount` bytes behind a section's filled part, without committing it.
  ///
  /// Caller holds the section's lock. Returns `nil` when the section or the disk is full.
  public func room(for byteCount: Int, in kind: SectionKind) -> UnsafeMutableRawPointer? {
    let bounds = unsafe state.pointee.bounds[kind.rawValue]
    let start = bounds.lowerBound + used(of: kind)
    let fits = unsafe state.pointee.region.extend(
      to: start + byteCount, ready: &(state.pointee.ready + kind.rawValue).pointee,
      within: bounds)
    return fits ? unsafe base + start : nil
  }

  /// Commits the room that was found, after it was filled.
  ///
  /// Caller holds the section's lock.
  public func commit(_ byteCount: Int, in kind: SectionKind) {
    unsafe usedBytes(of: kind).pointee.add(UInt64(byteCount), ordering: .releasing)
  }

  /// Appends bytes to the text section.
  ///
  /// Caller holds the section's lock. Returns the empty reference when there is no room.
  public func append(text: UnsafeRawBufferPointer) -> TextReference {
    let used = self.used(of: .text)
    guard text.count > 0, used + text.count <= UInt32.max,
      let room = unsafe room(for: text.count, in: .text),
      let source = text.baseAddress
    else { return .empty }
    unsafe room.copyMemory(from: source, byteCount: text.count)
    commit(text.count, in: .text)
    return TextReference(offset: UInt32(used), length: UInt32(text.count))
  }

  /// Returns the address of a counter in the header.
  public func counter(_ counter: StoreCounter) -> UnsafeMutablePointer<Atomic<UInt64>> {
    unsafe (base + StoreLayout.offset(of: counter)).assumingMemoryBound(
      to: Atomic<UInt64>.self)
  }

  /// A count of one shard of the registry.
  public enum ShardCount: Int {
    /// The shard's allocations.
    case allocations
    /// The shard's frees.
    case frees
  }

  /// Adds one to a count of a shard.
  ///
  /// Caller holds the shard's lock; readers need no lock.
  public func count(_ count: ShardCount, ofShard shard: Int) {
    let counter = unsafe address(of: count, ofShard: shard)
    let value = unsafe counter.pointee.load(ordering: .relaxed)
    unsafe counter.pointee.store(value &+ 1, ordering: .relaxed)
  }

  private func address(of count: ShardCount, ofShard shard: Int) -> UnsafeMutablePointer<
    Atomic<UInt64>
  > {
    let offset = StoreLayout.shardCountsOffset + shard * 16 + count.rawValue * 8
    return unsafe (base + offset).assumingMemoryBound(to: Atomic<UInt64>.self)
  }

  /// The count of blocks that are live now, by the counts of all shards.
  public var live: UInt64 {
    var live: UInt64 = 0
    for shard in 0..<StoreLayout.shards {
      // Frees are read last: a block that is freed meanwhile may be missing, and none is counted
      // twice.
      let allocations = unsafe address(of: .allocations, ofShard: shard)
      let frees = unsafe address(of: .frees, ofShard: shard)
      unsafe live = live &+ allocations.pointee.load(ordering: .relaxed)
      unsafe live = live &- frees.pointee.load(ordering: .relaxed)
    }
    return live
  }

  /// Unmaps the store.
  ///
  /// No pointer into it may be used any more.
  public consuming func unmap() {
    unsafe state.move().unmap()
    unsafe state.deallocate()
  }
}
