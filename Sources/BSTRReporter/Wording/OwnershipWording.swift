// Sentences on the ownership of strings. Golden tests hold the wording.

extension Ownership {
  /// The sentence on the event; `nil` leaves the finding's own.
  public var message: String? { verdict?.sentence ?? holding?.sentence ?? uncertainty?.fact }

  /// The broken rule in a sentence; `nil` where none is known.
  ///
  /// A callee that frees all that it is given has taken it over, by a rule of the program's own.
  public var ruleSentence: String? {
    takesOver
      ? "What is given to a function that frees it is that function's: its caller does not free it again."
      : rule?.sentence
  }

  /// The rule whose examples show the fault; `nil` where those of its kind do.
  var exampleRule: Ownership.Rule? { takesOver ? nil : rule }

  private var takesOver: Bool {
    if case .handedOverFreed = verdict { true } else { false }
  }

  /// The evidence of the verdict, for people: "97 siblings"; `nil` where it was declared.
  public var evidence: String? { grounds?.words }

  /// What follows from the verdict or conclusion, in a sentence, with its basis; `nil` without one.
  ///
  /// - Parameter gap: what stands in front of the basis.
  func consequence(gap: String) -> String? {
    guard let sentence = ruleSentence ?? holding?.consequence else { return nil }
    switch basis {
    case .declared: return sentence + gap + "(declared)"
    case .inferred, .held, nil:
      return sentence + (evidence.map { "\(gap)(inferred from \($0))" } ?? "")
    }
  }

  /// The reason for the uncertainty, in a sentence.
  public var uncertaintySentence: String? { uncertainty?.sentence }
}

extension Ownership.Rule {
  /// The rule in a sentence.
  var sentence: String {
    switch self {
    case .in:
      "Rule 1: who calls a function that expects a BSTR allocates it before and releases it after; "
        + "the function does not."
    case .out: "Rule 2: when a function returns a BSTR to you, you free it."
    case .return:
      "Rule 3: who implements a function that returns a BSTR gives it away and does not free it."
    case .inOut:
      "Rule for [in,out]: who is given a BSTR by reference frees it when storing another one, and not "
        + "otherwise."
    }
  }
}

extension Ownership.Grounds {
  /// The end of "inferred from …"; `nil` for a declaration.
  fileprivate var words: String? {
    switch self {
    case .siblings(let count, let total):
      (count < total ? "\(count) of " : "") + (total == 1 ? "1 sibling" : "\(total) siblings")
    case .parameterType: "the parameter's type"
    case .functionName: "the function's name"
    case .noCaller: "its having no caller"
    case .twoStacks: "the two stacks"
    case .threeStacks: "the three stacks"
    case .holders(let areAll): "the search for holders" + (areAll ? "" : " of a few of them")
    case .declaration: nil
    }
  }
}

extension Verdict {
  /// The sentence on the event; `nil` where the finding's own says all of it.
  var sentence: String? {
    switch self {
    case .ownNotFreed(let owner): "\(owner.name) allocated a BSTR and did not free it."
    case .resultNotFreed(let owner, let producer):
      "Nobody freed what \(producer.name) returned; \(owner.name) owned it."
    case .resultNotFreedOrReturned(let owner, let producer):
      "Nobody freed what \(producer.name) returned; \(owner.name) received "
        + "it, and was to free it or to return it."
    case .receivedNotFreed(let owner, let producer):
      "Nobody freed \(producer.map { "what \($0.name) returned" } ?? "what it was given"); "
        + "\(owner.name) received it."
    case .handOverNotReceived(let producer):
      "\(producer.name) handed over a BSTR that nobody received."
    case .adoptedNotFreed(let owner): "\(owner.name) took over a BSTR and did not free it."
    case .lentNotFreed(let owner): "\(owner.name) lent a BSTR and did not free it afterwards."
    case .borrowedFreed(let owner, let consumer, let again):
      "\(consumer.name) freed an argument that it had only borrowed from \(owner.name); it was then "
        + "freed again, by \(again?.name ?? "somebody")."
    case .argumentFreed(let owner, let consumer):
      "\(consumer.name) freed an argument that it had only borrowed; \(owner.name) then freed it "
        + "again."
    case .freedByReference(let owner, let consumer):
      "\(consumer.name) freed a BSTR that it was given by reference and stored no other; "
        + "\(owner.name) then freed it again."
    case .handedOverFreed(let owner, let consumer, let others):
      "\(owner.name) gave its BSTR to \(consumer.name), which frees what it is given, as it did with "
        + "\(others == 1 ? "another one" : "\(others) others"); \(owner.name) then freed it again."
    case .resultFreedByProducer(let owner, let producer):
      "\(producer.name) freed what it returned; \(owner.name) then freed it again."
    case .returnedResultFreed(let owner, let producer):
      "\(owner.name) freed what \(producer.name) had returned, and \(producer.name) freed it too."
    case .adoptedFreed(let owner, let consumer):
      "\(consumer.name) freed a BSTR that \(owner.name) had taken over."
    case .freedOnLoan(let owner, let consumer, _):
      "\(consumer?.name ?? "Somebody") freed a BSTR that it had only borrowed from "
        + "\(owner?.name ?? "somebody")."
    case .freedAfterHandOver(let consumer, _):
      "\(consumer?.name ?? "Somebody") freed a BSTR that it had handed over before."
    case .outOverwritten(let owner, _):
      "\(owner?.name ?? "Somebody") passes a variable as [out] that still owns a BSTR: it will be "
        + "overwritten and lost."
    case .leftByFailure(_, let producer):
      "\(producer?.name ?? "a function") failed and left a BSTR in its [out] argument."
    case .replacedWithoutFree(let owner, _):
      "\(owner?.name ?? "Somebody") passed a BSTR as [in,out], and it was replaced without being freed."
    case .lostByReference(let owner, _):
      "\(owner?.name ?? "Somebody") passed a variable that owned a BSTR by reference, and it holds another "
        + "one now: as an [out] argument it should have been freed before, as an [in,out] one by the "
        + "function."
    case .freedWithoutReplacement(_, let consumer, _):
      "\(consumer?.name ?? "somebody") freed a BSTR that was [in,out] and stored no other."
    case .ownFreedWrongly, .resultFreedWrongly: nil
    }
  }
}

