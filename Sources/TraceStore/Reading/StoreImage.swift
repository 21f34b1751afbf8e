// Reads one process's store into memory and validates it. Never traps on any input: a reference to
// bytes that a corrupted store does not have reads as absent.

/// The contents of a store at one time.
public struct StoreImage: Sendable {
  /// The header.
  ///
  /// Its references may be invalid; resolve them with `text`.
  public private(set) var header: StoreHeader
  /// The corruption that was found, in words for people; empty for a sound store.
  public private(set) var damage: [String] = []
  private var counters: [UInt64]
  private var sections: [[UInt8]]

  /// The errors that prevent reading any of a store.
  public enum Failure: Error, Equatable, CustomStringConvertible {
    /// There are no bytes.
    case empty
    /// Too short to hold a header.
    case tooShort(Int)
    /// It does not start with the magic number of a store.
    case notAStore
    /// It is of a version that this code does not read.
    case version(UInt32)

    /// The error, as the rest of a sentence that starts with the file's name.
    public var description: String {
      switch self {
      case .empty: "is empty"
      case .tooShort(let count):
        "is cut short: \(count) bytes, and a store's header alone has \(StoreLayout.headerBytes)"
      case .notAStore: "is not a bstrtrace store"
      case .version(let version):
        "is a store of version \(version); this bstrtrace reads version \(StoreLayout.version)"
      }
    }
  }

  /// Reads a store through `read`, which returns the bytes at an offset.
  ///
  /// - Parameters:
  ///   - available: the count of bytes in all, from the store's start.
  ///   - read: returns the bytes from an offset, at most `count`; fewer where the file ends.
  /// - Complexity: linear in the filled part of the store; holes are not read.
  public init(available: Int, read: (_ offset: Int, _ count: Int) -> [UInt8]) throws(Failure) {
    let page = read(0, min(available, StoreLayout.headerBytes))
    header = try Self.header(page)
    if ![0, 2, 4].contains(header.olecharBytes) {
      damage.append(
        "an OLECHAR of \(header.olecharBytes) bytes is impossible; strings are left out")
      self.header.olecharBytes = 0
    }
    counters = StoreCounter.allCases.map { page.load(UInt64.self, at: StoreLayout.offset(of: $0)) }
    let shards = (0..<StoreLayout.shards).map { shard in
      let at = StoreLayout.shardCountsOffset + shard * 16
      return (page.load(UInt64.self, at: at), page.load(UInt64.self, at: at + 8))
    }
    // The serial numbers that were set aside are no count of allocations; a corrupted store may
    // hold any values, and sums wrap around.
    counters[StoreCounter.allocations.rawValue] = shards.reduce(0) { $0 &+ $1.0 }
    counters[StoreCounter.frees.rawValue] &+= shards.reduce(0) { $0 &+ $1.1 }
    let live =
      counters[StoreCounter.allocations.rawValue] &- counters[StoreCounter.frees.rawValue]
    if live < 1 << 40 {
      counters[StoreCounter.peakLive.rawValue] = max(
        live, counters[StoreCounter.peakLive.rawValue])
    }
    sections = []
    var room = UInt64(StoreLayout.maxBytes)
    for kind in SectionKind.allCases {
      let at = StoreLayout.sectionTableOffset + kind.rawValue * MemoryLayout<SectionEntry>.stride
      let entry: SectionEntry =
        page.loadRecord(at: at) ?? SectionEntry(offset: 0, capacity: 0, used: 0)
      guard entry.used <= entry.capacity, entry.used <= room, entry.offset <= UInt64(Int.max),
        entry.used <= UInt64(Int.max) - entry.offset
      else {
        damage.append("the table entry of its \(kind) is impossible; they are left out")
        sections.append([])
        continue
      }
      room -= entry.used
      let inFile = max(0, min(Int(entry.used), available - Int(entry.offset)))
      let bytes = inFile > 0 ? read(Int(entry.offset), inFile) : []
      if bytes.count < Int(entry.used) {
        damage.append("\(bytes.count) of \(entry.used) bytes of its \(kind) are there")
      }
      sections.append(bytes)
    }
  }

