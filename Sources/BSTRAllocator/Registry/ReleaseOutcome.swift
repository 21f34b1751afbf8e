// What became of a block that was to be freed.

/// The outcome of a free, of the registry's part of it and of the whole.
enum ReleaseOutcome {
  /// It was live, as remembered. `isHeld`: its memory is in quarantine.
  case own(isHeld: Bool)
  /// It was live, and nothing more was known of it.
  case unrecorded
  /// It was live when this process was forked. `isHeld`: its memory is in quarantine.
  case inherited(isHeld: Bool)
  /// It is no live block of this library's.
  case unknown
  /// Nothing was looked up: nothing is recorded.
  case unwatched

  /// Whether a live block was freed.
  @inline(__always)
  var isReleased: Bool {
    switch self {
    case .own, .unrecorded, .inherited: true
    case .unknown, .unwatched: false
    }
  }
}
