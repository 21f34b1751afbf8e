@testable import BSTRAllocator

/// Call frame information that is written by hand, byte for byte.
struct FrameInformation {
  /// What functions have in common: version, augmentation, factors and first instructions.
  struct Common {
    var version: UInt8 = 1
    /// With "z" in front, its data follows.
    var augmentation = "zR"
    var codeFactor: [UInt8] = [1]
    /// -8.
    var dataFactor: [UInt8] = [0x78]
    var returnRegister: UInt8 = 16
    /// The encoding of addresses: 4 bytes, relative.
    var augmentationData: [UInt8] = [0x1B]
    /// CFA = rsp + 8, the return address at CFA - 8: what each function starts with.
    var instructions: [UInt8] = [0x0C, 7, 8, 0x90, 1]

    fileprivate var bytes: [UInt8] {
      var bytes = [version] + Array(augmentation.utf8) + [0] + codeFactor + dataFactor
      bytes += [returnRegister]
      if augmentation.hasPrefix("z") {
        bytes += [UInt8(augmentationData.count)] + augmentationData
      }
      return bytes + instructions
    }
  }

  static let function: UInt = 0x40_0000

  /// The rule `offset` bytes into a function.
  ///
  /// - Parameter instructions: the function's own.
  static func rule(
    _ instructions: [UInt8], common: Common = Common(), at offset: UInt = 0,
    addressBytes: Int = 4, augmentationData: [UInt8] = []
  ) -> CFARule? {
    let cie = withLength([0, 0, 0, 0] + common.bytes)
    let hasData = common.augmentation.hasPrefix("z")
    let fde = withLength(
      number(cie.count + 4) + [UInt8](repeating: 0, count: 2 * addressBytes)
        + (hasData ? [UInt8(augmentationData.count)] + augmentationData : []) + instructions)
    return (cie + fde).withUnsafeBytes {
      CFARule.parse($0.baseAddress! + cie.count, from: function, to: function + offset)
    }
  }

  private static func number(_ value: Int) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  private static func withLength(_ bytes: [UInt8]) -> [UInt8] { number(bytes.count) + bytes }
}
