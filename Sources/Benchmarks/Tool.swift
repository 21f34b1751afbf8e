// The tools that are compared: how the measured programs are linked and started for each.

/// A way to run a program: plain, with this project, or with a peer.
struct Tool: Hashable {
  /// The library that the measured programs are linked with.
  enum Linkage: Hashable {
    /// Their own BSTR functions in a shared library.
    case plain
    /// This project's library.
    case linked
    /// Their own BSTR functions and a compiler's sanitizer: a path and the `-fsanitize` value.
    ///
    /// AddressSanitizer compiles the program, too; LeakSanitizer only links it, so that the code is
    /// the very same as the plain program's.
    case sanitized(compiler: String, sanitizer: String)
  }

  /// The name in tables.
  let name: String
  let linkage: Linkage
  /// The command in front of the program.
  var prefix: [String] = []
  var environment: [String: String] = [:]
  /// Whether it does much work on code and stacks that are new to it: heaptrack's interpreter reads
  /// debug information then, memcheck translates code.
  var isSlowAtFirst = false

  static func == (one: Self, other: Self) -> Bool { one.name == other.name }
  func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

/// A tool that cannot take part, and the reason.
struct MissingTool {
  let name: String
  let reason: String
}
