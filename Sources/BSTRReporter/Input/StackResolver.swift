// Turns recorded stacks into frames with names.

import TraceStore

/// Resolves the stacks of one store.
///
/// Frames that a reader could not tell apart are one frame with one index, so that a hundred
/// thousand stacks are compared and sorted as integers.
struct StackResolver {
  private let image: StoreImage
  /// Each frame once, in the order in which stacks are sorted.
  private(set) var frames: [Frame] = []
  /// The frame indices of each recorded word: inlined frames first.
  private var indicesOfCalls: [UInt64: [Int]] = [:]

  /// The key by which two frames are the same to a reader: the line, or without one the address.
  private struct SourceLocation: Hashable {
    var function: String?
    var file: String?
    var line: Int?
    var module: String
    var offset: UInt64?
    var inlined: Bool

    init(_ frame: Frame) {
      function = frame.function
      file = frame.file
      line = frame.line
      module = frame.module
      offset = frame.line == nil ? frame.offset : nil
      inlined = frame.inlined
    }
  }

  /// Names every frame of the stacks, in one request.
  init(_ image: StoreImage, _ stacks: [StackID], with symbolicator: inout some Symbolicator) {
    self.image = image
    let locations = Self.locations(of: Set(stacks.flatMap { image.stack($0).frames }), in: image)
    let symbols = symbolicator.symbols(for: Set(locations.values))
    let framesOfWords = locations.mapValues { Self.frames(at: $0, symbols[$0] ?? []) }

    // Of the frames of one line the first by address represents all: the same one in every run.
    var chosen: [SourceLocation: Frame] = [:]
    for frame in framesOfWords.values.joined() {
      let key = SourceLocation(frame)
      if let other = chosen[key], other.offset <= frame.offset { continue }
      chosen[key] = frame
    }
    let sorted = chosen.map { (key: ($1.name, $1.location, $1.offset), location: $0, frame: $1) }
      .sorted { first, second in
        if first.key != second.key { return first.key < second.key }
        return first.frame.inlined && !second.frame.inlined
      }
    frames = sorted.map { $0.frame }
    let indexOfLocation = Dictionary(
      uniqueKeysWithValues: sorted.enumerated().map { ($1.location, $0) })
    indicesOfCalls = framesOfWords.mapValues { frames in
      frames.compactMap { indexOfLocation[SourceLocation($0)] }
    }
  }

  /// Returns the frame indices of a stack, innermost first.
  func frameIndices(of stack: StackID) -> [Int] {
    image.stack(stack).frames.flatMap { indicesOfCalls[$0.rawValue] ?? [] }
  }

  /// Returns the frame indices of one recorded call, innermost first: several where functions were
  /// inlined.
  func framesOfCall(_ call: FrameWord) -> [Int] { indicesOfCalls[call.rawValue] ?? [] }

  /// Returns the code location that one word names.
  static func location(of word: FrameWord, in image: StoreImage) -> CodeLocation {
    locations(of: [word], in: image)[word.rawValue]
      ?? CodeLocation(module: "", buildID: nil, offset: word.address)
  }

  private static func locations(
    of words: Set<FrameWord>, in image: StoreImage
  ) -> [UInt64: CodeLocation] {
    var modules: [ModuleID: (path: String, buildID: String?, bias: UInt64)] = [:]
    let process = RecordedProcess(
      pid: Int(image.header.pid), startTime: image.header.startTime,
      suspended: image.header.suspended)
    var locations: [UInt64: CodeLocation] = [:]
    for word in words {
      let module =
        modules[word.module]
        ?? image.module(word.module).map { record in
          let buildID = image.rawText(record.buildID)
          return (
            image.text(record.path), buildID.isEmpty ? nil : Hexadecimal.text(buildID), record.bias
          )
        } ?? ("", nil, 0)
      modules[word.module] = module
      locations[word.rawValue] = CodeLocation(
        module: module.path, buildID: module.buildID, offset: word.address &- module.bias,
        process: module.path.isEmpty ? process : nil)
    }
    return locations
  }

  private static func frames(at location: CodeLocation, _ symbols: [Symbol]) -> [Frame] {
    if symbols.isEmpty {
      return [Frame(module: location.module, buildID: location.buildID, offset: location.offset)]
    }
    return symbols.map { symbol in
      Frame(
        function: symbol.name, file: symbol.file, line: symbol.line, column: symbol.column,
        module: location.module, buildID: location.buildID, offset: location.offset,
        inlined: symbol.inlined)
    }
  }
}
