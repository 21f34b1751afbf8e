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
  private var frameIndices: [UInt64: [Int]] = [:]

  /// The key by which two frames are the same to a reader: the line, or without one the address.
  private struct SourcePlace: Hashable {
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
    let places = Self.places(of: Set(stacks.flatMap { image.stack($0).frames }), in: image)
    let symbols = symbolicator.symbols(for: Set(places.values))
    let framesOfWords = places.mapValues { Self.frames(at: $0, symbols[$0] ?? []) }

    // Of the frames of one line the first by address represents all: the same one in every run.
    var chosen: [SourcePlace: Frame] = [:]
    for frame in framesOfWords.values.joined() {
      let key = SourcePlace(frame)
      if let other = chosen[key], other.offset <= frame.offset { continue }
      chosen[key] = frame
    }
    let sorted = chosen.map { (key: ($1.name, $1.location, $1.offset), place: $0, frame: $1) }
      .sorted { first, second in
        if first.key != second.key { return first.key < second.key }
        return first.frame.inlined && !second.frame.inlined
      }
    frames = sorted.map { $0.frame }
    let numberOfPlace = Dictionary(
      uniqueKeysWithValues: sorted.enumerated().map { ($1.place, $0) })
    frameIndices = framesOfWords.mapValues { frames in
      frames.compactMap { numberOfPlace[SourcePlace($0)] }
    }
  }

  /// Returns the frame indices of a stack, innermost first.
  func frameNumbers(of stack: StackID) -> [Int] {
    image.stack(stack).frames.flatMap { frameIndices[$0.rawValue] ?? [] }
  }

  /// Returns the frame indices of one recorded call, innermost first: several where functions were
  /// inlined.
  func framesOfCall(_ call: FrameWord) -> [Int] { frameIndices[call.rawValue] ?? [] }

  /// Returns the code location that one word names.
  static func place(of word: FrameWord, in image: StoreImage) -> CodePlace {
    places(of: [word], in: image)[word.rawValue]
      ?? CodePlace(module: "", buildID: nil, offset: word.address)
  }

  private static func places(
    of words: Set<FrameWord>, in image: StoreImage
  ) -> [UInt64: CodePlace] {
    var modules: [ModuleID: (path: String, buildID: String?, bias: UInt64)] = [:]
    let process = RecordedProcess(
      pid: Int(image.header.pid), startTime: image.header.startTime,
      suspended: image.header.suspended)
    var places: [UInt64: CodePlace] = [:]
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
      places[word.rawValue] = CodePlace(
        module: module.path, buildID: module.buildID, offset: word.address &- module.bias,
        process: module.path.isEmpty ? process : nil)
    }
    return places
  }

  private static func frames(at place: CodePlace, _ symbols: [Symbol]) -> [Frame] {
    if symbols.isEmpty {
      return [Frame(module: place.module, buildID: place.buildID, offset: place.offset)]
    }
    return symbols.map { symbol in
      Frame(
        function: symbol.name, file: symbol.file, line: symbol.line, column: symbol.column,
        module: place.module, buildID: place.buildID, offset: place.offset,
        inlined: symbol.inlined)
    }
  }
}
