// Detects a copy's layout by having it make a string and release it, once.

import CTracker
import Glibc
import TraceStore

/// Finds out how a copy of the BSTR functions lays its strings out.
enum LayoutProbe {
  private typealias Allocate = @convention(c) (UnsafeRawPointer?) -> UnsafeMutableRawPointer?
  private typealias AllocateCount =
    @convention(c) (UnsafeRawPointer?, UInt32) -> UnsafeMutableRawPointer?
  private typealias Count = @convention(c) (UnsafeMutableRawPointer?) -> UInt32
  private typealias Free = @convention(c) (UnsafeMutableRawPointer?) -> Void

  /// Characters of the probe: as an odd number of 2 bytes each they are a different number of bytes
  /// than as characters of 4 bytes.
  private static let probeCharacters = 25

  /// The SysFreeString that code would reach without the tracker; 0 for none.
  ///
  /// May take the loader's lock: the caller holds none.
  ///
  /// - Parameter code: an address in it; so in the next ones.
  static func copy(for code: UInt) -> UInt {
    UInt(bitPattern: unsafe ct_original_function(code, "SysFreeString"))
  }

  /// What the SysStringLen answers that code would reach; `nil` when there is none.
  ///
  /// Calls the program's code, which reads the string and no more.
  static func characterCount(of bstr: UnsafeRawPointer, for code: UInt) -> Int? {
    guard let function = unsafe ct_original_function(code, "SysStringLen") else { return nil }
    let count = unsafe unsafeBitCast(function, to: Count.self)
    return unsafe Int(count(UnsafeMutableRawPointer(mutating: bstr)))
  }

  /// The layout of the copy of the functions that code would use without the tracker; `nil` when
  /// it has no function that allocates, or makes no sense.
  ///
  /// The width is read off the length that a string of known characters has. The payload offset is
  /// the distance from the string to what the copy's SysFreeString gives to `free`, and then
  /// certain. Where nothing of the string comes to `free`, because the copy has a heap of its own
  /// or keeps what is released, the string's alignment is the best that there is.
  ///
  /// Calls the program's code and takes the loader's lock: the caller holds no lock, and is inside,
  /// so that what that code calls of ours is passed on to its own functions.
  ///
  /// - Parameter copy: its SysFreeString.
  static func layout(ofCopy copy: UInt, for code: UInt) -> StoredLayout? {
    guard let freeAddress = unsafe UnsafeMutableRawPointer(bitPattern: copy) else { return nil }
    ct_begin_probe()
    defer { ct_end_probe() }
    guard let (bstr, width) = unsafe allocate(for: code) else { return nil }
    let thread = unsafe ct_thread()
    unsafe thread.pointee.probed_string = UInt(bitPattern: bstr)
    let free = unsafe unsafeBitCast(freeAddress, to: Free.self)
    unsafe free(bstr)
    let offset = unsafe Int(thread.pointee.probed_offset)
    if offset == 4 || offset == 8 {
      return StoredLayout(
        olecharBytes: width ?? StringLayout.windows.olecharBytes, payloadOffset: offset,
        isCertain: true)
    }
    let alignment = Int(UInt(bitPattern: bstr) % 16)
    return StoredLayout(
      olecharBytes: width ?? StringLayout.windows.olecharBytes,
      payloadOffset: offset < 0 && alignment == 4 ? 4 : StringLayout.windows.payloadOffset)
  }

  /// A string of the copy, and the width of its characters where that can be told.
  private static func allocate(
    for code: UInt
  ) -> (bstr: UnsafeMutableRawPointer, width: Int?)? {
    var text = InlineArray<32, UInt32>(repeating: 0)
    var span = text.mutableSpan
    return unsafe span.withUnsafeMutableBytes { bytes in
      let characters = unsafe bytes.bindMemory(to: UInt16.self)
      for index in 0..<probeCharacters { unsafe characters[index] = 0x61 }
      let source = UnsafeRawPointer(bytes.baseAddress)
      if let function = unsafe ct_original_function(code, "SysAllocStringLen"),
        let bstr = unsafe unsafeBitCast(function, to: AllocateCount.self)(
          source, UInt32(probeCharacters))
      {
        return unsafe (bstr, width(BSTRFunctions.byteLength(of: bstr), of: probeCharacters))
      }
      if let function = unsafe ct_original_function(code, "SysAllocString"),
        let bstr = unsafe unsafeBitCast(function, to: Allocate.self)(source)
      {
        // As characters of 4 bytes they are half as many, and one more.
        let byteLength = unsafe BSTRFunctions.byteLength(of: bstr)
        let width = width(byteLength, of: probeCharacters) ?? width(byteLength, of: 13)
        return unsafe (bstr, width == 2 && byteLength != 50 ? nil : width)
      }
      if let function = unsafe ct_original_function(code, "SysAllocStringByteLen"),
        let bstr = unsafe unsafeBitCast(function, to: AllocateCount.self)(source, 48)
      {
        guard let function = unsafe ct_original_function(code, "SysStringLen")
        else { return unsafe (bstr, nil) }
        let count = unsafe unsafeBitCast(function, to: Count.self)(bstr)
        return unsafe (bstr, width(48, of: Int(count)))
      }
      return nil
    }
  }

  private static func width(_ byteLength: Int, of characters: Int) -> Int? {
    [2, 4].first { byteLength == $0 * characters }
  }
}
