import BSTRReporter
import Foundation
import TraceStore

/// What a store says of strings, counted by function names: what sentences of a report are held to.
struct StoreFacts {
  /// Strings that were allocated at one stack and freed at another.
  struct Freed {
    var allocated: [BSTRReporter.Frame]
    var freed: [BSTRReporter.Frame]
    var count: Int
  }

  /// Strings that were freed, by where that was.
  private(set) var freed: [Freed] = []
  /// Strings that were live at the end, by serial number: where they were allocated, and what they
  /// say.
  private(set) var live: [UInt64: (allocated: [BSTRReporter.Frame], value: StoredValue?)] = [:]
  /// How each process ended.
  private(set) var ends: [EndState?] = []

  /// Reads the store of one process.
  init(_ image: StoreImage) {
    var stacks = Set(image.pairs.flatMap { [$0.allocated, $0.freed] })
    image.forEachLiveBlock { stacks.insert($0.stack) }
    stacks.remove(.none)
    var names = RuntimeSymbolicator()
    let frames = Reporter().frames(of: stacks, in: image, symbolicator: &names)
    freed = image.pairs.map { pair in
      Freed(
        allocated: frames[pair.allocated] ?? [], freed: frames[pair.freed] ?? [],
        count: Int(clamping: pair.count))
    }
    let values = image.values()
    var live = self.live
    image.forEachLiveBlock { block in
      live[block.serial] = (frames[block.stack] ?? [], values[block.serial])
    }
    self.live = live
  }

  /// How many strings were freed whose stacks are of a kind.
  func freed(where isOne: (Freed) -> Bool) -> Int {
    freed.filter(isOne).reduce(0) { $0 + $1.count }
  }

  /// Whether two stacks are the same to a reader.
  static func isSame(_ one: [BSTRReporter.Frame], _ other: [Traced.Report.Frame]) -> Bool {
    one.count == other.count
      && zip(one, other).allSatisfy {
        $0.function == $1.function && $0.file == $1.file && $0.line == $1.line
          && ($0.line != nil || $0.offset == UInt64($1.offset))
      }
  }
}

extension [BSTRReporter.Frame] {
  /// Whether a function is on the stack.
  func passes(_ function: String) -> Bool { contains { $0.name == function } }
}
