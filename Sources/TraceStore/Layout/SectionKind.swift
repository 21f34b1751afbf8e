// Defines the sections of a store.

/// The kind of a section of a store.
public enum SectionKind: Int, CaseIterable, Sendable {
  /// Bytes of paths, arguments and build-ids, addressed by `TextReference`.
  case text
  /// `ModuleRecord`s.
  case modules
  /// Stacks: a `StackHead` word followed by `FrameWord`s.
  case stacks
  /// `BlockRecord`s.
  case blocks
  /// Characters of strings that were live at the end, each behind a `ValueHead`.
  case values
  /// `EventRecord`s: faults and other events, in their order.
  case events
  /// `PairRecord`s: counts of strings by allocating and freeing stack.
  case pairs
  /// `HistoryRecord`s: the program's declarations about single strings.
  case histories
  /// `ScopeRecord`s: the named spans of the program.
  case scopes
  /// `HolderRecord`s: what refers to strings that were live when the process began to end.
  case holders
}
