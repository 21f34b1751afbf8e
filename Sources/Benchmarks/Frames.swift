// Whether the measured code keeps frame pointers: some tools walk stacks by nothing else.

/// How the measured programs are compiled.
enum Frames: String, CaseIterable {
  /// With frame pointers.
  case kept
  /// Without, as compilers do by default.
  case omitted

  /// What the compiler is told.
  var flag: String { self == .kept ? "-fno-omit-frame-pointer" : "-fomit-frame-pointer" }

  /// The mark in a table's head.
  var sign: String { self == .kept ? "+fp" : "−fp" }
}
