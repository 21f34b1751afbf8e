// Appends to a store. One section, one lock: the caller holds the lock that guards the section it
// appends to. Reads nothing back.

public import Synchronization

/// The writing side of a store: a header, and sections that only grow.
@safe
public struct StoreWriter: ~Copyable {
  // Two words, so that it is passed in registers.
  private let base: UnsafeMutableRawPointer
  private let state: UnsafeMutablePointer<State>

  /// What is known of the region: in private memory, not in the store, which outlives a damaged
  /// program.
  @safe private struct State: ~Copyable {
    let region: Region
    /// Each section's bounds in the region: never changed, so that any thread reads it.
    let bounds: UnsafeMutablePointer<Range<Int>>
    /// How far each section is known to be writable, guarded by the sections' locks.
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
    (.text, 1), (.modules, 1), (.stacks, 16), (.blocks, 38), (.values, 2), (.events, 1),
    (.pairs, 2), (.histories, 1), (.scopes, 1),
  ]

  /// Lays a store out in `region`.
  ///
  /// The header's fields are the caller's to fill; `publish` ends that.
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

  /// The start of the store: what an in-process report is made from.
  public var bytes: UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(start: base, count: state.pointee.region.byteCount)
  }

  /// Makes the store readable: until now it has no magic number.
  public func publish() {
    atomicMemoryFence(ordering: .releasing)
    unsafe header.pointee.magic = StoreLayout.magic
  }

  /// The first byte of a section.
  public func start(of kind: SectionKind) -> UnsafeMutableRawPointer {
    unsafe base + state.pointee.bounds[kind.rawValue].lowerBound
  }

  /// Bytes of a section that are filled.
  public func used(of kind: SectionKind) -> Int {
    unsafe Int(usedBytes(of: kind).pointee.load(ordering: .acquiring))
  }

  /// The `used` of the section's entry in the table, which other threads read meanwhile.
  private func usedBytes(of kind: SectionKind) -> UnsafeMutablePointer<Atomic<UInt64>> {
    let entry =
      StoreLayout.sectionTableOffset + kind.rawValue * MemoryLayout<SectionEntry>.stride
    // `used` is the last of three words.
    return unsafe (base + entry + 16).assumingMemoryBound(to: Atomic<UInt64>.self)
  }

  /// Finds room for `byteCount` bytes behind a section's end, without taking it.
  ///
  /// Caller holds the section's lock. Returns `nil` when the section or the disk is full.
  public func room(for byteCount: Int, in kind: SectionKind) -> UnsafeMutableRawPointer? {
    let bounds = unsafe state.pointee.bounds[kind.rawValue]
    let start = bounds.lowerBound + used(of: kind)
    let fits = unsafe state.pointee.region.populate(
      upTo: start + byteCount, ready: &(state.pointee.ready + kind.rawValue).pointee,
      limit: bounds.upperBound)
    return fits ? unsafe base + start : nil
  }

  /// Takes the room that was found, now that it is filled.
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

  /// The counter's place in the header.
  public func counter(_ counter: StoreCounter) -> UnsafeMutablePointer<Atomic<UInt64>> {
    unsafe (base + StoreLayout.offset(of: counter)).assumingMemoryBound(
      to: Atomic<UInt64>.self)
  }

  /// A count of a part of the registry.
  public enum PartCount: Int {
    /// Its allocations.
    case allocations
    /// Its releases.
    case frees
  }

  /// Adds one to a count of a part of the registry.
  ///
  /// The caller holds the part's lock: only readers do not.
  public func count(_ count: PartCount, ofPart part: Int) {
    let place = unsafe place(of: count, ofPart: part)
    let number = unsafe place.pointee.load(ordering: .relaxed)
    unsafe place.pointee.store(number &+ 1, ordering: .relaxed)
  }

  private func place(of count: PartCount, ofPart part: Int) -> UnsafeMutablePointer<Atomic<UInt64>>
  {
    let offset = StoreLayout.partCountsOffset + part * 16 + count.rawValue * 8
    return unsafe (base + offset).assumingMemoryBound(to: Atomic<UInt64>.self)
  }

  /// Blocks that are live now, by the counts of all parts.
  public var live: UInt64 {
    var live: UInt64 = 0
    for part in 0..<StoreLayout.parts {
      // Releases last: what is released meanwhile may be missing, and nothing is counted twice.
      let allocations = unsafe place(of: .allocations, ofPart: part)
      let frees = unsafe place(of: .frees, ofPart: part)
      unsafe live = live &+ allocations.pointee.load(ordering: .relaxed)
      unsafe live = live &- frees.pointee.load(ordering: .relaxed)
    }
    return live
  }

  /// Gives the memory back.
  ///
  /// Nothing points into it any more.
  public consuming func unmap() {
    unsafe state.move().unmap()
    unsafe state.deallocate()
  }
}