extension Holding {
  /// The sentence on what holds the strings.
  var sentence: String {
    switch self {
    case .keptByVariable(let variable, let allocator):
      "\(HolderWording.name(of: variable)) still held what \(allocator.name) allocated, and nobody freed it."
    case .keptByObject(let object, let allocator):
      "An object of \(HolderWording.name(of: object)) still held what \(allocator.name) allocated, and nobody "
        + "freed it."
    case .keptByNobody(let allocator):
      "Nobody freed what \(allocator.name) allocated, and nothing was found that still referred to it."
    }
  }

  /// What follows from that.
  var consequence: String {
    switch self {
    case .keptByVariable(let variable, _):
      "It was kept, and not forgotten on its way: what empties or ends \(HolderWording.name(of: variable)) is to "
        + "free it, unless that only refers to another owner's string."
    case .keptByObject:
      "It was kept, and not forgotten on its way: that object was not ended, or is kept for good."
    case .keptByNobody:
      "It was lost before the process began to end, or is kept where the search does not look. Who had it last "
        + "cannot be told."
    }
  }
}

extension Uncertainty {
  /// The certain part, in place of the finding's own sentence; `nil` leaves that.
  var fact: String? {
    guard case .ownerFreedTwice(let owner, let functions) = self else { return nil }
    return functions.map {
      "\(owner.name) freed its own BSTR twice: in \($0.first.name), and then in \($0.second.name)."
    } ?? "\(owner.name) freed its own BSTR twice."
  }

