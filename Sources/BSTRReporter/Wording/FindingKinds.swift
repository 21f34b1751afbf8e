// The kinds of findings, one for each, with their words. A new kind is an event kind of the store,
// its detection, and an entry here.

import TraceStore

extension FindingKind {
  /// Every kind, in the order in which summaries name them.
  public static let all: [FindingKind] = [
    leak, doubleFree, invalidFree, wrongDeallocator, writeAfterFree, overrun, prefixDamage,
    invalidUse, ownership,
  ]

  /// A string that was not freed.
  public static let leak = FindingKind(
    "leak", nil, title: "LEAK", plural: "leaks", size: .stringsAndBytes,
    labels: StackLabels(detected: "", freed: "deferred free at"), culprit: .allocated)

  /// A string that was freed twice.
  public static let doubleFree = FindingKind(
    "double-free", .doubleFree, title: "DOUBLE FREE", plural: "double frees", size: .calls,
    labels: StackLabels(detected: "freed again by", freed: "first freed by"),
    ownership: { event, evidence in
      evidence.declarations.ownership(ofDoubleFree: event)
        ?? evidence.inference.ownership(ofDoubleFree: event)
    }, describe: { $0.describeDoubleFree($1) })

  /// A free of something that is no BSTR.
  public static let invalidFree = FindingKind(
    "invalid-free", .invalidFree, title: "INVALID FREE", plural: "invalid frees", size: .calls,
    labels: StackLabels(detected: "freed by", freed: "first freed by"),
    describe: { $0.describeInvalidFree($1) })

  /// A BSTR was freed by a function that does not free BSTRs.
  public static let wrongDeallocator = FindingKind(
    "wrong-deallocator", .wrongDeallocator, title: "WRONG DEALLOCATOR",
    plural: "wrong deallocators", size: .calls,
    labels: StackLabels(detected: "freed by", freed: "first freed by"),
    ownership: { event, evidence in evidence.inference.ownership(ofWrongRelease: event) },
    describe: { $0.describeWrongDeallocator($1) })

  /// A string that was written to after it had been freed.
  public static let writeAfterFree = FindingKind(
    "write-after-free", .writeAfterFree, title: "WRITE AFTER FREE", plural: "writes after free",
    size: .strings, labels: StackLabels(detected: "used by", freed: "freed by"),
    describe: { message, _ in message.describeWriteAfterFree() })

  /// A string whose trailer was overwritten.
  public static let overrun = FindingKind(
    "overrun", .overrun, title: "OVERRUN", plural: "overruns", size: .strings,
    labels: StackLabels(detected: "noticed by", freed: "freed by"), culprit: .allocated,
    describe: { message, _ in message.describeOverrun() })

  /// A string whose length was overwritten.
  public static let prefixDamage = FindingKind(
    "prefix-damage", .prefixDamage, title: "DAMAGED PREFIX", plural: "damaged prefixes",
    size: .strings, labels: StackLabels(detected: "noticed by", freed: "freed by"),
    culprit: .allocated, describe: { message, _ in message.describePrefixDamage() })

  /// A use of something that is no BSTR.
  public static let invalidUse = FindingKind(
    "invalid-use", .invalidUse, title: "INVALID USE", plural: "invalid uses", size: .calls,
    labels: StackLabels(detected: "used by", freed: "freed by"),
    describe: { $0.describeInvalidUse($1) })

  /// A contradiction to the program's declarations of ownership; its sentence is the verdict's.
  public static let ownership = FindingKind(
    "ownership", .ownership, title: "OWNERSHIP VIOLATION", plural: "ownership violations",
    size: .strings, labels: StackLabels(detected: "declared by", freed: "freed by"),
    labelsOfDetails: [
      "freed-on-loan": StackLabels(detected: "freed by", freed: "lent by"),
      "freed-after-hand-over": StackLabels(detected: "freed by", freed: "handed over by"),
    ],
    ownership: { event, evidence in evidence.declarations.ownership(ofFault: event) })
}
