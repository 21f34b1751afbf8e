// Defines the constants that depend on the processor. Docs/Contributing.md lists what else an
// aarch64 port touches.

/// The numbers of the processor's registers in call frame information.
enum Architecture {
  #if arch(x86_64)
    /// Whether call frame information is followed: elsewhere every stack is unwound by libunwind.
    static let followsCallFrameInfo = true
    /// DWARF's register numbers (System V ABI, AMD64, figure 3.36).
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
  /// The bytes of one page.
  ///
  /// Larger pages are multiples of it: the kernel is then asked more than once about each.
  static let size: UInt = 4096
  /// Returns whether an address is in the first page, where nothing is ever mapped.
  @inline(__always)
  static func isFirst(_ address: UInt) -> Bool { address <= size }
}
