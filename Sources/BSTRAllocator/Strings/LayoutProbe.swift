// The detection of a copy's string layout: the copy allocates a string and frees it, once.

import CTracker
import Glibc
import TraceStore

/// A probe of a copy of the BSTR functions, which detects its string layout.
enum LayoutProbe {
  private typealias Allocate = @convention(c) (UnsafeRawPointer?) -> UnsafeMutableRawPointer?
  private typealias AllocateCount =
    @convention(c) (UnsafeRawPointer?, UInt32) -> UnsafeMutableRawPointer?
  private typealias Count = @convention(c) (UnsafeMutableRawPointer?) -> UInt32
  private typealias Free = @convention(c) (UnsafeMutableRawPointer?) -> Void

  /// The count of characters of the probe: odd, so that the same bytes are no whole count of
  /// characters of 4 bytes.
  private static let probeCharacters = 25

  /// Returns the SysFreeString that code would reach without the tracker; 0 for none.
  ///
  /// May take the loader's lock: the caller holds no lock.
  ///
  /// - Parameter code: an address in the code, here and below.
  static func copy(for code: UInt) -> UInt {
    UInt(bitPattern: unsafe ct_original_function(code, "SysFreeString"))
  }

  /// Returns the result of the SysStringLen of a copy, or that code would reach; `nil` without one.
  ///
  /// Calls the program's code, which only reads the string.
  static func characterCount(
    of bstr: UnsafeRawPointer, ofCopy copy: UInt, for code: UInt
  ) -> Int? {
    let own = unsafe ct_function_of_copy(copy, "SysStringLen")
    guard let function = unsafe own ?? ct_original_function(code, "SysStringLen") else {
      return nil
    }
    let count = unsafe unsafeBitCast(function, to: Count.self)
    return unsafe Int(count(UnsafeMutableRawPointer(mutating: bstr)))
  }

  /// Detects the layout of the copy of the functions that code would use without the tracker; `nil`
  /// when it has no function that allocates, or allocates nothing.
  ///
  /// The width follows from the length of a string of known characters. The payload offset is the
  /// distance from the pointer that the copy's SysFreeString passes to `free` to the string, and
  /// then certain. When no pointer into the string is passed to `free`, because the copy has a heap
  /// of its own or caches freed strings, the string's alignment is the best evidence that there is.
  ///
  /// Calls the program's code: the caller holds no lock, but holds the
  /// recursion guard, so that what that code calls of this library is passed on to the program's
  /// own functions.
  ///
  /// The string is made by the module that frees it: another module's may be another copy.
  ///
  /// - Parameters:
  ///   - copy: the address of its SysFreeString.
  ///   - assumed: the layout whose width is taken where the string does not tell one.
  static func layout(ofCopy copy: UInt, assuming assumed: StoredLayout) -> StoredLayout? {
    guard let freeAddress = unsafe UnsafeMutableRawPointer(bitPattern: copy) else { return nil }
    ct_begin_probe()
    defer { ct_end_probe() }
    guard let (bstr, width) = unsafe allocate(by: copy) else { return nil }
    let thread = unsafe ct_thread()
    unsafe thread.pointee.probed_string = UInt(bitPattern: bstr)
    let free = unsafe unsafeBitCast(freeAddress, to: Free.self)
    unsafe free(bstr)
    let offset = unsafe Int(thread.pointee.probed_offset)
    if offset == 4 || offset == 8 {
      return StoredLayout(
        olecharBytes: width ?? assumed.olecharBytes, payloadOffset: offset, isCertain: true)
    }
    let alignment = Int(UInt(bitPattern: bstr) % 16)
    return StoredLayout(
      olecharBytes: width ?? assumed.olecharBytes,
      payloadOffset: offset < 0 && alignment == 4 ? 4 : StringLayout.windows.payloadOffset)
  }

  /// Allocates a string by the copy; returns it with the width of its characters, if that is known.
  private static func allocate(
    by copy: UInt
  ) -> (bstr: UnsafeMutableRawPointer, width: Int?)? {
    var text = InlineArray<32, UInt32>(repeating: 0)
    var span = text.mutableSpan
    return unsafe span.withUnsafeMutableBytes { bytes in
      let characters = unsafe bytes.bindMemory(to: UInt16.self)
      for index in 0..<probeCharacters { unsafe characters[index] = 0x61 }
      let source = UnsafeRawPointer(bytes.baseAddress)
      if let function = unsafe ct_function_of_copy(copy, "SysAllocStringLen"),
        let bstr = unsafe unsafeBitCast(function, to: AllocateCount.self)(
          source, UInt32(probeCharacters))
      {
        return unsafe (bstr, width(BSTRFunctions.byteLength(of: bstr), of: probeCharacters))
      }
      if let function = unsafe ct_function_of_copy(copy, "SysAllocString"),
        let bstr = unsafe unsafeBitCast(function, to: Allocate.self)(source)
      {
        // As characters of 4 bytes, 25 of 2 bytes are 13: half as many, rounded up.
        let byteLength = unsafe BSTRFunctions.byteLength(of: bstr)
        let width = width(byteLength, of: probeCharacters) ?? width(byteLength, of: 13)
        return unsafe (bstr, width == 2 && byteLength != 50 ? nil : width)
      }
      if let function = unsafe ct_function_of_copy(copy, "SysAllocStringByteLen"),
        let bstr = unsafe unsafeBitCast(function, to: AllocateCount.self)(source, 48)
      {
        guard let function = unsafe ct_function_of_copy(copy, "SysStringLen")
        else { return unsafe (bstr, nil) }
        let count = unsafe unsafeBitCast(function, to: Count.self)(bstr)
        return unsafe (bstr, width(48, of: Int(count)))
      }
      return nil
    }
  }

  /// Returns the width at which so many characters have that length; `nil` when none fits.
  private static func width(_ byteLength: Int, of characters: Int) -> Int? {
    [2, 4].first { byteLength == $0 * characters }
  }
}