  /// The reason for the uncertainty.
  var sentence: String {
    switch self {
    case .processCutShort:
      "That it was live then is no proof of a leak: whether it would have been freed cannot be told."
    case .freeUnwatched:
      "Calls of free are not seen in this process: whether it was freed by one cannot be told."
    case .siblingsOfOtherCalls:
      "Others from this line were freed, which other calls had made: who was to free this one cannot be told."
    case .siblingsOfOtherLines(let allocator):
      "Other strings of \(allocator.name) were freed, and never one from this line: who was to "
        + "free it cannot be told."
    case .siblingsFreedInOtherThread:
      "Its siblings were freed on another stack, that of another thread: they were passed on, and "
        + "this one got lost on the way."
    case .siblingsFreedAtDifferentLevels:
      "Its siblings were freed at different levels: who was to free this one cannot be told."
    case .keptUntilNextCall(let function, .otherCall):
      "\(function.name) frees in one call what an earlier call of it had made: \(Self.lastOne)"
    case .keptUntilNextCall(let function, .line(let line)):
      "\(function.name) frees an earlier string when it makes the next one, in line \(line): "
        + Self.lastOne
    case .possiblyKeptUntilNextCall(let function):
      "\(function.name) freed its siblings: whether each call freed the string that it had got or made, or "
        + "that of the call before, which it had kept, cannot be told."
    case .handedToConsumer(let owner, let consumer):
      "\(owner.name) usually hands such strings to \(consumer.name), which frees them; which of "
        + "the two missed this one cannot be told."
    case .othersHandToConsumer(let owner, let consumer):
      "Others that get such strings hand them to \(consumer.name), which frees them; whether "
        + "\(owner.name) was to do so, too, cannot be told."
    case .freedByOwnerAndCallees(let owner):
      "Its siblings were freed by \(owner.name) and by what it calls: who was to "
        + "free this one cannot be told."
    case .freedByOwnersAndCallees(_, let example, let calleeExample):
      "Its siblings were freed by who received them, as \(example?.name ?? "?") did, and by what such "
        + "functions call, as \(calleeExample?.name ?? "?"): who was to free this one cannot be told."
    case .ownedByObject(let frame):
      "It belongs to an object, as \(frame.name) shows: either that was not ended, or it lost the string."
    case .draftOrResult(let producer):
      "Those that were freed had been allocated by another call in \(producer.name): whether that returned "
        + "this one, or forgot it, cannot be told."
    case .allocatedByOtherCall(let function):
      "Those that were freed had been allocated by another call in \(function.name): whether this one was "
        + "forgotten by it, or by what is inlined into it, cannot be told."
    case .siblingsPassedOn(let receiver, let count, let freedBy):
      "Most of its siblings were freed while \(receiver.name) ran, and \(count) later or in another thread"
        + (freedBy.map { ", as by \($0.name)" } ?? "")
        + ": whether this one, too, was kept or passed on cannot be told."
    case .keptInObject(let wrapper):
      "\(wrapper.name) keeps it in an object: whoever was to end that is not on this stack."
    case .siblingsOfOtherPaths(let receiver):
      "Other strings that came through \(receiver.name) were freed, and never one from this line: who was "
        + "to free it cannot be told."
    case .freesNotRecorded(let receiver):
      "Where strings were freed was not recorded: whether \(receiver.name) was to free this one or to "
        + "return it cannot be told."
    case .neverFreed(let receiver):
      "No string of \(receiver.name) was ever freed: whether it was to free them or to return them "
        + "cannot be told."
    case .freedInTwoThreads:
      "It was freed in two threads: which of them had been given it cannot be told from the stacks."
    case .allocatedInOtherThread:
      "Its owner is on another stack, that of the thread which allocated it: which of the two frees "
        + "was right cannot be told."
    case .nothingInCommon: "Which functions the three stacks have in common cannot be told."
    case .returnedOrFreedTwice(let producer, let receiver):
      "\(receiver?.name ?? "somebody") freed twice what \(producer.name) had returned: whether that returned "
        + "one string twice, or \(receiver?.name ?? "somebody") freed twice what it was given once, cannot "
        + "be told."
    case .keptWithoutCopy(_, let consumer):
      "\(consumer.name) takes no string: it freed one that had been kept since an earlier call. Whether "
        + "that was handed over, or only lent and not copied, cannot be told."
    case .freedByTwoOwners(_, _, let first, let second):
      "\(first?.name ?? "somebody") freed it, and \(second?.name ?? "somebody") did: whether it had been "
        + "returned, kept without a copy, or handed over in between cannot be told."
    case .givenAwayWithoutCopy(_, _, let keeper, let other):
      "The object that allocated it freed it in \(keeper.name), and \(other.name) freed it, too: whether "
        + "the object had given it away without a copy cannot be told."
    case .ownerFreedTwice:
      "Whether that is its mistake, or that of a function which it called, and which returned it the string "
        + "that it was given, cannot be told."
    case .handedOverResultFreed(let receiver, let consumer, let producer):
      "\(receiver.name) gave it to \(consumer.name), which frees what it is given, and freed it again: "
        + "whether \(producer.name) had returned one string twice cannot be told."
    case .freedByOwnerThenCallee(let owner, let consumer):
      "\(owner.name) freed it and \(consumer.name) freed it later: whether one had kept it without "
        + "a copy, or the other freed what it had given away, cannot be told."
    case .freedTwiceByCallee(let owner, let consumer, let areTwoCalls):
      (areTwoCalls
        ? "\(owner.name) gave it to \(consumer.name) twice, which freed it each time: "
        : "\(owner.name) gave it to \(consumer.name), which freed it twice, in one call or in two: ")
        + "whether it should have freed it at all cannot be told."
    case .freedByTwoCallees(let owner, let first, let second):
      "\(owner.name) gave it to \(first.name) and to \(second.name), and both freed "
        + "it: which of them had been handed it cannot be told."
    }
  }

  private static let lastOne =
    "the last one was to be freed by whoever ends what it is stored in."
}
