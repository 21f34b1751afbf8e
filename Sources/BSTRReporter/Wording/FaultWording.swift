// Sentences on faults. Golden tests hold the wording.

import TraceStore

/// The words for one fault.
struct FaultWording {
  /// The closer description, as the report spells it.
  private(set) var detail: String?
  /// The event.
  var sentence = ""
  /// Further facts for the reader.
  var remarks: [String] = []

  private let event: EventRecord
  private let evidence: SymbolicatedStore

  /// Creates the words for an event that is a fault.
  init(_ event: EventRecord, in evidence: SymbolicatedStore) {
    self.event = event
    self.evidence = evidence
    let eventDetail = EventDetail(rawValue: event.detail) ?? .unknown
    detail = Self.name(of: eventDetail)
    FindingKind(event)?.describe(&self, eventDetail)
    if case .unmapped = eventDetail {
      remarks.append("A variable that was never set, or whose callee failed to set it, looks so.")
    }
  }

  /// Returns the spelling of a detail in reports; `nil` for none.
  private static func name(of detail: EventDetail) -> String? {
    switch detail {
    case .none: nil
    case .stack: "stack"
    case .static: "static"
    case .interior: "interior"
    case .heap: "heap"
    case .unmapped: "unmapped"
    case .foreignBSTR: "foreign-bstr"
    case .freedInterior: "freed-interior"
    case .unknown: "unknown"
    case .free: "free"
    case .realloc: "realloc"
    case .immortal: "immortal"
    case .literal: "literal"
    case .noPrefix: "no-prefix"
    case .reused: "reused"
    case .freed: "freed"
    case .freedOnLoan: "freed-on-loan"
    case .freedAfterHandOver: "freed-after-hand-over"
    case .overwritten: "overwritten"
    case .leftByFailure: "left-by-failure"
    case .replaced: "replaced"
    case .notReplaced: "not-replaced"
    case .recycled: "recycled"
    case .lost: "lost"
    case .inFront: "in-front"
    case .otherLayout: "other-layout"
    }
  }

  // MARK: kinds

  mutating func describeDoubleFree(_ detail: EventDetail) {
    sentence = FaultSentence.doubleFree(by: doer, after: name(of: event.freed))
    if detail == .reused {
      remarks.append(
        "Its address had been an earlier BSTR's, which was freed, too: if one of the frees shown "
          + "here was meant for that one, that one was freed twice.")
    }
    if detail == .recycled {
      remarks.append(
        "The heap has given its address out again since, to something that is no BSTR: that this very "
          + "string was freed twice is therefore likely, and not certain.")
    }
  }

  mutating func describeInvalidFree(_ detail: EventDetail) {
    sentence = FaultSentence.invalidFree(by: doer, of: object(detail))
  }

  mutating func describeWrongDeallocator(_ detail: EventDetail) {
    if describeWrongAddress(detail) { return }
    // `delete` ends in `free`: it is seen by its frame.
    let isDelete = frame(of: event.detected)?.function?.hasPrefix("operator delete") == true
    if isDelete { self.detail = "delete" }
    // Where `delete` jumps to `free`, as in libstdc++, it leaves no frame.
    let frames = evidence.resolver.frameIndices(of: event.detected)
    let caller = isDelete && frames.count > 1 ? evidence.resolver.frames[frames[1]].name : doer
    sentence = FaultSentence.wrongDeallocator(by: caller, detail: self.detail)
  }

  /// Describes an address given to the heap that is neither a block nor a string.
  ///
  /// - Returns: false for other details.
  private mutating func describeWrongAddress(_ detail: EventDetail) -> Bool {
    let start = event.layout.isKnown ? event.layout.payloadOffset : 8
    let begins = "whose block starts \(Self.bytes(start)) in front of its characters"
    switch detail {
    case .inFront:
      sentence =
        "\(doer) gave free an address \(Self.position(Int(event.offset), onLength: false)) a BSTR, "
        + "\(begins)."
      remarks.append(
        "There the block of a BSTR of another layout would start. Without bstrtrace glibc's heap would have "
          + "ended the program here.")
    case .interior:
      sentence = "\(doer) gave free an address \(Self.position(Int(event.offset))) a live BSTR."
      remarks.append(
        "The BSTR was left alone. Without bstrtrace glibc's heap would have ended the program here, or been "
          + "damaged.")
    case .foreignBSTR:
      sentence =
        "\(doer) gave free the characters of a BSTR of another copy of the BSTR functions, \(begins)."
      remarks.append("The heap ended the program here.")
    case .otherLayout:
      sentence =
        "\(FaultSentence.otherLayout(by: doer)) than the copy it was allocated by."
      remarks.append(
        "The characters of this one stand \(Self.bytes(start)) behind the start of its block, and that copy's "
          + "\(Self.bytes(StoredLayout.otherOffset(start))).")
    default: return false
    }
    return true
  }

  mutating func describeWriteAfterFree() {
    let start = event.offset < 0 ? "its length" : "byte \(event.offset)"
    sentence =
      "\(Self.bytes(Int(event.changed))) of a BSTR freed by \(name(of: event.freed)) "
      + "\(event.changed == 1 ? "was" : "were") overwritten after the free, starting at \(start)."
    if event.offset >= 0, let foundText { remarks.append("There \(foundText).") }
  }

