// Ownership as the program declared it: overrules what is inferred.

import TraceStore

/// The declarations of a process on its strings.
struct Declarations {
  private let histories: [UInt64: HistoryRecord]
  private let paths: CallPaths
  private let wrappers: Wrappers

  init(_ image: StoreImage, _ paths: CallPaths, _ wrappers: Wrappers) {
    var histories: [UInt64: HistoryRecord] = [:]
    for history in image.histories { histories[history.serial] = history }
    self.histories = histories
    self.paths = paths
    self.wrappers = wrappers
  }

  /// Returns the events that are kept of a string.
  func entries(of serial: UInt64) -> [HistoryEntry] {
    guard let history = histories[serial] else { return [] }
    let used = min(Int(history.total), HistoryRecord.capacity)
    return (0..<used).map { history.entries[$0] }
  }

  /// Returns whether more events of a string were declared than are kept.
  func gap(of serial: UInt64) -> Bool {
    histories[serial].map { Int($0.total) > HistoryRecord.capacity } ?? false
  }

  // MARK: leaks

  /// The declaration that decides on a string that was not freed: the last one.
  struct Decision: Hashable {
    var action: UInt32
    var stack: StackID
  }

  /// Returns the verdict of the declarations on a leaked string; `nil` without a declaration.
  func decision(on serial: UInt64) -> Decision? {
    let deciding = entries(of: serial).last { entry in
      switch DeclaredAction(rawValue: entry.action) {
      case .lent, .givenBack, .received, .handedOver, .adopted: true
      case .noted, .freed, nil: false
      }
    }
    return deciding.map { Decision(action: $0.action, stack: $0.stack) }
  }

  /// Returns the verdict of the last declaration on a string that was not freed; `nil` without one.
  func ownership(ofLeak serial: UInt64, allocated stack: StackID) -> Ownership? {
    guard let deciding = decision(on: serial),
      let action = DeclaredAction(rawValue: deciding.action),
      let party = frame(of: deciding.stack)
    else { return nil }
    let verdict: Verdict =
      switch action {
      case .received:
        .receivedNotFreed(owner: party, producer: producer(of: stack, for: deciding.stack))
      case .handedOver: .handOverNotReceived(producer: party)
      case .adopted: .adoptedNotFreed(owner: party)
      default: .lentNotFreed(owner: party)
      }
    return Ownership(.verdict(verdict, .declaration))
  }

  /// Returns the function that the receiver had called, on the way to where the string was
  /// allocated.
  private func producer(of allocated: StackID, for received: StackID) -> Frame? {
    let (made, taken) = (paths.path(of: allocated), path(of: received))
    guard case .at(let index) = made.deepestCommonActivation(with: taken),
      index == taken.steps.count - 1,
      index + 1 < made.steps.count
    else { return nil }
    return paths.frame(made.steps[index + 1])
  }

  // MARK: faults

  /// Returns the ownership of a string that was freed twice, once by a function that had only
  /// borrowed it; `nil` where that was not declared.
  func ownership(ofDoubleFree event: EventRecord) -> Ownership? {
    let entries = self.entries(of: event.serial)
    let isLent = entries.contains { $0.action == DeclaredAction.lent.rawValue }
    let adopted = entries.last { $0.action == DeclaredAction.adopted.rawValue }
    guard let first = step(of: event.freed), let second = step(of: event.detected) else {
      return nil
    }
    if let adopted, let adopter = step(of: adopted.stack) {
      // A function that handed it over may not free it, whether before or after the new owner does.
      let culprit = isSameParty(second, adopter) ? first : second
      guard !isSameParty(culprit, adopter) else { return nil }
      let verdict = Verdict.adoptedFreed(
        owner: paths.frame(adopter), consumer: paths.frame(culprit))
      return Ownership(.verdict(verdict, .declaration))
    }
    guard isLent, let lender = entries.first(where: { $0.action == DeclaredAction.lent.rawValue }),
      let owner = step(of: lender.stack)
    else { return nil }
    // Freed during the loan; after it, the string may have been handed over since.
    guard wasFreedOnLoan(entries) || isSameParty(first, owner) != isSameParty(second, owner) else {
      return nil
    }
    let culprit = isSameParty(first, owner) ? second : first
    guard !isSameParty(culprit, owner) else { return nil }
    let verdict = Verdict.freedOnLoan(
      owner: paths.frame(owner), consumer: paths.frame(culprit), producer: nil)
    return Ownership(.verdict(verdict, .declaration))
  }

  /// Returns whether two functions are the same, or members of one class: what an object takes
  /// over, all of it may free.
  private func isSameParty(_ one: CallPath.Step, _ other: CallPath.Step) -> Bool {
    if one.function != nil, one.function == other.function { return true }
    guard let a = paths.frame(one).enclosingClass else { return false }
    return a == paths.frame(other).enclosingClass
  }

  private func wasFreedOnLoan(_ entries: [HistoryEntry]) -> Bool {
    var open = 0
    for entry in entries {
      switch DeclaredAction(rawValue: entry.action) {
      case .lent: open += 1
      case .givenBack: open = max(0, open - 1)
      case .freed: return open > 0
      default: break
      }
    }
    return false
  }

  /// Returns the verdict on a contradiction; `nil` for events that are none.
  func ownership(ofFault event: EventRecord) -> Ownership {
    let (doer, other) = (frame(of: event.detected), frame(of: event.freed))
    let producer = producer(of: event.allocated, for: event.detected)
    let verdict: Verdict? =
      switch EventDetail(rawValue: event.detail) {
      case .freedOnLoan: .freedOnLoan(owner: other, consumer: doer, producer: producer)
      case .freedAfterHandOver: .freedAfterHandOver(consumer: doer, producer: producer)
      case .overwritten: .outOverwritten(owner: doer, producer: producer)
      case .leftByFailure: .leftByFailure(owner: doer, producer: producer)
      case .replaced: .replacedWithoutFree(owner: doer, producer: producer)
      case .lost: .lostByReference(owner: doer, producer: producer)
      case .notReplaced:
        .freedWithoutReplacement(owner: doer, consumer: other, producer: producer)
      default: nil
      }
    return Ownership(verdict.map { .verdict($0, .declaration) })
  }

  private func path(of stack: StackID) -> CallPath {
    paths.path(of: stack).withoutWrappers { step in
      paths.frame(step).plainName.map { wrappers.isWrapper($0) } ?? false
    }
  }

  /// Returns the innermost function of a stack that is no wrapper.
  private func step(of stack: StackID) -> CallPath.Step? { path(of: stack).steps.last }

  /// Returns the same as a report shows it.
  private func frame(of stack: StackID) -> Frame? { step(of: stack).map { paths.frame($0) } }
}
