// Who owned what by the program's own word: overrules what is inferred.

import TraceStore

/// What a process declared of its strings.
struct Declarations {
  private let histories: [UInt64: HistoryRecord]
  private let paths: CallPaths
  private let wrappers: Wrappers

  init(_ image: StoreImage, _ resolver: StackResolver, _ wrappers: Wrappers) {
    var histories: [UInt64: HistoryRecord] = [:]
    for history in image.histories { histories[history.serial] = history }
    self.histories = histories
    paths = CallPaths(resolver, image)
    self.wrappers = wrappers
  }

  /// The moments that are kept of a string.
  func moments(of serial: UInt64) -> [HistoryMoment] {
    guard let history = histories[serial] else { return [] }
    let used = min(Int(history.total), HistoryRecord.capacity)
    return (0..<used).map { history.moments[$0] }
  }

  /// After which of the kept moments some are missing; `nil` when none are.
  func gap(of serial: UInt64) -> Bool {
    histories[serial].map { Int($0.total) > HistoryRecord.capacity } ?? false
  }

  // MARK: leaks

  /// What decides over a string that nobody freed: the last declaration of it.
  struct Decision: Hashable {
    var action: UInt32
    var stack: StackID
  }

  /// What decides over a leaked string; `nil` without a declaration.
  func decision(on serial: UInt64) -> Decision? {
    let deciding = moments(of: serial).last { moment in
      switch DeclaredAction(rawValue: moment.action) {
      case .lent, .givenBack, .received, .handedOver, .adopted: true
      case .noted, .freed, nil: false
      }
    }
    return deciding.map { Decision(action: $0.action, stack: $0.stack) }
  }

  /// What the last declaration says of a string that nobody freed; `nil` without one.
  func ownership(ofLeak serial: UInt64, allocated stack: StackID) -> Ownership? {
    guard let deciding = decision(on: serial),
      let action = DeclaredAction(rawValue: deciding.action),
      let party = step(of: deciding.stack)
    else { return nil }
    var ownership = Ownership()
    ownership.basis = .declared
    let name = paths.frame(party).name
    switch action {
    case .received:
      ownership.rule = .out
      ownership.owner = paths.frame(party)
      let producer = producer(of: stack, for: deciding.stack)
      ownership.producer = producer.map { paths.frame($0) }
      let what = producer.map { "what \(paths.frame($0).name) returned" } ?? "what it was given"
      ownership.message = "Nobody freed \(what); \(name) received it."
    case .handedOver:
      ownership.rule = .in
      ownership.producer = paths.frame(party)
      ownership.message = "\(name) handed over a BSTR that nobody received."
    case .adopted:
      ownership.rule = .in
      ownership.owner = paths.frame(party)
      ownership.message = "\(name) took over a BSTR and did not free it."
    default:
      ownership.rule = .in
      ownership.owner = paths.frame(party)
      ownership.message = "\(name) lent a BSTR and did not free it afterwards."
    }
    return ownership
  }

  /// The function that the receiver had called, on the way to where the string was allocated.
  private func producer(of allocated: StackID, for received: StackID) -> CallPath.Step? {
    let (made, taken) = (paths.path(of: allocated), path(of: received))
    guard case .at(let index) = made.meeting(with: taken), index == taken.steps.count - 1,
      index + 1 < made.steps.count
    else { return nil }
    return made.steps[index + 1]
  }

  // MARK: faults

