// The fuzz target for call frame information. Apart from the others: it links the allocator.

import BSTRAllocator
import Glibc

/// Drives the reader of call frame information with any bytes.
public enum FrameFuzzing {
  /// Reads a CIE and an FDE, each at the end of a page behind which nothing can be read: what is
  /// read outside of them ends the program.
  ///
  /// One call at a time: all write to the same pages.
  ///
  /// - Parameter bytes: how far into the function to go, the CIE's length, its content, and the
  ///   FDE's.
  /// - Returns: whether there was a rule.
  @discardableResult
  public static func readRule(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count >= 2 else { return false }
    let content = UnsafeRawBufferPointer(rebasing: bytes.dropFirst(2).prefix(4096))
    let common = content.prefix(Int(bytes[1]))
    let own = content.dropFirst(common.count)
    let cie = pages.first + page - 8 - common.count
    let fde = pages.second + page - 8 - own.count
    write(cie, UInt32(4 + common.count), 0, common)
    write(fde, UInt32(4 + own.count), UInt32(fde + 4 - cie), own)
    let function: UInt = 0x40_0000
    let rule = CFARule.parse(fde, from: function, to: function + UInt(bytes[0]))
    // The same again: nothing is kept from one to the next.
    precondition(
      rule == CFARule.parse(fde, from: function, to: function + UInt(bytes[0])))
    return rule != nil
  }

  private static func write(
    _ entry: UnsafeMutableRawPointer, _ length: UInt32, _ reference: UInt32,
    _ content: Slice<UnsafeRawBufferPointer>
  ) {
    entry.storeBytes(of: length, as: UInt32.self)
    entry.storeBytes(of: reference, toByteOffset: 4, as: UInt32.self)
    UnsafeMutableRawBufferPointer(start: entry + 8, count: content.count).copyBytes(from: content)
  }

  private static let page = 8192

  /// Two that can be written to, each between two that cannot be read.
  nonisolated(unsafe) private static let pages:
    (first: UnsafeMutableRawPointer, second: UnsafeMutableRawPointer) = {
      let memory = mmap(nil, 5 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
      guard let memory, memory != MAP_FAILED else { preconditionFailure("there is no memory") }
      for index in [1, 3] {
        precondition(mprotect(memory + index * page, page, PROT_READ | PROT_WRITE) == 0)
      }
      return (memory + page, memory + 3 * page)
    }()
}

/// The entry of FrameFuzz.
@_cdecl("bstrtrace_fuzz_call_frame_information")
public func fuzzCallFrameInformation(_ bytes: UnsafePointer<UInt8>?, _ count: Int) {
  FrameFuzzing.readRule(UnsafeRawBufferPointer(start: bytes, count: count))
}
