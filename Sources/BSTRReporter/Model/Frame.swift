// One frame of a reported stack.

/// A code location that a stack passed through: an offset in a module, and its name where there is
/// one.
public struct Frame: Hashable, Sendable {
  /// The demangled name of the function; `nil` without one.
  public var function: String?
  /// The source file's path as the compiler recorded it.
  public var file: String?
  /// The line in `file`, from 1.
  public var line: Int?
  /// The column in `line`, from 1.
  public var column: Int?
  /// The module's path; "" for an address in no module.
  public var module: String
  /// The module's build-id in hexadecimal.
  public var buildID: String?
  /// The return address as the module's file counts it: what addr2line takes.
  ///
  /// Where the module is unknown, the address itself.
  public var offset: UInt64
  /// Whether the function was inlined into the one of the next frame.
  public var inlined: Bool

  /// Creates a frame of which only module and offset are known, or more.
  public init(
    function: String? = nil, file: String? = nil, line: Int? = nil, column: Int? = nil,
    module: String, buildID: String? = nil, offset: UInt64, inlined: Bool = false
  ) {
    self.function = function
    self.file = file
    self.line = line
    self.column = column
    self.module = module
    self.buildID = buildID
    self.offset = offset
    self.inlined = inlined
  }

  /// The function's name, or module and offset: `7z.so+0x1a2b`.
  public var name: String { function ?? moduleOffset }

  /// Module and offset: `7z.so+0x1a2b`.
  public var moduleOffset: String {
    "\(Self.lastComponent(of: module))+0x\(String(offset, radix: 16))"
  }

  /// File and line where they are known, and module and offset otherwise.
  ///
  /// For code that was made while the program ran, an address says nothing to a reader who has its
  /// name.
  public var location: String {
    guard let file else {
      return module.isEmpty && function != nil ? "run-time code" : moduleOffset
    }
    let name = String(Self.lastComponent(of: file))
    return line.map { "\(name):\($0)" } ?? name
  }

  /// The function's name without its parameters, as suppressions spell it; `nil` without a name.
  public var plainName: String? {
    guard let function else { return nil }
    // A C++ name's parameters start at the last "(" of depth 0; "(anonymous namespace)::f(int)"
    // must not end before it began.
    var depth = 0
    let bytes = function.utf8
    for index in bytes.indices.reversed() {
      if bytes[index] == UInt8(ascii: ")") { depth += 1 }
      if bytes[index] == UInt8(ascii: "(") {
        depth -= 1
        if depth == 0, index > function.startIndex { return String(function[..<index]) }
      }
    }
    return function
  }

  /// Returns whether this is the function of that name.
  ///
  /// - Parameter pattern: a name without parameters, in which `*` stands for any characters.
  public func isFunction(_ pattern: String) -> Bool {
    plainName.map { Wrappers.matches($0, pattern) } ?? false
  }

  /// Module, name and line: what makes frames one to a reader, in whichever process.
  var mergingLocation: String { "\(module) \(name) \(location)" }

  /// The name by which the frame is recognised in other runs.
  var keyName: String { plainName ?? moduleName }

  /// The last part of the module's path.
  public var moduleName: String { String(Self.lastComponent(of: module)) }

  /// The pattern in a suppression rule: the function without its parameters, or the module's file.
  ///
  /// Characters that a line cannot show, or that would end it, are left to `*`.
  public var suppressionPattern: String { Printable.replacing(plainName ?? moduleName, with: "*") }

  /// The last part of a path; "?" if there is none.
  static func lastComponent(of path: String) -> Substring {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else {
      return path.isEmpty ? "?" : path[...]
    }
    let name = path[path.utf8.index(after: slash)...]
    return name.isEmpty ? "?" : name
  }
}
