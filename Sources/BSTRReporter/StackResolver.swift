// Recorded stacks into frames with names.

import TraceStore

/// Resolves the stacks of one store.
struct StackResolver {
  private let image: StoreImage
  private var places: [UInt64: CodePlace] = [:]
  private var symbols: [CodePlace: [Symbol]] = [:]

  init(_ image: StoreImage) {
    self.image = image
  }

  /// Names every frame of the stacks, in one request.
  mutating func load(_ stacks: [StackID], with symbolicator: inout some Symbolicator) {
    var modules: [ModuleID: (path: String, buildID: String?, bias: UInt64)] = [:]
    var wanted: Set<CodePlace> = []
    for stack in stacks {
      for word in image.stack(stack).frames where places[word.rawValue] == nil {
        let module =
          modules[word.module]
          ?? image.module(word.module).map { record in
            let buildID = image.rawText(record.buildID)
            return (
              image.text(record.path), buildID.isEmpty ? nil : Hexadecimal.text(buildID),
              record.bias
            )
          } ?? ("", nil, 0)
        modules[word.module] = module
        let place = CodePlace(
          module: module.path, buildID: module.buildID, offset: word.address &- module.bias)
        places[word.rawValue] = place
        wanted.insert(place)
      }
    }
    symbols.merge(symbolicator.symbols(for: wanted)) { _, new in new }
  }

  /// The stack's frames, innermost first, inlined ones in front of those they were inlined into.
  func frames(of stack: StackID) -> [Frame] {
    image.stack(stack).frames.compactMap { places[$0.rawValue] }.flatMap { place -> [Frame] in
      let symbols = symbols[place] ?? []
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
}