  /// Makes the store of a process that recorded nothing but its modules.
  init(_ header: StoreHeader, text: [UInt8], modules: [ModuleRecord]) {
    self.header = header
    counters = StoreCounter.allCases.map { _ in 0 }
    sections = SectionKind.allCases.map { kind in
      switch kind {
      case .text: text
      case .modules: modules.flatMap { unsafe withUnsafeBytes(of: $0) { unsafe Array($0) } }
      default: []
      }
    }
  }

  /// Returns the header in the first bytes of a store.
  static func header(_ page: [UInt8]) throws(Failure) -> StoreHeader {
    if page.isEmpty { throw .empty }
    if page.count >= 8, page.load(UInt64.self, at: 0) != StoreLayout.magic { throw .notAStore }
    guard page.count == StoreLayout.headerBytes else { throw .tooShort(page.count) }
    let header: StoreHeader = page.loadRecord(at: 0) ?? StoreHeader()
    guard header.version == StoreLayout.version else { throw .version(header.version) }
    guard Int(header.headerBytes) == StoreLayout.headerBytes else { throw .notAStore }
    return header
  }

  /// Reads a store that is in memory, as in the process that wrote it.
  public init(bytes: UnsafeRawBufferPointer) throws(Failure) {
    try self.init(available: bytes.count) { offset, count in
      guard offset < bytes.count else { return [] }
      return unsafe Array(bytes[offset..<min(bytes.count, offset + count)])
    }
  }

  /// Adds the end of the process as its collector saw it, unless the process itself recorded one; a
  /// signal overrules that.
  public mutating func noteEnd(_ state: EndState, status: Int32) {
    let isKnown = ![EndState.none.rawValue, EndState.untraced.rawValue].contains(header.endState)
    guard state == .signal || !isKnown else { return }
    header.endState = state.rawValue
    header.exitStatus = status
  }

  /// Returns the value of a counter.
  public func count(_ counter: StoreCounter) -> UInt64 { counters[counter.rawValue] }

  /// Returns the bytes of a reference as text; "" where they are not in the store.
  public func text(_ reference: TextReference) -> String {
    String(decoding: rawText(reference), as: UTF8.self)
  }

  /// Returns the bytes of a reference; none where they are not in the store.
  public func rawText(_ reference: TextReference) -> ArraySlice<UInt8> {
    let text = sections[SectionKind.text.rawValue]
    let start = Int(reference.offset)
    guard start + Int(reference.length) <= text.count else { return [] }
    return text[start..<start + Int(reference.length)]
  }

  /// The path of the program.
  public var executable: String { text(header.executable) }

