// Sentences on findings that are the same in every run: without counts, offsets, lines, threads,
// addresses and values. Code scanning recognises a finding by its text, too.

extension Finding {
  /// The sentence on what happened.
  var stableSentence: String {
    let text = ownership.verdict?.stableSentence ?? ownership.uncertainty?.fact ?? ownSentence
    return Self.withoutOffsets(text)
  }

  /// The rule that was broken, or the reason why that is uncertain; `nil` where neither matters.
  var stableReason: String? {
    if let rule = ownership.rule { return rule.sentence }
    return ownership.uncertainty.map { Self.withoutOffsets($0.stableSentence) }
  }

  /// The function that a stack starts with, for the start of a sentence.
  private static func name(_ trace: StackTrace?, _ nobody: String = "Somebody") -> String {
    trace?.frames.first?.name ?? nobody
  }

  private var ownSentence: String {
    let doer = Self.name(detected)
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
    case .doubleFree: return "\(doer) freed a BSTR that \(freer) had freed before."
    case .invalidFree: return "\(doer) freed \(freedObject(freer))."
    case .wrongDeallocator:
      switch detail {
      case "in-front", "interior", "foreign-bstr":
        return "\(doer) gave free an address that is not the start of a BSTR's block."
      case "other-layout":
        return
          "\(doer) freed a BSTR through a copy of SysFreeString that lays strings out otherwise."
      case "realloc", "delete":
        return "\(doer) freed a BSTR with \(detail ?? ""); only SysFreeString does that."
      default: return "\(doer) freed a BSTR with free or delete; only SysFreeString does that."
      }
    case .writeAfterFree: return "A BSTR freed by \(freer) was overwritten after the free."
    case .overrun:
      return "Bytes past the end of a BSTR allocated by \(allocator) were overwritten."
    case .prefixDamage: return "The length of a BSTR allocated by \(allocator) was overwritten."
    case .invalidUse:
      return detail == "freed"
        ? "\(doer) used a BSTR that \(freer) had freed."
        : "\(doer) used characters as a BSTR that have no length in front of them."
    default: return "\(doer) treats a BSTR otherwise than was declared."
    }
  }

  private func freedObject(_ freer: String) -> String {
    switch detail {
    case "stack": "a pointer into a stack, which is no BSTR"
    case "static": "a variable or a literal, which is no BSTR"
    case "immortal": "a BSTR that is never to be freed"
    case "interior": "a pointer inside the block of a live BSTR"
    case "freed-interior": "a pointer inside the block of a BSTR that \(freer) had freed"
    case "heap": "a pointer into the heap that is no BSTR"
    case "unmapped": "a pointer to no memory at all"
    case "foreign-bstr": "a BSTR that another copy of the BSTR functions had allocated"
    default: "a pointer that is no BSTR"
    }
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
