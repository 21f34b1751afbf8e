// Sentences on strings that were live at the end. Golden tests hold the wording.

/// The words for one leak.
struct LeakWording {
  /// The count of strings.
  var count: Int
  /// The function that allocated them; `nil` where that was not recorded.
  var allocator: String?
  /// Their fate.
  var fate: Fate

  /// The fate of strings that were live when a process ended.
  enum Fate {
    /// The process ended by itself and left them.
    case left
    /// The process was killed: it might have freed them.
    case killed
    /// The end of the process was not seen.
    case unseen
    /// Calls of `free` were not seen: the process may have freed them so.
    case unwatched

    /// The clause on when they were live, for the end of a sentence; `nil` where the process ended
    /// by itself.
    var time: String? {
      switch self {
      case .left: nil
      case .killed: "when the process was killed"
      case .unseen: "when the recording of the process ended"
      case .unwatched: "at the end, unless free freed them unseen"
      }
    }

    /// The reason why no function is named that should have freed them.
    var uncertainty: Uncertainty? {
      switch self {
      case .left: nil
      case .killed, .unseen: .processCutShort
      case .unwatched: .freeUnwatched
      }
    }
  }

  private var object: String {
    let whom = allocator.map { "that \($0) allocated" } ?? "whose stack was not recorded"
    return count == 1 ? "BSTR \(whom)" : "\(count) BSTRs \(whom)"
  }

  private var were: String { count == 1 ? "was" : "were" }

  /// Returns the sentence on a leak.
  var sentence: String {
    fate.time.map { "The \(object) \(were) live \($0)." } ?? "Nobody freed the \(object)."
  }

  /// Returns the sentence on strings that are pinned.
  ///
  /// - Parameters:
  ///   - pins: the count of pins that were never released.
  ///   - isFreeWaiting: whether they were freed, and the free is deferred until the pins are
  ///     released.
  func sentence(pins: Int, isFreeWaiting: Bool) -> String {
    let calls = pins == 1 ? "1 SysAddRefString" : "\(pins) SysAddRefStrings"
    if let time = fate.time {
      return isFreeWaiting
        ? "\(calls) had no SysReleaseString yet \(time), so that the SysFreeString of the \(object) waited."
        : "The \(object) \(were) live \(time), and \(calls) had no SysReleaseString yet."
    }
    let have = pins == 1 ? "has" : "have"
    return isFreeWaiting
      ? "\(calls) \(have) no SysReleaseString, so that the SysFreeString of the \(object) still waits."
      : "Nobody freed the \(object), and \(calls) \(have) no SysReleaseString."
  }

  /// Returns the hint for a leak whose siblings were freed by its owner; `nil` for others.
  func hint(for ownership: Ownership) -> String? {
    guard ownership.basis == .inferred, ownership.rule == .out, let owner = ownership.owner,
      let producer = ownership.producer, ownership.siblings?.freedBy.function == owner.function
    else { return nil }
    return
      "Others from this very line were freed: look for a path on which \(owner.name) returns early, or "
      + "\(producer.name) fails after it has allocated."
  }
}
