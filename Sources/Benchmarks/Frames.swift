// Whether the measured code keeps frame pointers: some tools unwind by nothing else.

/// The frame pointers of the measured programs.
enum Frames: String, CaseIterable {
  /// With frame pointers.
  case kept
  /// Without, as compilers do by default.
  case omitted

  /// The compiler's flags.
  var flag: String { self == .kept ? "-fno-omit-frame-pointer" : "-fomit-frame-pointer" }

  /// The mark in a table's head.
  var sign: String { self == .kept ? "+fp" : "−fp" }
}
