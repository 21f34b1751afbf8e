// The outcome of a free.

/// The outcome of a free, as the registry and as the tracker return it.
enum FreeOutcome {
  /// It was live, with a record. `isQuarantined`: its memory is in quarantine.
  case own(isQuarantined: Bool)
  /// It was live, without a record.
  case unrecorded
  /// It was live when this process was forked. `isQuarantined`: its memory is in quarantine.
  case inherited(isQuarantined: Bool)
  /// It is no live block of this library.
  case unknown
  /// Nothing was looked up, because nothing is recorded.
  case unwatched

  /// Whether a live block was freed.
  @inline(__always)
  var isFreed: Bool {
    switch self {
    case .own, .unrecorded, .inherited: true
    case .unknown, .unwatched: false
    }
  }
}
