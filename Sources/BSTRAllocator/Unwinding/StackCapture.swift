// Unwinds the stack of the calling thread by libunwind. Does not remember it: that is StackDepot.

import CTracker
import CUnwind
import Glibc

/// The unwinding of stacks, by rules where these are enough, and else by libunwind.
///
/// Takes no lock of the registry or the depot. The caller holds the recursion guard.
enum StackCapture {
  /// The limit of the frames of one stack.
  static let maxDepth = 256
  /// Frames of the library that may be above the program's; more in unoptimised builds.
  static let ownFrames = capacity - maxDepth
  /// The count of addresses that fit into half of a thread's scratch memory; the other half is room
  /// for as many words.
  static let capacity = Int(CT_SCRATCH_WORDS) / 2

  /// A captured stack: addresses in the thread's scratch memory, innermost first.
  @unsafe struct Stack {
    /// The program's frames.
    var addresses: UnsafeMutableBufferPointer<UInt>
    /// Room for as many words, for the depot.
    var words: UnsafeMutablePointer<UInt64>
    /// Whether the stack has more frames than were requested.
    var truncated: Bool
    /// Whether unwinding reached the caller; where it did not, the caller is the only frame.
    var reachesCaller = true
  }

  /// Unwinds the program's stack, starting with the frame that returns to `caller`.
  ///
  /// The library's own frames are above it: their count depends on the optimiser's inlining, the
  /// return address does not. Where unwinding does not reach `caller`, it is the only frame.
  ///
  /// - Parameters:
  ///   - caller: the call of the function that the program called.
  ///   - depth: the limit of the frames to keep, at most `maxDepth`.
  static func capture(from caller: CallSite, depth: Int) -> Stack {
    let caller = caller.returnAddress
    let addresses = unsafe scratch
    let found = unsafe unwind(into: addresses, limit: min(depth, maxDepth) + ownFrames)
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

  /// Unwinds the calling thread's stack, without its `skip` innermost frames.
  static func capture(skip: Int, depth: Int) -> Stack {
    let addresses = unsafe scratch
    let limit = min(depth, maxDepth) + skip
    let found = unsafe unwind(into: addresses, limit: min(limit + 1, capacity))
    let start = min(skip, found)
    let count = min(found - start, depth)
    return unsafe stack(addresses, from: start, count: count, truncated: found - start > depth)
  }

  /// The calling thread's scratch memory.
  static var scratch: UnsafeMutablePointer<UInt> {
    unsafe UnsafeMutableRawPointer(ct_scratch()).assumingMemoryBound(to: UInt.self)
  }

  @inline(__always)
  private static func unwind(into addresses: UnsafeMutablePointer<UInt>, limit: Int) -> Int {
    let slots = unsafe UnsafeMutableRawPointer(addresses)
      .assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
    return max(0, unsafe Int(cunwind_unwind(slots, Int32(limit))))
  }

  static func stack(
    _ addresses: UnsafeMutablePointer<UInt>, from start: Int, count: Int, truncated: Bool
  ) -> Stack {
    unsafe Stack(
      addresses: UnsafeMutableBufferPointer(start: addresses + start, count: count),
      words: ct_scratch() + capacity, truncated: truncated)
  }
}
