// What a report says of strings that were live at the end, in sentences. Golden tests hold the
// wording.

/// The words for one leak.
struct LeakWording {
  /// How many strings.
  var count: Int
  /// The function that allocated them; `nil` where that was not recorded.
  var allocator: String?
  /// What became of them.
  var fate: Fate

  /// What became of strings that were live when a process ended.
  enum Fate {
    /// The process ended by itself and left them.
    case left
    /// The process was killed: whether they would have been freed is not known.
    case killed
    /// The end of the process was not seen.
    case unseen
    /// Calls of `free` were not seen: the process may have released them so.
    case unwatched

    /// When they were live, as the end of a sentence; `nil` where the process ended by itself.
    var moment: String? {
      switch self {
      case .left: nil
      case .killed: "when the process was killed"
      case .unseen: "when the recording of the process ended"
      case .unwatched: "at the end, unless free released them unseen"
      }
    }

    /// Why nothing is said of which function was to free them.
    var uncertainty: Uncertainty? {
      switch self {
      case .left: nil
      case .killed, .unseen: .processCutShort
      case .unwatched: .freeUnwatched
      }
    }
  }

  private var what: String {
    let whom = allocator.map { "that \($0) allocated" } ?? "whose stack was not recorded"
    return count == 1 ? "BSTR \(whom)" : "\(count) BSTRs \(whom)"
  }

  private var were: String { count == 1 ? "was" : "were" }

  /// What happened.
  var sentence: String {
    fate.moment.map { "The \(what) \(were) live \($0)." } ?? "Nobody freed the \(what)."
  }

  /// What happened to strings that are pinned.
  ///
  /// - Parameters:
  ///   - pins: how many pins were never taken back.
  ///   - isFreeWaiting: whether they were freed, and that waits for the pins.
  func sentence(pins: Int, isFreeWaiting: Bool) -> String {
    let calls = pins == 1 ? "1 SysAddRefString" : "\(pins) SysAddRefStrings"
    if let moment = fate.moment {
      return isFreeWaiting
        ? "\(calls) had no SysReleaseString yet \(moment), so that the SysFreeString of the \(what) waited."
        : "The \(what) \(were) live \(moment), and \(calls) had no SysReleaseString yet."
    }
    let have = pins == 1 ? "has" : "have"
    return isFreeWaiting
      ? "\(calls) \(have) no SysReleaseString, so that the SysFreeString of the \(what) still waits."
      : "Nobody freed the \(what), and \(calls) \(have) no SysReleaseString."
  }

  /// Where to look for a leak whose siblings were freed by its owner; `nil` for others.
  func hint(for ownership: Ownership) -> String? {
    guard ownership.basis == .inferred, ownership.rule == .out, let owner = ownership.owner,
      let producer = ownership.producer, ownership.siblings?.freedBy.function == owner.function
    else { return nil }
    return
      "Others from this very line were freed: look for a path on which \(owner.name) returns early, or "
      + "\(producer.name) fails after it has allocated."
  }
}
