// What depends on the processor: an aarch64 port changes this folder, `ct_called_function` in
// symbols.c, and UnwindCache's drawing of a frame.

/// The processor's registers and addresses, as call frame information and the tables count them.
enum Architecture {
  #if arch(x86_64)
    /// Whether call frame information is followed: elsewhere every stack is unwound by libunwind.
    static let followsCallFrameInfo = true
    /// DWARF's numbers of registers (System V ABI, AMD64, figure 3.36).
    static let framePointer = 6
    static let stackPointer = 7
    static let returnAddress = 16
  #else
    static let followsCallFrameInfo = false
    static let framePointer = 29
    static let stackPointer = 31
    static let returnAddress = 30
  #endif
}

/// The kernel's pages.
enum Page {
  /// Bytes of one.
  ///
  /// Larger pages are multiples of it: what is asked of each of these is then asked more often.
  static let size: UInt = 4096
  /// Whether an address lies in the first page, where nothing is ever mapped.
  @inline(__always)
  static func isFirst(_ address: UInt) -> Bool { address <= size }
}
