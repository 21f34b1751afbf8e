// Sentences on findings that are the same in every run: without counts, offsets, lines, threads,
// addresses and values. Code scanning recognises a finding by its text, too.

extension Finding {
  /// The sentence on what happened.
  var stableSentence: String {
    let text =
      ownership.verdict?.stableSentence ?? ownership.holding?.sentence
      ?? ownership.uncertainty?.fact ?? ownSentence
    return Self.withoutOffsets(text)
  }

  /// The rule that was broken, or the reason why that is uncertain; `nil` where neither matters.
  var stableReason: String? {
    if let sentence = ownership.ruleSentence { return sentence }
    return (ownership.holding?.consequence ?? ownership.uncertainty?.stableSentence)
      .map(Self.withoutOffsets)
  }

  /// The function that a stack starts with, for the start of a sentence.
  private static func name(_ trace: StackTrace?, _ nobody: String = "Somebody") -> String {
    trace?.frames.first?.name ?? nobody
  }

  private var ownSentence: String {
    let doer = doer
    let allocator = Self.name(allocated, "somebody")
    let freer = Self.name(freed, "somebody")
    switch kind {
    case .leak:
      if detail == "pinned" {
        return
          "A BSTR that \(allocator) allocated is kept by a SysAddRefString without its SysReleaseString."
      }
      return ownership.uncertainty == .processCutShort || ownership.uncertainty == .freeUnwatched
        ? "A BSTR that \(allocator) allocated was live when the recording ended."
        : "Nobody freed a BSTR that \(allocator) allocated."
    case .doubleFree: return FaultSentence.doubleFree(by: doer, after: freer)
    case .invalidFree:
      return FaultSentence.invalidFree(
        by: doer, of: FaultSentence.object(detail, freedBy: freer))
    case .wrongDeallocator:
      switch detail {
      case "in-front", "interior", "foreign-bstr":
        return "\(doer) gave free an address that is not the start of a BSTR's block."
      case "other-layout": return FaultSentence.otherLayout(by: doer) + "."
      default: return FaultSentence.wrongDeallocator(by: doer, detail: detail)
      }
    case .writeAfterFree: return "A BSTR freed by \(freer) was overwritten after the free."
    case .overrun:
      return "Bytes past the end of a BSTR allocated by \(allocator) were overwritten."
    case .prefixDamage: return FaultSentence.prefixDamage(allocatedBy: allocator) + "."
    case .invalidUse:
      return detail == "freed"
        ? FaultSentence.usedFreed(by: doer, freedBy: freer)
        : FaultSentence.usedWithoutLength(by: doer)
    default: return "\(doer) treats a BSTR otherwise than was declared."
    }
  }

  /// The function that did it, for the start of a sentence.
  private var doer: String {
    // `delete` itself is in front of it.
    let frames = detected?.frames ?? []
    return detail == "delete" && frames.count > 1 ? frames[1].name : Self.name(detected)
  }

  /// Returns a text with the module alone where a function without a name was written as module and
  /// offset, which change with every build.
  static func withoutOffsets(_ text: String) -> String {
    let sign = "+0x"
    guard text.utf8.contains(UInt8(ascii: "+")) else { return text }
    let parts = text.split(separator: sign, omittingEmptySubsequences: false)
    return parts.enumerated().map { index, part in
      index == 0 ? String(part) : String(part.drop(while: \.isHexDigit))
    }.joined()
  }
}

extension Verdict {
  /// The sentence on the event without counts; `nil` where the finding's own says all of it.
  fileprivate var stableSentence: String? {
    if case .handedOverFreed(let owner, let consumer, _) = self {
      return Verdict.handedOverFreed(owner: owner, consumer: consumer, others: 1).sentence
    }
    return sentence
  }
}

extension Uncertainty {
  /// The reason without counts and lines.
  fileprivate var stableSentence: String {
    switch self {
    case .siblingsPassedOn(let receiver, _, _):
      "Most of its siblings were freed while \(receiver.name) ran, and others later or in another thread: "
        + "whether this one, too, was kept or passed on cannot be told."
    case .keptUntilNextCall(let function, .line):
      Uncertainty.keptUntilNextCall(function: function, sign: .otherCall).sentence
    default: sentence
    }
  }
}