  /// Of two that freed one string, the one that had only borrowed it; `nil` where that was not declared.
  func ownership(ofDoubleFree event: EventRecord) -> Ownership? {
    let moments = moments(of: event.serial)
    let isLent = moments.contains { $0.action == DeclaredAction.lent.rawValue }
    let adopted = moments.last { $0.action == DeclaredAction.adopted.rawValue }
    guard let first = step(of: event.freed), let second = step(of: event.detected) else {
      return nil
    }
    var ownership = Ownership()
    ownership.basis = .declared
    ownership.rule = .in
    if let adopted, let adopter = step(of: adopted.stack) {
      // Who gave it away may not free it; whether before or after the one who has it now.
      let culprit = isSameParty(second, adopter) ? first : second
      guard !isSameParty(culprit, adopter) else { return nil }
      ownership.owner = paths.frame(adopter)
      ownership.consumer = paths.frame(culprit)
      ownership.message =
        "\(paths.frame(culprit).name) freed a BSTR that \(paths.frame(adopter).name) had taken over."
      return ownership
    }
    guard isLent, let lender = moments.first(where: { $0.action == DeclaredAction.lent.rawValue }),
      let owner = step(of: lender.stack)
    else { return nil }
    // Freed during the loan; after it, the string may have been handed over since.
    guard wasFreedOnLoan(moments) || isSameParty(first, owner) != isSameParty(second, owner) else {
      return nil
    }
    let culprit = isSameParty(first, owner) ? second : first
    guard !isSameParty(culprit, owner) else { return nil }
    ownership.owner = paths.frame(owner)
    ownership.consumer = paths.frame(culprit)
    ownership.message =
      "\(paths.frame(culprit).name) freed a BSTR that it had only borrowed from "
      + "\(paths.frame(owner).name)."
    return ownership
  }

  /// Whether two functions are the same, or of one class: what an object takes over, all of it may free.
  private func isSameParty(_ one: CallPath.Step, _ other: CallPath.Step) -> Bool {
    if one.function != nil, one.function == other.function { return true }
    guard let a = paths.frame(one).enclosingClass else { return false }
    return a == paths.frame(other).enclosingClass
  }

  private func wasFreedOnLoan(_ moments: [HistoryMoment]) -> Bool {
    var open = 0
    for moment in moments {
      switch DeclaredAction(rawValue: moment.action) {
      case .lent: open += 1
      case .givenBack: open = max(0, open - 1)
      case .freed: return open > 0
      default: break
      }
    }
    return false
  }

  /// What a contradiction means.
  func ownership(ofFault event: EventRecord) -> Ownership {
    var ownership = Ownership()
    ownership.basis = .declared
    let doer = step(of: event.detected)
    let other = step(of: event.freed)
    let name = doer.map { paths.frame($0).name } ?? "Somebody"
    let otherName = other.map { paths.frame($0).name } ?? "somebody"
    let producer = producer(of: event.allocated, for: event.detected)
    ownership.producer = producer.map { paths.frame($0) }
    let producerName = producer.map { paths.frame($0).name } ?? "a function"
    switch EventDetail(rawValue: event.detail) {
    case .freedOnLoan:
      ownership.rule = .in
      ownership.owner = other.map { paths.frame($0) }
      ownership.consumer = doer.map { paths.frame($0) }
      ownership.message = "\(name) freed a BSTR that it had only borrowed from \(otherName)."
    case .freedAfterHandOver:
      ownership.rule = .in
      ownership.consumer = doer.map { paths.frame($0) }
      ownership.message = "\(name) freed a BSTR that it had handed over before."
    case .overwritten:
      ownership.rule = .out
      ownership.owner = doer.map { paths.frame($0) }
      ownership.message =
        "\(name) passes a variable as [out] that still owns a BSTR: it will be overwritten and lost."
    case .leftByFailure:
      ownership.rule = .return
      ownership.owner = doer.map { paths.frame($0) }
      ownership.message = "\(producerName) failed and left a BSTR in its [out] argument."
    case .replaced:
      ownership.rule = .inOut
      ownership.owner = doer.map { paths.frame($0) }
      ownership.message =
        "\(name) passed a BSTR as [in,out], and it was replaced without being freed."
    case .lost:
      ownership.rule = .out
      ownership.owner = doer.map { paths.frame($0) }
      ownership.message =
        "\(name) passed a variable that owned a BSTR by reference, and it holds another one now: as an [out] "
        + "argument it should have been freed before, as an [in,out] one by the function."
    case .notReplaced:
      ownership.rule = .inOut
      ownership.owner = doer.map { paths.frame($0) }
      ownership.consumer = other.map { paths.frame($0) }
      ownership.message = "\(otherName) freed a BSTR that was [in,out] and stored no other."
    default: break
    }
    return ownership
  }

  private func path(of stack: StackID) -> CallPath {
    paths.path(of: stack).withoutWrappers { step in
      paths.frame(step).plainName.map { wrappers.contain($0) } ?? false
    }
  }

  /// The innermost function of a stack that is no wrapper.
  private func step(of stack: StackID) -> CallPath.Step? { path(of: stack).steps.last }
}