  mutating func describeOverrun() {
    sentence =
      "\(Self.bytes(Int(event.changed))) past the end of a BSTR allocated by "
      + "\(name(of: event.allocated)) \(event.changed == 1 ? "was" : "were") overwritten."
    let found = foundText ?? "it was overwritten"
    remarks.append(
      "The string has \(Self.bytes(Int(event.byteLength))); from byte \(event.offset) on \(found).")
  }

  mutating func describePrefixDamage() {
    sentence = FaultSentence.prefixDamage(allocatedBy: name(of: event.allocated))
    // Four bytes of a string are a number, too.
    if evidence.redact || event.found == UInt64(event.byteLength) {
      sentence += "."
    } else {
      sentence += ": it says \(Self.bytes(event.found)), not \(event.byteLength)."
    }
  }

  mutating func describeInvalidUse(_ detail: EventDetail) {
    switch detail {
    case .freed:
      sentence = FaultSentence.usedFreed(by: doer, freedBy: name(of: event.freed))
    case .literal:
      sentence = "\(doer) used \(dataText) as a BSTR: there is no length in front of it."
    default:
      sentence = FaultSentence.usedWithoutLength(by: doer)
    }
  }

  /// Returns the object of a pointer, for the end of "X freed …".
  private func object(_ detail: EventDetail) -> String {
    switch detail {
    case .stack:
      switch event.changed {
      case 0: break
      // Which frame of it is not known: an argument that a caller lent may be in it.
      case event.detectedThread:
        return "a pointer into the stack of the thread that it ran in, which is no BSTR"
      case evidence.image.header.pid:
        return "a pointer into the main thread's stack, which is no BSTR"
      default: return "a pointer into the stack of thread \(event.changed), which is no BSTR"
      }
    case .static: return "\(dataText), which is no BSTR"
    case .immortal: return "\(literalText), a BSTR that is never to be freed"
    case .interior: return "a pointer \(Self.position(Int(event.offset))) a live BSTR"
    case .freedInterior:
      return
        "a pointer \(Self.position(Int(event.offset))) a BSTR that \(name(of: event.freed)) had freed"
    default: break
    }
    return FaultSentence.object(self.detail, freedBy: name(of: event.freed))
  }

  // MARK: words

  /// The function that did it.
  private var doer: String {
    frame(of: event.detected)?.name ?? "Somebody"
  }

  private func frame(of stack: StackID) -> Frame? {
    evidence.resolver.frameIndices(of: stack).first.map { evidence.resolver.frames[$0] }
  }

  private func name(of stack: StackID) -> String { frame(of: stack)?.name ?? "somebody" }

  /// "greeting (app+0x4010)", "6 bytes inside names (app+0x4016)" or "read-only data (app+0x2004)".
  private var dataText: String {
    guard let data = evidence.data[event.data] else { return "a pointer into a module" }
    let module = Frame.lastComponent(of: data.location.module)
    let site = "\(module)+0x\(String(data.location.offset, radix: 16))"
    guard let symbol = data.symbol else { return "static data (\(site))" }
    guard let name = symbol.name else {
      return symbol.isReadOnly ? "a literal or constant (\(site))" : "static data (\(site))"
    }
    return symbol.offset == 0
      ? "\(name) (\(site))" : "a pointer \(Self.bytes(symbol.offset)) inside \(name) (\(site))"
  }

  /// The name of a BSTR_LITERAL.
  private var literalText: String {
    guard let name = evidence.data[event.data]?.symbol?.name, name.hasSuffix("_literal") else {
      return event.data.module == .none ? "an immortal string" : dataText
    }
    return String(name.dropLast("_literal".count))
  }

  /// "stood 41 00 42 instead of 00 00 fb": up to the last of the kept bytes that was changed; `nil`
  /// with `redact`, of the recording or of the report.
  private var foundText: String? {
    let found = (0..<8).map { UInt8(truncatingIfNeeded: event.found >> (8 * UInt64($0))) }
    let expected = (0..<8).map {
      event.intactByte(at: Int(event.offset) + $0, olecharBytes: evidence.olecharBytes)
    }
    let last = (0..<8).last { expected[$0] != nil && found[$0] != expected[$0] }
    guard let last, !evidence.redact else { return nil }
    func text(_ bytes: some Sequence<UInt8>) -> String {
      bytes.map { Hexadecimal.text([$0]) }.joined(separator: " ")
    }
    return
      "stood \(text(found[...last])) instead of \(text(expected[...last].compactMap { $0 }))"
  }

  /// Returns the sentence on strings whose wrong free was refused, and which were never freed
  /// rightly.
  static func leftBehind(_ count: Int, of strings: Int) -> String {
    let which =
      strings == 1
      ? "The BSTR stays" : "\(count) of the \(strings) BSTRs \(count == 1 ? "stays" : "stay")"
    return "\(which) allocated for that reason, which is not reported as a leak, too."
  }

  private static func position(_ offset: Int, onLength: Bool = true) -> String {
    switch offset {
    case -4 where onLength: "on the length of"
    case ..<0: "\(bytes(-offset)) in front of the characters of"
    case 0: "at the start of"
    default: "\(bytes(offset)) inside"
    }
  }

  private static func bytes(_ count: some BinaryInteger) -> String {
    count == 1 ? "1 byte" : "\(count) bytes"
  }
}
