// Names what was found to hold strings: variables and classes by the symbols of modules.

import TraceStore

/// The holders of one store's strings, with names.
struct HolderNames {
  private let image: StoreImage
  private var symbols: [CodeLocation: DataSymbol?] = [:]
  private var functions: [CodeLocation: String] = [:]

  /// Returns the chains of the strings that were looked for and are live at the end, by serial
  /// number; none for a string that nothing refers to.
  static func chains(
    in image: StoreImage, with symbolicator: inout some Symbolicator
  ) -> [UInt64: [HolderChain]] {
    let found = image.holders()
    if found.isEmpty { return [:] }
    var live: Set<UInt64> = []
    image.forEachLiveBlock { if found[$0.serial] != nil { live.insert($0.serial) } }
    var names = HolderNames(image: image)
    names.findFunctions(of: found.filter { live.contains($0.key) }, with: &symbolicator)
    var chains: [UInt64: [HolderChain]] = [:]
    for serial in live {
      let all = (found[serial] ?? []).map { names.chain($0, with: &symbolicator) }
        .sorted(by: HolderChain.isBetter)
      // A copy on its way is left on stacks of what is kept elsewhere.
      let kept = all.filter { $0.steps.first?.place != .stack }
      chains[serial] = kept.isEmpty ? all : kept
    }
    return chains
  }

  private init(image: StoreImage) { self.image = image }

  /// Names the functions on stacks, in one request.
  private mutating func findFunctions(
    of found: [UInt64: [[HolderRecord]]], with symbolicator: inout some Symbolicator
  ) {
    let words = found.values.joined().joined().filter {
      $0.kind == HolderPlace.stack.rawValue && $0.place.rawValue != 0
    }.map(\.place)
    if words.isEmpty { return }
    let locations = Set(words.map { StackResolver.location(of: $0, in: image) })
    for (location, symbols) in symbolicator.symbols(for: locations) {
      functions[location] = symbols.last?.name
    }
  }

  /// Returns a chain from its records, which begin at the string.
  private mutating func chain(
    _ records: [HolderRecord], with symbolicator: inout some Symbolicator
  ) -> HolderChain {
    var chain = HolderChain(steps: [], isWeak: false)
    for record in records {
      let holder = holder(record, with: &symbolicator)
      chain.steps.insert(holder, at: 0)
      chain.isWeak = chain.isWeak || Self.isWeak(record, holder)
    }
    return chain
  }

  /// Returns whether the word may be out of use, though it is there.
  private static func isWeak(_ record: HolderRecord, _ holder: Holder) -> Bool {
    switch holder.place {
    case .data, .threadLocal: return false
    case .stack: return true
    case .heap:
      let facts = HolderFacts(rawValue: record.facts)
      if facts.contains(.isSpare) { return true }
      // Two blocks that were both freed look alike, too.
      let isVouchedFor = facts.contains(.hasSiblings) && !facts.contains(.maybeFreed)
      // The run-time's own blocks have room for more elements than there are.
      let isObject = holder.type.map { !Self.isStorage($0) } ?? false
      return !isObject && !isVouchedFor && !facts.contains(.isElement)
    }
  }

  /// Returns whether a type is that of the elements of a Swift array, dictionary or set.
  private static func isStorage(_ type: String) -> Bool {
    ["_ContiguousArrayStorage", "_DictionaryStorage", "_SetStorage"].contains {
      type == $0 || type == "Swift.\($0)"
    }
  }

