// The spelling of a BSTR function's address in a module, which a user gives, or `bstrtrace` finds
// in a debug file.

/// A BSTR function that is given by its address.
public struct GivenFunction: Hashable, Sendable {
  /// The functions that can be given, by their C names.
  public static let names: Set = [
    "SysFreeString", "SysAllocString", "SysAllocStringLen", "SysAllocStringByteLen",
    "SysReAllocString", "SysReAllocStringLen", "SysStringLen", "SysStringByteLen",
    "SysAddRefString", "SysReleaseString",
  ]

  /// Its C name.
  public let name: String
  /// The module: the name of its file, a path, or its build-id in lower-case hexadecimal.
  public let module: String
  /// Its address in the file's address space, as a symbol's value (st_value).
  public let offset: UInt64

  /// Creates the address of a function.
  public init(name: String, module: String, offset: UInt64) {
    self.name = name
    self.module = module
    self.offset = offset
  }

  /// Parses `NAME=MODULE+0xOFFSET`; `nil` for another text, and where a module's name has a colon:
  /// those separate options.
  public init?(_ text: Substring) {
    guard let equals = text.utf8.firstIndex(of: UInt8(ascii: "=")),
      let plus = text[equals...].utf8.lastIndex(of: UInt8(ascii: "+")),
      text[plus...].hasPrefix("+0x")
    else { return nil }
    let name = String(text[..<equals])
    let module = text[text.utf8.index(after: equals)..<plus]
    let digits = text[plus...].dropFirst(3)
    guard Self.names.contains(name), !module.isEmpty, !module.utf8.contains(UInt8(ascii: ":")),
      digits.allSatisfy(\.isHexDigit), digits.allSatisfy(\.isASCII),
      let offset = UInt64(digits, radix: 16)
    else { return nil }
    // Build-ids are compared as they are written: in lower case.
    let isBuildID = module.utf8.count >= 16 && module.allSatisfy(\.isHexDigit)
    self.init(
      name: name, module: isBuildID ? module.lowercased() : String(module), offset: offset)
  }

  /// Whether it can be written as a value of the option.
  public var isSpellable: Bool { Self(description[...]) == self }
}

extension GivenFunction: CustomStringConvertible {
  /// The value of the option.
  public var description: String { "\(name)=\(module)+0x\(String(offset, radix: 16))" }
}