  /// The program's arguments, its name first.
  public var arguments: [String] {
    rawText(header.arguments).split(separator: 0, omittingEmptySubsequences: false).dropLast().map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  /// Returns the module with the id, or `nil`.
  public func module(_ id: ModuleID) -> ModuleRecord? {
    guard id != .none else { return nil }
    return sections[SectionKind.modules.rawValue].loadRecord(
      at: (Int(id.rawValue) - 1) * MemoryLayout<ModuleRecord>.stride)
  }

  /// Returns the frames of a stack, innermost first; none where the store does not have it.
  public func stack(_ id: StackID) -> (frames: [FrameWord], truncated: Bool) {
    let words = sections[SectionKind.stacks.rawValue]
    guard id != .none, let raw: UInt64 = words.loadRecord(at: Int(id.rawValue) * 8) else {
      return ([], false)
    }
    let head = StackHead(rawValue: raw)
    let start = (Int(id.rawValue) + 1) * 8
    guard head.count <= 512, start + head.count * 8 <= words.count else { return ([], false) }
    let frames = (0..<head.count).map {
      FrameWord(rawValue: words.load(UInt64.self, at: start + $0 * 8))
    }
    return (frames, head.truncated)
  }

  /// Calls `body` with every live block, in the order of their records.
  public func forEachLiveBlock(_ body: (BlockRecord) -> Void) {
    let blocks = sections[SectionKind.blocks.rawValue]
    let stride = MemoryLayout<BlockRecord>.stride
    for index in 0..<blocks.count / stride {
      if let block: BlockRecord = blocks.loadRecord(at: index * stride), block.serial != 0 {
        body(block)
      }
    }
  }

  /// The blocks section without its free records, of which there are many in a short run: the index
  /// of a record means nothing to a reader.
  private var liveBlockBytes: [UInt8] {
    let blocks = sections[SectionKind.blocks.rawValue]
    let stride = MemoryLayout<BlockRecord>.stride
    var live: [UInt8] = []
    for index in 0..<blocks.count / stride {
      if let block: BlockRecord = blocks.loadRecord(at: index * stride), block.serial != 0 {
        live += blocks[index * stride..<(index + 1) * stride]
      }
    }
    return live
  }

  /// The events, in the order in which they were recorded.
  public var events: [EventRecord] {
    let bytes = sections[SectionKind.events.rawValue]
    let stride = MemoryLayout<EventRecord>.stride
    return (0..<bytes.count / stride).compactMap { bytes.loadRecord(at: $0 * stride) }
  }

  /// The pairs of allocating and freeing stacks, with the counts of their strings, in the order in
  /// which they were first counted.
  public var pairs: [PairRecord] {
    let bytes = sections[SectionKind.pairs.rawValue]
    let stride = MemoryLayout<PairRecord>.stride
    return (0..<bytes.count / stride).compactMap { bytes.loadRecord(at: $0 * stride) }
  }

  /// The declarations of the program about single strings.
  public var histories: [HistoryRecord] {
    let bytes = sections[SectionKind.histories.rawValue]
    let stride = MemoryLayout<HistoryRecord>.stride
    return (0..<bytes.count / stride).compactMap { index in
      let record: HistoryRecord? = bytes.loadRecord(at: index * stride)
      return record.flatMap { $0.serial == 0 ? nil : $0 }
    }
  }

  /// The scopes, in the order in which they began; the first of them has the id `firstScope`.
  public var scopes: [ScopeRecord] {
    let bytes = sections[SectionKind.scopes.rawValue]
    let stride = MemoryLayout<ScopeRecord>.stride
    return (0..<bytes.count / stride).compactMap { bytes.loadRecord(at: $0 * stride) }
  }

  /// What holds strings that were live when the process began to end, step by step.
  ///
  /// - Returns: by a string's serial number, its chains, each from the string outwards; of a string
  ///   that nothing refers to, none.
  public func holders() -> [UInt64: [[HolderRecord]]] {
    let bytes = sections[SectionKind.holders.rawValue]
    let stride = MemoryLayout<HolderRecord>.stride
    var holders: [UInt64: [[HolderRecord]]] = [:]
    var last: HolderRecord?
    for index in 0..<bytes.count / stride {
      guard let record: HolderRecord = bytes.loadRecord(at: index * stride), record.serial != 0
      else { continue }
      guard let place = HolderPlace(rawValue: record.kind),
        HolderMatch(rawValue: record.match) != nil
      else { continue }
      if place == .nobody {
        holders[record.serial] = holders[record.serial] ?? []
        continue
      }
      var chains = holders[record.serial] ?? []
      let isNext =
        last?.serial == record.serial && last?.chain == record.chain
        && last?.kind == HolderPlace.heap.rawValue && !chains.isEmpty
        && (chains.last?.count ?? 0) < Self.maxHolderSteps
      if isNext {
        chains[chains.count - 1].append(record)
      } else if chains.count < Self.maxHolderChains {
        chains.append([record])
      } else {
        continue
      }
      last = record
      holders[record.serial] = chains
    }
    return holders
  }

  /// The limits of the chains of a string and of their steps, which no sound store exceeds.
  private static let (maxHolderChains, maxHolderSteps) = (2, 5)

  /// Returns the name of a scope; `nil` for an unknown one.
  public func name(of scope: ScopeID) -> String? {
    let index = Int(scope.rawValue) - max(1, Int(header.firstScope))
    let bytes = sections[SectionKind.scopes.rawValue]
    guard scope != .none, scope != .ignored, index >= 0,
      let record: ScopeRecord = bytes.loadRecord(at: index * MemoryLayout<ScopeRecord>.stride)
    else { return nil }
    return text(record.name)
  }

  /// Returns the values of the strings that were live at the end, by their blocks' serial numbers.
  public func values() -> [UInt64: StoredValue] {
    let bytes = sections[SectionKind.values.rawValue]
    var values: [UInt64: StoredValue] = [:]
    var offset = 0
    while let head: ValueHead = bytes.loadRecord(at: offset) {
      offset += MemoryLayout<ValueHead>.stride
      let end = offset + Int(head.kept)
      guard Int(head.kept) <= StoreLayout.valueBytes, end <= bytes.count else { break }
      values[head.serial] = StoredValue(
        bytes: Array(bytes[offset..<end]), byteLength: Int(head.byteLength), layout: head.layout)
      offset = offset + (Int(head.kept) + 7) / 8 * 8
    }
    return values
  }

  /// Returns the store without holes and free records, for keeping.
  public func packed() -> [UInt8] {
    var header = header
    var page = [UInt8](repeating: 0, count: StoreLayout.headerBytes)
    var body: [UInt8] = []
    for kind in SectionKind.allCases {
      let bytes = kind == .blocks ? liveBlockBytes : sections[kind.rawValue]
      let entry = SectionEntry(
        offset: UInt64(StoreLayout.headerBytes + body.count), capacity: UInt64(bytes.count),
        used: UInt64(bytes.count))
      page.storeRecord(
        entry,
        at: StoreLayout.sectionTableOffset + kind.rawValue * MemoryLayout<SectionEntry>.stride)
      body += bytes
      body += [UInt8](repeating: 0, count: (8 - bytes.count % 8) % 8)
    }
    header.storeBytes = UInt64(StoreLayout.headerBytes + body.count)
    for counter in StoreCounter.allCases {
      let isCountedByShards = counter == .allocations || counter == .frees
      page.storeRecord(
        isCountedByShards ? 0 : count(counter), at: StoreLayout.offset(of: counter))
    }
    // In a packed store the first shard has all counts.
    page.storeRecord(count(.allocations), at: StoreLayout.shardCountsOffset)
    page.storeRecord(count(.frees), at: StoreLayout.shardCountsOffset + 8)
    page.storeRecord(header, at: 0)
    return page + body
  }
}

/// The kept characters of a string.
public struct StoredValue: Sendable, Equatable {
  /// The first bytes.
  public var bytes: [UInt8]
  /// The count of bytes of the whole string.
  public var byteLength: Int
  /// The string's layout.
  public var layout: StoredLayout

