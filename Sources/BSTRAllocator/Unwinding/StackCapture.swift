// Takes the stack of the calling thread. Does not remember it: that is StackDepot.

import CTracker
import CUnwind
import Glibc

/// Captures stacks with libunwind.
///
/// Nothing here takes a lock of the registry or the depot. The caller is inside the tracker.
enum StackCapture {
  /// The most frames that a stack can be asked for.
  static let maxDepth = 256
  /// Frames of our own that may lie above the program's; more in unoptimised builds.
  static let ownFrames = capacity - maxDepth
  /// Addresses that fit into a thread's scratch memory; behind them is room for as many words.
  static let capacity = Int(CT_SCRATCH_WORDS) / 2

  /// A captured stack: addresses in the thread's scratch memory, innermost first.
  @unsafe struct Stack {
    /// The program's frames.
    var addresses: UnsafeMutableBufferPointer<UInt>
    /// Room for as many words, for the depot.
    var words: UnsafeMutablePointer<UInt64>
    /// Whether there were more frames than were asked for.
    var truncated: Bool
    /// Whether unwinding has come to the caller; where it has not, that is all there is.
    var reachesCaller = true
  }

  /// The program's stack, starting with the frame that returns to `caller`.
  ///
  /// Our own frames are those above it: their number depends on what the optimiser inlined, the
  /// return address does not. Where unwinding does not reach `caller`, it is the only frame.
  ///
  /// - Parameters:
  ///   - caller: the call of the function that the program called.
  ///   - depth: the most frames to keep, at most `maxDepth`.
  static func capture(from caller: CallSite, depth: Int) -> Stack {
    let caller = caller.returnAddress
    let addresses = unsafe scratch
    let found = unsafe walk(into: addresses, limit: min(depth, maxDepth) + ownFrames)
    var start = 0
    while unsafe start < found && addresses[start] != caller { start += 1 }
    if start == found {
      unsafe addresses[0] = caller
      var stack = unsafe stack(addresses, from: 0, count: 1, truncated: true)
      unsafe stack.reachesCaller = false
      return unsafe stack
    }
    let count = min(found - start, depth)
    return unsafe stack(addresses, from: start, count: count, truncated: found - start > depth)
  }

  /// The calling thread's stack without its `skip` innermost frames.
  static func capture(skip: Int, depth: Int) -> Stack {
    let addresses = unsafe scratch
    let limit = min(depth, maxDepth) + skip
    let found = unsafe walk(into: addresses, limit: min(limit + 1, capacity))
    let start = min(skip, found)
    let count = min(found - start, depth)
    return unsafe stack(addresses, from: start, count: count, truncated: found - start > depth)
  }

  /// The calling thread's scratch memory.
  private static var scratch: UnsafeMutablePointer<UInt> {
    unsafe UnsafeMutableRawPointer(ct_scratch()).assumingMemoryBound(to: UInt.self)
  }

  @inline(__always)
  private static func walk(into addresses: UnsafeMutablePointer<UInt>, limit: Int) -> Int {
    let slots = unsafe UnsafeMutableRawPointer(addresses)
      .assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
    return max(0, unsafe Int(cunwind_walk(slots, Int32(limit))))
  }

  private static func stack(
    _ addresses: UnsafeMutablePointer<UInt>, from start: Int, count: Int, truncated: Bool
  ) -> Stack {
    unsafe Stack(
      addresses: UnsafeMutableBufferPointer(start: addresses + start, count: count),
      words: ct_scratch() + capacity, truncated: truncated)
  }
}
