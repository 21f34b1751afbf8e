// The live strings of a process, summed up by the stacks that allocated them. Whether they are
// leaks is decided elsewhere.

import TraceStore

/// The live strings of one stack.
struct LiveStrings {
  /// Their count.
  private(set) var count = 0
  /// Their payload in bytes.
  private(set) var bytes = 0
  /// The serial number of the first.
  private(set) var first = UInt64.max

  /// Returns the live strings of a store by their stacks.
  ///
  /// - Complexity: linear in live blocks.
  static func byStack(in image: StoreImage) -> [StackID: LiveStrings] {
    var live: [StackID: LiveStrings] = [:]
    image.forEachLiveBlock { live[$0.stack, default: LiveStrings()].add($0) }
    return live
  }

  private mutating func add(_ block: BlockRecord) {
    count += 1
    bytes += Int(block.byteLength)
    first = min(first, block.serial)
  }
}

extension OwnershipInference {
  /// Returns the live strings of a stack as the rules for leaks take them.
  func leaked(_ live: LiveStrings, of stack: StackID) -> Leaked {
    Leaked(
      stacks: [stack], live: live.count,
      allocationsAfterFirst: allocations - min(allocations, live.first))
  }
}
