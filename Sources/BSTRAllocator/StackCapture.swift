// Takes the stack of the calling thread. Does not remember it: that is Depot.

import CTracker
import CUnwind
import Glibc

/// Captures stacks with libunwind.
///
/// Nothing here takes a lock of the registry or the depot.
enum StackCapture {
  /// The most frames that a stack can be asked for.
  static let deepest = 256
  /// Frames of our own that may lie above the program's; more in unoptimised builds.
  static let ownFrames = 64
  /// Bytes of scratch memory per thread: the captured addresses, and as many words behind them.
  static let scratchBytes = 2 * (deepest + ownFrames) * 8

  /// A captured stack: addresses in the thread's scratch memory, innermost first.
  @unsafe struct Stack {
    /// The program's frames.
    var addresses: UnsafeMutableBufferPointer<UInt>
    /// Room for as many words, for the depot.
    var words: UnsafeMutablePointer<UInt64>
    /// Whether there were more frames than were asked for.
    var truncated: Bool
  }

  /// The program's stack, starting with the frame that returns to `caller`.
  ///
  /// Our own frames are those above it: their number depends on what the optimiser inlined, the
  /// return address does not. Where unwinding does not reach `caller`, it is the only frame.
  ///
  /// - Parameters:
  ///   - caller: the return address of the function that the program called.
  ///   - depth: the most frames to keep, at most `deepest`.
  /// - Returns: `nil` when this thread can have no scratch memory.
  static func capture(from caller: UInt, depth: Int) -> Stack? {
    guard let scratch = unsafe ThreadScratch.current() else { return nil }
    let found = unsafe walk(into: scratch, limit: min(depth, deepest) + ownFrames)
    let addresses = unsafe scratch.assumingMemoryBound(to: UInt.self)
    var start = 0
    while unsafe start < found && addresses[start] != caller { start += 1 }
    if start == found {
      unsafe addresses[0] = caller
      return unsafe stack(scratch, from: 0, count: 1, truncated: true)
    }
    let count = min(found - start, depth)
    return unsafe stack(scratch, from: start, count: count, truncated: found - start > depth)
  }

  /// The calling thread's stack without its `skip` innermost frames.
  static func capture(skip: Int, depth: Int) -> Stack? {
    guard let scratch = unsafe ThreadScratch.current() else { return nil }
    let limit = min(depth, deepest) + skip
    let found = unsafe walk(into: scratch, limit: min(limit + 1, deepest + ownFrames))
    let start = min(skip, found)
    let count = min(found - start, depth)
    return unsafe stack(scratch, from: start, count: count, truncated: found - start > depth)
  }

  @inline(__always)
  private static func walk(into scratch: UnsafeMutableRawPointer, limit: Int) -> Int {
    let slots = unsafe scratch.assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
    return max(0, unsafe Int(cunwind_walk(slots, Int32(limit))))
  }

  private static func stack(
    _ scratch: UnsafeMutableRawPointer, from start: Int, count: Int, truncated: Bool
  ) -> Stack {
    let addresses = unsafe scratch.assumingMemoryBound(to: UInt.self) + start
    let words = unsafe (scratch + scratchBytes / 2).assumingMemoryBound(to: UInt64.self)
    return unsafe Stack(
      addresses: UnsafeMutableBufferPointer(start: addresses, count: count), words: words,
      truncated: truncated)
  }
}

/// Each thread's scratch memory: mapped at its first use, unmapped when the thread ends.
enum ThreadScratch {
  /// The threads that have some.
  nonisolated(unsafe) static let stacks = ThreadStacks()

  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    unsafe pthread_key_create(&key) { memory in
      unsafe ct_thread().pointee.scratch = nil
      unsafe stacks.remove()
      if let memory = unsafe memory { unsafe munmap(memory, StackCapture.scratchBytes) }
    }
    return key
  }()

  /// This thread's scratch memory, or `nil` when there is none to be had.
  static func current() -> UnsafeMutableRawPointer? {
    let thread = unsafe ct_thread()
    if let scratch = unsafe thread.pointee.scratch { return unsafe scratch }
    guard let scratch = unsafe PrivateMemory.map(StackCapture.scratchBytes) else { return nil }
    unsafe pthread_setspecific(key, scratch)
    unsafe thread.pointee.scratch = scratch
    unsafe stacks.add()
    return unsafe scratch
  }
}
