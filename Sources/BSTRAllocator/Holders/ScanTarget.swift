// What a search for holders looks for, and the references to it. Defines no search.

import TraceStore

/// A block that is looked for: a string's, or one of the heap that refers to one.
struct ScanTarget: BitwiseCopyable {
  /// The block's first address, and one past its last.
  var start: UInt
  var end: UInt
  /// A string's first character; 0 for other blocks.
  var text: UInt = 0
  /// The serial number of a string; 0 for other blocks.
  var serial: UInt64 = 0
  /// The stack that allocated a string.
  var stack = StackID.none
  /// The first of its references, plus 1; 0 for none.
  var firstReference: UInt32 = 0
  /// Counts of its references, which are limited by the kind of place.
  var roots: UInt8 = 0
  var blocks: UInt8 = 0
  var stacks: UInt8 = 0
  /// The best way outwards, once it is known: its reference plus 1, its class (see `Rank`), and the
  /// count of its steps.
  var best: UInt32 = 0
  var rank = Rank.none
  var steps: UInt8 = 0

  /// How good the end of a chain is: the lower, the better.
  enum Rank: UInt8 {
    /// Static data or a thread-local variable.
    case root
    /// A heap block, of which nothing else is known.
    case block
    /// A stack.
    case stack
    /// Nothing refers to it.
    case none
  }

  /// Usable bytes.
  var byteCount: UInt { end - start }
}

/// A word that refers to a target.
struct ScanReference: BitwiseCopyable {
  /// The next reference to the same target, plus 1; 0 for none.
  var next: UInt32 = 0
  var kind: HolderPlace
  var match: HolderMatch
  /// The heap block that the word is in, as a target.
  var block: UInt32 = 0
  /// The thread of a stack or a thread-local variable.
  var thread: UInt32 = 0
  /// The word's address.
  var slot: UInt
  /// Of a thread-local variable an address in its module; of a stack a return address, or 0.
  var code: UInt = 0
  /// Of a thread-local variable the offset in its module's block.
  var offset: UInt = 0
}