  /// Creates the value of a string of `byteLength` bytes from its first bytes.
  public init(bytes: [UInt8], byteLength: Int, layout: StoredLayout = .unknown) {
    self.bytes = bytes
    self.byteLength = byteLength
    self.layout = layout
  }
}

extension Array where Element == UInt8 {
  /// Returns the record at a byte offset, or `nil` where the bytes end before it does.
  ///
  /// `Record` is one of the store's plain records: any bytes are a value of it.
  func loadRecord<Record: BitwiseCopyable>(at offset: Int) -> Record? {
    guard offset >= 0, count >= MemoryLayout<Record>.size,
      offset <= count - MemoryLayout<Record>.size
    else { return nil }
    return unsafe withUnsafeBytes {
      unsafe $0.loadUnaligned(fromByteOffset: offset, as: Record.self)
    }
  }

  /// Returns the integer at a byte offset that is known to be in range.
  func load<Number: FixedWidthInteger & BitwiseCopyable>(_: Number.Type, at offset: Int) -> Number {
    loadRecord(at: offset) ?? 0
  }

  mutating func storeRecord<Record: BitwiseCopyable>(_ record: Record, at offset: Int) {
    unsafe withUnsafeMutableBytes {
      unsafe $0.storeBytes(of: record, toByteOffset: offset, as: Record.self)
    }
  }
}
