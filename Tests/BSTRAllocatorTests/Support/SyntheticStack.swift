import CTrackerTesting
import CTracker
import Glibc
import TestSupport

@testable import BSTRAllocator

/// A stack in memory of its own that is made of return addresses into real functions, so that it
/// unwinds by their call frame information.
final class SyntheticStack {
  /// A function in the middle of a call.
  struct Activation: Hashable {
    var address: UInt
    var rule: CFARule

    static func == (one: Activation, other: Activation) -> Bool { one.address == other.address }
    func hash(into hasher: inout Hasher) { hasher.combine(address) }
  }

  /// Return addresses of this process by the shape of their frames.
  struct Pool {
    /// Frames that are counted from the frame pointer, which they have saved.
    var chained: [Activation] = []
    /// Frames that are counted from the stack pointer, and have saved the frame pointer.
    var saving: [Activation] = []
    /// Frames that are counted from the stack pointer, and have left the frame pointer alone.
    var plain: [Activation] = []
    /// Frames without a caller.
    var outermost: [Activation] = []

    /// Of the program and of the C library.
    static let shared = Pool()

    private init() {
      for function in ["", "libc.so.6"].flatMap({ Functions.all(of: $0).shuffledFirst(4000) }) {
        let address = function.start + function.bytes / 2 + 1
        guard let rule = CFARule.of(address) else { continue }
        let activation = Activation(address: address, rule: rule)
        if rule.isOutermost {
          outermost.append(activation)
        } else if rule.isFromFramePointer {
          if rule.offset == 16, rule.framePointerOffset == -16 { chained.append(activation) }
        } else if (16...400).contains(rule.offset) {
          if let offset = rule.framePointerOffset {
            // Not between the last pops of a function, where it is below the stack pointer: that is
            // no place of a call.
            if rule.offset + offset >= 0 { saving.append(activation) }
          } else {
            plain.append(activation)
          }
        }
      }
      let all = ["", "libc.so.6"].flatMap { Functions.all(of: $0) }
      for function in all where outermost.isEmpty {
        if let rule = CFARule.of(function.start + 1), rule.isOutermost {
          outermost.append(Activation(address: function.start + 1, rule: rule))
        }
      }
    }
  }

  private static let wordCount = 1 << 14
  private let words: UnsafeMutablePointer<UInt>
  /// Words in front of the innermost frame.
  var room = 64
  /// The frame of the function that the innermost activation has called.
  var frame: UInt { UInt(bitPattern: words + room) }

  init() {
    words = .allocate(capacity: Self.wordCount)
    words.initialize(repeating: 0, count: Self.wordCount)
  }

  deinit { words.deallocate() }

  /// Writes the frames of activations, innermost first, in place of what was there.
  ///
  /// - Parameter noise: fills what no unwinding reads.
  func write(_ activations: [Activation], noise: UInt) {
    // Without a range, which takes longer than what it is for.
    var index = 0
    while index < Self.wordCount {
      words[index] = noise &+ UInt(index)
      index += 1
    }
    var frame = frame
    // Where the value of the frame pointer stands that holds at this point.
    var savedAt = frame
    set(frame + 8, activations[0].address)
    var stackPointer = frame + 16
    for (index, activation) in activations.enumerated() {
      let rule = activation.rule
      if rule.isOutermost { break }
      let end: UInt
      if rule.isFromFramePointer {
        // Room for its variables.
        let framePointer = stackPointer + 8 * UInt(1 + index % 5)
        set(savedAt, framePointer)
        end = framePointer + 16
      } else {
        end = stackPointer + UInt(rule.offset)
      }
      if let offset = rule.framePointerOffset { savedAt = end &+ UInt(bitPattern: offset) }
      set(end - 8, index + 1 < activations.count ? activations[index + 1].address : 0)
      stackPointer = end
      frame = end
    }
  }

  private func set(_ address: UInt, _ value: UInt) {
    UnsafeMutablePointer<UInt>(bitPattern: address)!.pointee = value
  }

  /// The call that the innermost activation has made.
  func call(_ activations: [Activation]) -> CallSite { CallSite(activations[0].address, frame) }
}

extension Array {
  fileprivate func shuffledFirst(_ count: Int) -> ArraySlice<Element> {
    var generator = SeededGenerator(seed: 3)
    return shuffled(using: &generator).prefix(count)
  }
}
