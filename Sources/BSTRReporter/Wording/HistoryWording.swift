// The words for declarations on a string.

/// The words for events in the declared history of a string.
enum HistoryWording {
  /// Returns the words in front of the function that declared it.
  static func words(for action: HistoryEvent.Action) -> String {
    switch action {
    case .lent: "lent by"
    case .givenBack: "given back to"
    case .received: "received by"
    case .handedOver: "handed over by"
    case .adopted: "taken over by"
    case .noted: "noted by"
    case .freed: "freed by"
    }
  }
}