  private mutating func holder(
    _ record: HolderRecord, with symbolicator: inout some Symbolicator
  ) -> Holder {
    var holder = Holder(place: .heap)
    switch HolderMatch(rawValue: record.match) {
    case .start: holder.certainty = .start
    case .interior: holder.certainty = .interior
    case .tagged: holder.certainty = .tagged
    case .text, nil: holder.certainty = .exact
    }
    switch HolderPlace(rawValue: record.kind) {
    case .data, .threadLocal:
      let isThreadLocal = record.kind == HolderPlace.threadLocal.rawValue
      holder.place = isThreadLocal ? .threadLocal : .data
      var location = StackResolver.location(of: record.place, in: image)
      if isThreadLocal {
        location.offset = record.place.address
        location.isThreadLocal = true
        setThread(record, of: &holder)
      }
      let symbol = symbol(at: location, with: &symbolicator)
      holder.module = location.module
      holder.symbol = symbol?.name.map(Self.variable)
      if let symbol, symbol.name != nil {
        holder.symbolAddress = location.offset &- UInt64(clamping: symbol.offset)
      }
      holder.section = symbol?.section
      holder.offset =
        holder.symbol == nil ? Int(clamping: location.offset) : symbol?.offset ?? 0
    case .stack:
      holder.place = .stack
      setThread(record, of: &holder)
      if record.place.rawValue != 0 {
        let location = StackResolver.location(of: record.place, in: image)
        holder.function =
          functions[location]
          ?? Frame(module: location.module, offset: location.offset).moduleOffset
      }
    case .heap, .nobody, nil:
      holder.bytes = Int(clamping: record.blockBytes)
      holder.offset = Int(record.offset)
      holder.type = type(record, with: &symbolicator)
    }
    return holder
  }

  private func setThread(_ record: HolderRecord, of holder: inout Holder) {
    holder.thread = Int(record.thread)
    holder.isMainThread = record.thread == image.header.pid
  }

  private mutating func symbol(
    at location: CodeLocation, with symbolicator: inout some Symbolicator
  ) -> DataSymbol? {
    if let known = symbols[location] { return known }
    let symbol = symbolicator.dataSymbol(at: location)
    symbols[location] = .some(symbol)
    return symbol
  }

  // MARK: names

  private static let vtable = "vtable for "
  private static let metadata = ["type metadata for ", "full type metadata for "]
  private static let descriptor = "nominal type descriptor for "

  /// Returns the class or type of a block by its first word; `nil` where that is no table of
  /// virtual functions and no metadata.
  private mutating func type(
    _ record: HolderRecord, with symbolicator: inout some Symbolicator
  ) -> String? {
    guard record.type.rawValue != 0 else { return nil }
    let location = StackResolver.location(of: record.type, in: image)
    guard let symbol = symbol(at: location, with: &symbolicator), let name = symbol.name else {
      return nil
    }
    if HolderFacts(rawValue: record.facts).contains(.isDescriptor) {
      return name.hasPrefix(Self.descriptor) && symbol.offset == 0
        ? Self.variable(String(name.dropFirst(Self.descriptor.count))) : nil
    }
    // The functions follow the distance to the object's start and its type_info (Itanium C++ ABI).
    if name.hasPrefix(Self.vtable) {
      return symbol.offset >= 16 ? String(name.dropFirst(Self.vtable.count)) : nil
    }
    for prefix in Self.metadata where name.hasPrefix(prefix) {
      return Self.variable(String(name.dropFirst(prefix.count)))
    }
    return nil
  }

  /// Returns a variable's name without its type, which Swift's names have, without the number that
  /// compilers give a variable of a function, and without the file of a private one.
  static func variable(_ name: String) -> String {
    var name = name
    if let type = name.firstRange(of: " : ") { name = String(name[..<type.lowerBound]) }
    // "main.(cache in _0123456789ABCDEF)"
    while let file = name.firstRange(of: " in _"),
      let open = name[..<file.lowerBound].lastIndex(of: "("),
      let close = name[file.upperBound...].firstIndex(of: ")")
    {
      name = String(
        name[..<open] + name[name.index(after: open)..<file.lowerBound]
          + name[name.index(after: close)...])
    }
    if let dot = name.lastIndex(of: "."), dot > name.startIndex {
      let number = name[name.index(after: dot)...]
      if !number.isEmpty, number.allSatisfy(\.isNumber) { name = String(name[..<dot]) }
    }
    return name
  }
}
